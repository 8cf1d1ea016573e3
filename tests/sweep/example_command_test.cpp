// The example in CONTRIBUTING.md is a command that works.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "sweep/command_run.h"

using namespace imgmill;

namespace {

std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the example command tells the mean of each image, and what failed") {
  const ScratchFolder folder;
  // By hand: (3 x 0 + 3 x 255) / 6, and 7.
  std::ofstream(folder / "two.ppm", std::ios::binary) << "P6 2 1 255\n"
                                                      << std::string(3, '\0') << std::string(3, '\xff');
  std::ofstream(folder / "grey.pgm", std::ios::binary) << "P5 5 3 255\n" << std::string(15, '\7');
  std::ofstream(folder / "cut.ppm", std::ios::binary) << "P6 2 2 255\n";
  InProcessRun run;
  run.command = "brightness";
  for (const char* name : {"two.ppm", "cut.ppm", "grey.pgm"})
    run.files.push_back({run.files.size(), folder / name, name, NameClash::kNone});
  const InProcessResult ran = RunInProcess(run);
  REQUIRE(ran.error == "");
  CHECK(ran.result.counts.done == 2);
  CHECK(ran.result.failed.size() == 1);
  std::string text;
  REQUIRE(ran.result.text([&](std::string_view piece) {
    text += piece;
    return Status();
  }));
  CHECK(text == "127.500000  " + (folder / "two.ppm") + "\n7.000000  " + (folder / "grey.pgm") + "\n");
}

TEST_CASE("CONTRIBUTING.md shows the example as it is compiled, in less than 60 lines") {
  const std::string root = IMGMILL_SOURCE_DIR;
  std::string code = TextOf(root + "/tests/sweep/brightness.h");
  code = code.substr(code.find("struct Brightness"));
  code.resize(code.find("}  // namespace imgmill") - 1);
  CHECK(std::count(code.begin(), code.end(), '\n') < 60);
  CHECK(TextOf(root + "/CONTRIBUTING.md").find("```cpp\n" + code + "```\n") != std::string::npos);
}
