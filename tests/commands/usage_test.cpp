// Wrong usage, budgets that cannot work, folders of odd content, odd names, a reader that went away: each has
// its exit code and a message.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "imgmill/base/path_text.h"
#include "program.h"

namespace imgmill::process_test {

TEST_CASE("wrong usage exits 2, says what is wrong, and prints no result") {
  struct Case {
    std::vector<std::string> arguments;
    std::string says;
  };
  const std::string photos = SampleData();
  for (const Case& each : std::vector<Case>{
           {{"dedpu", photos}, "did you mean \"dedup\""},
           {{"dedup"}, "--files-from"},
           {{"dedup", photos, "--max-distance", "65"}, "0 to 64"},
           {{"dedup", photos, "--max-distance", "ten"}, "ten"},
           {{"dedup", photos, "--action", "move"}, "--move-to"},
           {{"dedup", photos, "--method", "phsh"}, "phash"},
           {{"filter", photos}, "--keep"},
           {{"filter", photos, "--keep", "sharpnes>1"}, "did you mean \"sharpness\""},
           {{"filter", photos, "--keep", "width>1", "--action", "copy"}, "--to DIR"},
           {{"filter", photos, "--keep", "width>1", "--to", "/nowhere"}, "--action"},
           {{"filter", photos, "--keep", "width>1", "--action", "delete", "--to", "x"}, "hardlink"},
           {{"filter", photos, "--keep", "width>1", "--max-drop", "half"}, "50%"},
           {{"filter", photos, "--export", "signals.txt"}, ".csv"},
           {{"upscale", photos, "--method", "lanczos3"}, "-o DIR"},
           {{"upscale", photos, "-o", "/nowhere", "--method", "lanczos4"}, "lanczos2"},
           {{"upscale", photos, "-o", "/nowhere", "--method", "cubic", "--scale", "-1"}, "--scale"},
           {{"compare", photos}, "give two paths"},
           {{"compare", photos, photos + "/nowhere"}, "does not exist"},
           {{"compare", photos, photos, "--fail-below", "alpha-max=3"}, "use --fail-above"},
           {{"match", photos, "--in", photos, "--format", "csv", "--json"}, "does not go with --json"},
           {{"embed", photos, "--import", "/nowhere/", "--model-name", "x"}, "does not exist"},
           {{"compare", photos, photos, "--metrics", "pnsr"}, "did you mean \"psnr\"?"},
           {{"compare", photos, photos, "--fail-below", "psnr"}, "NAME=NUMBER"},
           {{"compare", photos, photos, "--fail-below", "psnr=high"}, "takes a number"},
           {{"compare", photos, photos, "--fail-above", "ssim=1"}, "use --fail-below"},
           {{"compare", photos, photos, "--resize", "bicubic"}, "cubic"},
           {{"compare", photos, photos, "--pair-name", "{name}/x"}, "holds {name} once"},
           {{"compare", photos, photos}, "is the folder of the images themselves"},
           {{"compare", photos, photos + "/harbour.jpg"}, "is no folder"},
           {{"tile", photos, "-o", "/nowhere", "--pair-name", "{name}_x4"}, "go with --pair"},
           {{"frames", photos}, "-o DIR"},
           {{"frames", photos, "-o", "/nowhere", "--every", "0"}, "1 or more"},
           {{"frames", photos, "-o", "/nowhere", "--format", "gif"}, "png, jpg, webp, tiff, jxl or avif"},
           {{"tile", photos}, "-o DIR"},
           {{"tile", photos, "-o", "/nowhere", "--size", "7"}, "8 to 16384"},
           {{"tile", photos, "-o", "/nowhere", "--stride", "9", "--overlap", "9"}, "either"},
           {{"tile", photos, "-o", "/nowhere", "--overlap", "512"}, "one less than --size"},
           {{"tile", photos, "-o", "/nowhere", "--edge", "shfit"}, "did you mean \"shift\""},
           {{"tile", photos, "-o", "/nowhere", "--by", "sharpnes"}, "did you mean \"sharpness\""},
           {{"tile", photos, "-o", "/nowhere", "--by", "width"}, "unknown --by"},
           {{"tile", photos, "-o", "/nowhere", "--format", "gif"}, "png, jpg, webp, tiff, jxl or avif"},
           {{"tile", photos, "-o", "/nowhere", "--pair", "/nowhere/LQ"}, "no such folder"},
           {{"pack", photos, "-o", "/nowhere", "--pair", "/nowhere/LQ"}, "no such folder"},
           {{"tile", photos, "-o", "/nowhere", "--size", "16384", "--format", "webp"}, "at most 16383"},
           {{"dedup", photos, "--memory", "many"}, "many"},
           {{"dedup", photos, "-j", "-3"}, "-j"},
           {{"dedup", photos, "--catalog", "/nowhere", "--no-catalog"}, "contradict"},
           {{"dedup", photos, "--json", "--jsonl"}, "contradict"},
       }) {
    CAPTURE(each.says);
    const ProcessResult result = Run(each.arguments);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.err.find(each.says) != std::string::npos);
    CHECK(result.out.empty());
    CHECK_FALSE(std::filesystem::exists("/nowhere"));  // nothing is made for a run that does not begin
  }
}

TEST_CASE("a budget that cannot work is refused with the smallest that can, and that one works") {
  const std::vector<std::string> command = {"dedup", SampleData() + "/marble.jpg", "--no-catalog",
                                            "--memory"};
  std::vector<std::string> with = command;
  with.push_back("1MiB");
  const ProcessResult refused = Run(with);
  INFO(refused.err);
  CHECK(refused.exit_code == 2);
  std::smatch size;
  // The last size in the message is the one that it advises.
  const std::regex pattern("([0-9.]+) ?([KMG]iB)[^0-9]*$");
  REQUIRE(std::regex_search(refused.err, size, pattern));
  with.back() = size[1].str() + size[2].str();
  CAPTURE(with.back());
  const ProcessResult accepted = Run(with);
  INFO(accepted.err);
  CHECK(accepted.exit_code == 0);
}

TEST_CASE("folders of broken files only, and folders of nothing") {
  const TestFolder where;
  where.Write("broken/a.jpg", "no picture");
  where.Write("broken/b.png", "");
  where.Write("broken/c.webp", std::string(1000, '\0'));
  std::filesystem::create_directories(where / "empty");
  const ProcessResult broken = Run({"dedup", where / "broken", "--json", "--no-catalog"});
  CHECK(broken.exit_code == 1);
  const nlohmann::json json = Json(broken);
  CHECK(json["listed"] == 3);
  CHECK(json["done"] == 0);
  CHECK(json["failed"].size() == 3);
  const ProcessResult upscaled =
      Run({"upscale", where / "broken", "--method", "cubic", "-o", where / "out", "--json"});
  CHECK(upscaled.exit_code == 1);
  CHECK(CountFiles(where / "out") == 0);
  const ProcessResult empty = Run({"dedup", where / "empty", "--json", "--no-catalog"});
  CHECK(empty.exit_code == 0);
  CHECK(Json(empty)["listed"] == 0);
  CHECK(Run({"dedup", where / "not there", "--no-catalog"}).exit_code == 1);
}

TEST_CASE("names that are no UTF-8 or hold a newline work, and JSON shows them without loss") {
  const TestFolder where;
  const std::vector<std::string> names = {"latin \xe4.jpg", "two\nlines.jpg", "back\\x41slash.jpg",
                                          "plain \xc3\xa4.jpg", "tab\t \"quoted\".jpg"};
  std::filesystem::create_directories(where / "photos");
  for (const std::string& name : names) {
    std::filesystem::copy_file(SampleData() + "/marble.jpg", where / ("photos/" + name));
  }
  const ProcessResult result = Run({"dedup", where / "photos", "--json", "--catalog", where / "catalog"});
  CHECK(result.exit_code == 0);
  const nlohmann::json json = Json(result);
  REQUIRE(json["groups"].size() == 1);
  std::vector<std::string> found;
  for (const auto& image : json["groups"][0]["images"]) {
    const std::string path = PathFromPrintable(image["path"].get<std::string>());
    CHECK(TestFolder::Exists(path));
    found.push_back(std::filesystem::path(path).filename().string());
  }
  std::vector<std::string> expected = names;
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  CHECK(found == expected);

  const ProcessResult upscaled =
      Run({"upscale", where / "photos", "--method", "nearest", "-o", where / "out", "--json"});
  CHECK(upscaled.exit_code == 0);
  const nlohmann::json written = Json(upscaled);
  REQUIRE(written["outputs"].size() == names.size());
  for (const auto& path : written["outputs"])
    CHECK(TestFolder::Exists(PathFromPrintable(path.get<std::string>())));
  CHECK(TestFolder::Exists(where / "out/two\nlines.png"));
}

TEST_CASE("a stdout that nobody reads is exit 3 with a message, not a crash") {
  ProcessOptions options;
  options.broken_stdout = true;
  for (const std::string mode : {"--json", "--jsonl", "--verbose"}) {
    const ProcessResult result = Run({"dedup", SampleData(), "--no-catalog", mode}, options);
    INFO(result.err);
    CHECK(result.signal == 0);
    CHECK(result.exit_code == 3);
    CHECK(result.err.find("standard output could not be written") != std::string::npos);
  }
}

TEST_CASE("lines that nobody reads end the run early, and run again it does the rest") {
  const TestFolder where;
  for (int i = 0; i < 5; ++i) CopySamples(where / ("photos/" + std::to_string(i)));
  const std::vector<std::string> upscale = {"upscale", where / "photos", "--method", "nearest",
                                            "-o",      where / "out",    "--jsonl",  "-j2"};
  ProcessOptions options;
  options.broken_stdout = true;
  const ProcessResult unread = Run(upscale, options);
  INFO(unread.err);
  CHECK(unread.exit_code == 3);
  CHECK(unread.err.find("standard output could not be written") != std::string::npos);
  const size_t images = CountFiles(where / "photos");
  const size_t written = CountFiles(where / "out");
  CHECK(written < images / 2);

  const ProcessResult again = Run(upscale);
  CHECK(again.exit_code == 0);
  const size_t last = again.out.rfind('\n', again.out.size() - 2) + 1;
  const nlohmann::json end = nlohmann::json::parse(again.out.substr(last));
  CHECK(end["event"] == "end");
  CHECK(end["skipped"] == written);
  CHECK(end["done"] == images - written);
  CHECK(static_cast<size_t>(std::count(again.out.begin(), again.out.end(), '\n')) == images + 1);
}

TEST_CASE("no report, page, log, metrics or export is written over an image") {
  const TestFolder where;
  CopySamples(where / "photos");
  const FolderBytes before = ReadFolder(where / "photos");
  const std::string image = where / "photos/clock.jpg";
  for (const std::string flag : {"--report", "--report-page", "--log-file", "--metrics-file"}) {
    CAPTURE(flag);
    const ProcessResult result = Run({"dedup", where / "photos", "--no-catalog", flag, image});
    CHECK(result.exit_code == 2);
    CHECK(result.err.find(flag + " " + image + " would overwrite an image (JPEG): name another file") !=
          std::string::npos);
  }
  const std::string named = where / "photos/balloons.csv";  // an image by its bytes, if not by its name
  std::filesystem::copy_file(where / "photos/balloons.png", named);
  const ProcessResult result =
      Run({"filter", where / "photos", "--no-catalog", "--keep", "width>1", "--export", named});
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("--export " + named + " would overwrite an image (PNG)") != std::string::npos);
  std::filesystem::remove(named);
  CHECK(Difference(before, ReadFolder(where / "photos")).empty());
}

TEST_CASE("no report, page, log, metrics or export is written over what somebody else wrote") {
  const TestFolder where;
  CopySamples(where / "photos");
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(where / name) << text;
    return where / name;
  };
  const std::string theirs[] = {
      write("p.yaml", "input: photos\n"),      write("w.safetensors", "\x40\0{\"a\":1}"),
      write("mine.csv", "path,label\n"),       write("mine.parquet", "PAR1 of another program PAR1"),
      write("page.html", "<html>mine</html>"), write("a.json", "{\"schema\": \"mine\"}")};
  const FolderBytes before = ReadFolder(where / ".");
  for (const std::string flag :
       {"--report", "--report-page", "--log-file", "--metrics-file", "--html", "--export"}) {
    for (const std::string& file : theirs) {
      CAPTURE(flag);
      CAPTURE(file);
      const bool table = file.ends_with(".csv") || file.ends_with(".parquet");
      if (flag == "--export" && !table) continue;  // refused for its ending
      const ProcessResult result =
          Run({"filter", where / "photos", "--no-catalog", "--keep", "width>1", flag, file});
      CHECK(result.exit_code == 2);
      CHECK(result.err.find(flag + " " + file + " exists already, and is not a") != std::string::npos);
    }
  }
  CHECK(Difference(before, ReadFolder(where / ".")).empty());
  // What a run wrote, the next one replaces.
  for (int run = 0; run < 2; ++run) {
    const ProcessResult result =
        Run({"filter", where / "photos", "--no-catalog", "--keep", "width>1", "--report", where / "r.json",
             "--report-page", where / "r.html", "--log-file", where / "lines", "--metrics-file",
             where / "m.prom", "--html", where / "h.html", "--export", where / "e.csv"});
    CHECK_MESSAGE(result.exit_code == 0, result.err);
  }
}

}  // namespace imgmill::process_test
