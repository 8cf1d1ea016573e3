// Results do not depend on threads or memory: the same document and the same bytes each time.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

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

TEST_CASE("compare says and writes the same with any number of threads and any budget") {
  const TestFolder where;
  REQUIRE(
      Run({"upscale", SampleData(), "-o", where / "b", "--method", "cubic", "--scale", "0.5"}).exit_code ==
      1);
  std::string expected;
  for (const auto& circumstance : kCircumstances) {
    CAPTURE(circumstance.back());
    const std::string table = where / "figures.csv", page = where / "page.html";
    const ProcessResult result =
        Run(With({"compare", where / "b", SampleData(), "--metrics", "all", "--resize", "cubic", "--include",
                  "*.png", "--json", "--no-catalog", "--csv", table, "--html", page},
                 circumstance, "80MiB"));
    const std::string found = result.out + TestFolder::Read(table) + TestFolder::Read(page);
    if (expected.empty()) expected = found;
    CHECK(Json(result)["compared"] >= 20);
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

TEST_CASE("steps that share decodes write what runs of their own write, in any circumstances") {
  const TestFolder where;
  CopySamples(where / "photos");
  // By runs of their own, from copies of what filter keeps.
  const std::vector<std::string> rules = {"--keep", "brightness>=20", "--drop", "blockiness>=94"};
  std::vector<std::string> filter = {"filter",       where / "photos", "--action",        "copy",  "--to",
                                     where / "kept", "--catalog",      where / "catalog", "--json"};
  filter.insert(filter.end(), rules.begin(), rules.end());
  const ProcessResult filtered = Run(filter);
  REQUIRE(filtered.exit_code == 0);
  const size_t kept = Json(filtered)["kept"];
  REQUIRE(Json(filtered)["dropped"] > 1);
  REQUIRE(kept > 20);
  REQUIRE(Run({"tile", where / "kept", "-o", where / "tiles", "--size", "96", "--no-catalog"}).exit_code ==
          0);
  FolderBytes expected = ReadFolder(where / "tiles");
  expected.erase("tiles.jsonl");  // it names the copies
  REQUIRE(expected.size() > 300);

  const std::string file = where.Write("pipeline.yaml",
                                       "input: photos\n"
                                       "output: out\n"
                                       "steps:\n"
                                       "  - filter:\n"
                                       "      keep: brightness>=20\n"
                                       "      drop: blockiness>=94\n"
                                       "  - embed:\n"
                                       "  - filter:\n"
                                       "      keep: width>=8\n"
                                       "  - tile:\n"
                                       "      size: 96\n");
  std::string document;
  for (const auto& circumstance : kCircumstances) {
    CAPTURE(circumstance.back());
    std::filesystem::remove_all(where / "out");
    const ProcessResult result = Run(With({"run", file, "--json"}, circumstance, "80MiB"));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    if (document.empty()) document = result.out;
    CHECK(result.out == document);
    const nlohmann::json steps = Json(result)["steps"];
    CHECK(steps[0]["kept"] == kept);
    for (const int step : {1, 2, 3}) CHECK(steps[static_cast<size_t>(step)]["listed"] == kept);
    FolderBytes tiles = ReadFolder(where / "out/tile");
    tiles.erase("tiles.jsonl");
    CHECK(Difference(expected, tiles) == "");
  }
}

}  // namespace imgmill::process_test
