// Results do not depend on threads or memory: the same document and the same bytes each time.
#include <doctest/doctest.h>

#include "program.h"

namespace imgmill::process_test {
namespace {

const std::vector<std::vector<std::string>> kCircumstances = {
    {"-j1"}, {"-j2"}, {"-j4"}, {"-j4", "--memory", "2GiB"}, {"-j4", "--memory", "SMALL"}};

std::vector<std::string> With(std::vector<std::string> command, std::vector<std::string> more,
                              const std::string& small) {
  for (std::string& word : more) {
    if (word == "SMALL") word = small;
  }
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

}  // namespace

TEST_CASE("dedup says the same with any number of threads and any budget") {
  for (const std::string decode : {"scaled", "full"}) {
    CAPTURE(decode);
    std::string expected;
    for (const auto& circumstance : kCircumstances) {
      CAPTURE(circumstance.back());
      const ProcessResult result = Run(
          With({"dedup", SampleData(), "--json", "--no-catalog", "--decode", decode}, circumstance, "80MiB"));
      CHECK(result.exit_code == 1);
      if (expected.empty()) expected = result.out;
      CHECK(Json(result)["done"] == 30);
      CHECK(result.out == expected);
    }
  }
}

TEST_CASE("filter says and exports the same with any number of threads and any budget") {
  const TestFolder where;
  std::string expected;
  for (const auto& circumstance : kCircumstances) {
    CAPTURE(circumstance.back());
    const std::string table = where / "signals.csv";
    const ProcessResult result = Run(With({"filter", SampleData(), "--json", "--no-catalog", "--keep",
                                           "sharpness>p20", "--drop", "noise>p90", "--export", table},
                                          circumstance, "80MiB"));
    CHECK(result.exit_code == 1);
    CHECK(Json(result)["done"] == 30);
    const std::string found = result.out + TestFolder::Read(table);
    if (expected.empty()) expected = found;
    CHECK(found == expected);
  }
}

TEST_CASE("upscale writes the same bytes with any number of threads and any budget") {
  const TestFolder where;
  FolderBytes expected;
  int round = 0;
  for (const auto& circumstance : kCircumstances) {
    CAPTURE(circumstance.back());
    const std::string out = where / ("out" + std::to_string(round++));
    const ProcessResult result =
        Run(With({"upscale", SampleData(), "--method", "lanczos3", "-o", out}, circumstance, "80MiB"));
    INFO(result.err);
    CHECK(result.exit_code == 1);
    const FolderBytes found = ReadFolder(out);
    CHECK(found.size() == 30);
    if (expected.empty()) expected = found;
    CHECK(Difference(expected, found) == "");
  }
}

TEST_CASE("tile writes the same bytes with any number of threads and any budget") {
  const TestFolder where;
  FolderBytes expected;
  int round = 0;
  for (const auto& circumstance : kCircumstances) {
    CAPTURE(circumstance.back());
    const std::string out = where / ("out" + std::to_string(round++));
    const ProcessResult result =
        Run(With({"tile", SampleData(), "--size", "128", "--best", "4", "--format", "webp", "-o", out},
                 circumstance, "80MiB"));
    INFO(result.err);
    CHECK(result.exit_code == 1);
    const FolderBytes found = ReadFolder(out);
    CHECK(found.size() == 29 * 4 + 1);  // of 30 good samples one is smaller than a tile; and the manifest
    if (expected.empty()) expected = found;
    CHECK(Difference(expected, found) == "");
  }
}

}  // namespace imgmill::process_test
