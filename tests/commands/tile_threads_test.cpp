// One image cut by several threads: the same files, the same errors, the same reruns as by one.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

using Words = std::vector<std::string>;

ProcessResult Cut(const std::string& image, const std::string& out, const Words& how,
                  const Words& circumstances) {
  Words command = {"tile", image, "-o", out, "--json"};
  command.insert(command.end(), how.begin(), how.end());
  command.insert(command.end(), circumstances.begin(), circumstances.end());
  return Run(command);
}

/// What one thread makes of it, and that more, and little memory, make the same.
void SameByMoreThreads(const TestFolder& where, const std::string& image, const Words& how,
                       size_t at_least = 20) {
  CAPTURE(how.back());
  FolderBytes expected;
  for (const Words& circumstances : std::vector<Words>{{"-j1"}, {"-j4"}, {"-j4", "--memory", "96MiB"}}) {
    CAPTURE(circumstances.back());
    const std::string out = where / "out";
    std::filesystem::remove_all(out);
    const ProcessResult result = Cut(image, out, how, circumstances);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const FolderBytes found = ReadFolder(out);
    if (expected.empty()) expected = found;
    CHECK(found.size() >= at_least);
    CHECK(Difference(expected, found) == "");
  }
}

}  // namespace

TEST_CASE("one image gives the same tiles on any number of threads, in every format") {
  const TestFolder where;
  WriteLargeJpeg(where / "large.jpg", 1100, 900);
  for (const char* format : {"png", "jpg", "webp", "tiff", "jxl", "avif"})
    SameByMoreThreads(where, where / "large.jpg", {"--size", "192", "--format", format});
}

TEST_CASE("and however tiles overlap, are filled up, or are chosen") {
  const TestFolder where;
  WriteLargeJpeg(where / "large.jpg", 800, 700);
  for (const Words& how : std::vector<Words>{{"--edge", "pad"},
                                             {"--edge", "drop"},
                                             {"--stride", "50"},
                                             {"--stride", "170"},
                                             {"--keep", "contrast>1"},
                                             {"--best", "21", "--by", "contrast"},
                                             {"--best", "21", "--by", "random"},
                                             {"--best", "21", "--min-distance", "100"},
                                             {"--min-distance", "130"}}) {
    Words all = {"--size", "128"};
    all.insert(all.end(), how.begin(), how.end());
    SameByMoreThreads(where, where / "large.jpg", all);
  }
}

TEST_CASE("partners of several scales are cut in step by several threads") {
  const TestFolder where;
  std::filesystem::create_directories(where / "HQ");
  WriteLargeJpeg(where / "HQ/a.jpg", 1200, 960);
  for (const auto& [folder, factor] :
       std::vector<std::pair<std::string, std::string>>{{"X2", "0.5"}, {"X4", "0.25"}}) {
    REQUIRE(
        Run({"upscale", where / "HQ/a.jpg", "-o", where / folder, "--method", "linear", "--scale", factor})
            .exit_code == 0);
  }
  const Words pairs = {"--pair", where / "X2", "--pair", where / "X4", "--size", "128"};
  SameByMoreThreads(where, where / "HQ", pairs, 3 * 80);
  Words chosen = pairs;
  chosen.insert(chosen.end(), {"--best", "11"});
  SameByMoreThreads(where, where / "HQ", chosen, 3 * 11);
}

TEST_CASE(
    "what several threads have cut is found finished by one, and what a file's limit has stopped is as with "
    "one") {
  const TestFolder where;
  WriteLargeJpeg(where / "large.jpg", 1100, 900);
  REQUIRE(Cut(where / "large.jpg", where / "out", {"--size", "128"}, {"-j4"}).exit_code == 0);
  const FolderBytes made = ReadFolder(where / "out");
  const ProcessResult again = Cut(where / "large.jpg", where / "out", {"--size", "128"}, {"-j1"});
  CHECK(Json(again)["skipped"] == 1);
  CHECK(Difference(made, ReadFolder(where / "out")) == "");

  std::string told;
  for (const char* threads : {"-j1", "-j2", "-j4"}) {
    CAPTURE(threads);
    const std::string out = where / ("limited" + std::string(threads));
    const Words program =
        Imgmill({"tile", where / "large.jpg", "-o", out, "--size", "128", "--json", "--no-catalog", threads});
    Words limited = {"/bin/bash", "-c", "ulimit -f 8; exec \"$@\"", "limited"};
    limited.insert(limited.end(), program.begin(), program.end());
    const ProcessResult result = Process(limited, WithState({})).Wait();
    CHECK(result.exit_code == 75);
    const std::string message = Json(result)["failed"][0]["message"];
    if (told.empty()) told = message;
    CHECK(message == told);
    CHECK(CountFiles(out) == 0);
    CHECK(ReadFolder(out).empty());  // nor anything hidden
  }
  CHECK(told.find("File too large") != std::string::npos);
}

}  // namespace imgmill::process_test
