// Copies of files that a later step moved on: what run --prune leaves of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

size_t CopiesIn(const std::string& project) {
  const auto is_copy = [](const fs::directory_entry& entry) { return entry.path().extension() == ".png"; };
  return static_cast<size_t>(std::count_if(fs::directory_iterator(project + "/good"), {}, is_copy));
}

}  // namespace

TEST_CASE("prune leaves copies of what was moved on, and made of an image that fails today or is another's") {
  const TestFolder where;
  fs::create_directories(where / "p/photos");
  for (const std::string name : {"harbour.jpg", "citrus.jpg"})
    fs::copy_file(SampleData() + "/" + name, where / "p/photos/" + name);
  std::ofstream(where / "p/steps.yaml")
      << "input: photos\noutput: out\nsteps:\n  - tile: {size: 128}\n"
         "  - filter: {keep: [\"width>0\"], action: copy, to: good}\n"
         "  - filter: {keep: [\"entropy>=6\"], action: move, to: dropped}\n";
  REQUIRE(Run({"run", where / "p/steps.yaml"}).exit_code == 0);
  const size_t all = CopiesIn(where / "p");
  REQUIRE(all == 24);
  const size_t of_citrus = all - 12;  // twelve are the harbour's
  REQUIRE_FALSE(fs::is_empty(where / "p/dropped"));
  const auto prune = [&](const std::string& place) {
    return Run({"run", where / place + "/steps.yaml", "--prune"}).exit_code;
  };
  SUBCASE("it fails") {
    where.Write("p/photos/citrus.jpg", "no picture");
    CHECK(prune("p") == 1);
    CHECK(CopiesIn(where / "p") == all);
  }
  SUBCASE("it is the original's, of a copied project") {
    fs::copy(where / "p", where / "q", fs::copy_options::recursive);
    fs::remove(where / "q/photos/citrus.jpg");
    CHECK(prune("q") == 0);
    CHECK(CopiesIn(where / "q") == all);
    CHECK(prune("q") == 0);
    CHECK(CopiesIn(where / "q") == all);
  }
  SUBCASE("it is gone") {
    fs::remove(where / "p/photos/citrus.jpg");
    CHECK(prune("p") == 0);
    CHECK(CopiesIn(where / "p") == all - of_citrus);
  }
}

}  // namespace imgmill::process_test
