// `filter --export FILE.parquet`: the same values as in the other tables, as numbers, flags and times.
// bench/peers/table_parity.py has pyarrow, pandas and DuckDB read such a table.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>

#include "parquet_texts.h"
#include "program.h"

namespace imgmill::process_test {

TEST_CASE("a Parquet table of signals has numbers, and none where an image has none") {
  const TestFolder where;
  std::filesystem::create_directories(where / "in");
  const std::string exif =
      std::string(IMGMILL_SOURCE_DIR) + "/tests/corpus/files/tiff_exif/low_byte_first.tif";
  std::filesystem::copy_file(SampleData() + "/icon_tiny.png", where / "in/a.png");  // 24x24
  std::filesystem::copy_file(SampleData() + "/marble.jpg", where / "in/b.jpg");     // 360x260
  std::filesystem::copy_file(exif, where / "in/c.tif");
  const std::string table = where / "signals.parquet";
  const auto run = [&](const std::string& rule) {
    return Run({"filter", where / "in", "--drop", rule, "--drop", "width<30", "--export", table});
  };
  CHECK(run("width>300").exit_code == 0);
  using Texts = std::vector<std::string>;
  CHECK(TextsOf(table, "path") == Texts{where / "in/a.png", where / "in/b.jpg", where / "in/c.tif"});
  const Texts broken = TextsOf(table, "dropped_by");
  CHECK(broken[0] == "width<30");
  CHECK(broken[1] == "width>300");
  // As ExifTool reads it: tests/cli/filter_exif.
  const Texts cameras = TextsOf(table, "camera");
  CHECK(cameras[0].empty());
  CHECK(cameras[1].empty());
  CHECK(cameras[2] == "Millmaker Mill 3");

  const std::string bytes = TestFolder::Read(table);
  const auto has = [&](const std::string& part) { return bytes.find(part) != std::string::npos; };
  CHECK(has(std::string("\2\0\0\0\6\1", 6) + Plain<double>({24, 360})));
  // Levels of "none, none, one": a run of two 0, and of one 1. By hand, from the date in
  // tests/cli/filter_exif.
  using namespace std::chrono;
  const auto taken = sys_days(2021y / 3 / 4) + 5h + 6min + 7s;
  const int64_t at = duration_cast<milliseconds>(taken.time_since_epoch()).count();
  CHECK(has(std::string("\4\0\0\0\4\0\2\1", 8) + Plain<int64_t>({at})));

  CHECK(run("width>200").exit_code == 0);  // replaces it
  CHECK(TextsOf(table, "dropped_by")[1] == "width>200");
}

}  // namespace imgmill::process_test
