// What match looks at beside vectors: files, damaged rows, and catalogs in which queries are embedded
// already.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// Samples in one catalog, and queries to it.
struct EmbeddedSamples {
  TestFolder where;
  std::string query = where / "photos/harbour_q30.jpg";

  EmbeddedSamples() {
    CopySamples(where / "photos");
    REQUIRE(Run({"embed", where / "photos", "--catalog", where / "c"}).exit_code == 0);
  }
  nlohmann::json Match(const std::string& check, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {"match", query, "--exclude-self", "--json", "--catalog", where / "c"};
    if (!check.empty()) command.insert(command.end(), {"--check-files", check});
    command.insert(command.end(), more.begin(), more.end());
    const ProcessResult result = Run(command);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return Json(result);
  }
};

}  // namespace

TEST_CASE("match finds the same whether it looks at all files or at those found") {
  const EmbeddedSamples samples;
  const TestFolder& where = samples.where;
  for (const std::vector<std::string>& how :
       std::vector<std::vector<std::string>>{{"--top", "3"}, {"--unique"}}) {
    CAPTURE(how[0]);
    const nlohmann::json all = samples.Match("all", how), found = samples.Match("found", how);
    CHECK(all["files_checked"] == "all");
    CHECK(samples.Match("", how)["files_checked"] == "all");
    CHECK(found["files_checked"] == "found");
    CHECK(found["matches"] == all["matches"]);
    CHECK(found["searched"] == 30);
  }

  SUBCASE("what is not found is not looked at") {
    fs::remove(where / "photos/tartan.jpg");
    const nlohmann::json all = samples.Match("all", {"--top", "3"}),
                         found = samples.Match("found", {"--top", "3"});
    CHECK(all["not_searched"]["missing"] == 1);
    CHECK(found["files_checked"] == "found");
    CHECK(found["not_searched"]["missing"] == 0);
    CHECK(found["matches"] == all["matches"]);
  }
  SUBCASE("what is found and is gone or changed gives its place to the next") {
    fs::remove(where / "photos/harbour.jpg");
    where.Write("photos/harbour_copy.jpg", "changed since");
    for (const std::vector<std::string>& how :
         std::vector<std::vector<std::string>>{{"--top", "1"}, {"--top", "4"}, {"--unique"}}) {
      CAPTURE(how.back());
      const nlohmann::json all = samples.Match("all", how), found = samples.Match("found", how);
      CHECK(found["matches"] == all["matches"]);
      CHECK(found["matches"][0]["images"][0]["path"] == where / "photos/holiday/harbour.jpg");
      CHECK(found["files_checked"] == "all");
      CHECK(found["not_searched"] == nlohmann::json({{"changed", 1}, {"missing", 1}, {"without_vector", 0}}));
      CHECK(found["searched"] == 28);
    }
  }
  SUBCASE("a file that only got another time is the same") {
    fs::rename(where / "photos/harbour.jpg", where / "photos/h.jpg");
    fs::rename(where / "photos/h.jpg", where / "photos/harbour.jpg");
    CHECK(samples.Match("found", {"--top", "1"})["files_checked"] == "found");
  }
}

TEST_CASE("a damaged vector is told, whatever files are looked at, and is not found") {
  const EmbeddedSamples samples;
  const FolderBytes files = ReadFolder(samples.where / "c/vectors");
  REQUIRE(files.size() == 1);
  std::string bytes = files.begin()->second;
  // One bit of three vectors; and the last one is cut off.
  const size_t row = 512 * sizeof(float);
  const size_t rows = (bytes.size() - 4096) / row;
  REQUIRE(rows >= 28);
  for (size_t i = 0; i < 3; ++i) bytes[4096 + i * row + 1] = static_cast<char>(bytes[4096 + i * row + 1] ^ 1);
  samples.where.Write("c/vectors/" + files.begin()->first, bytes.substr(0, bytes.size() - row));
  for (const std::string check : {"all", "found"}) {
    const ProcessResult result = Run({"match", SampleData() + "/marble.jpg", "--top", "30", "--json",
                                      "--catalog", samples.where / "c", "--check-files", check});
    INFO(result.err);
    CHECK(result.exit_code == 0);
    CHECK(result.err.find("are lost or damaged, and not searched") != std::string::npos);
    const nlohmann::json json = Json(result);
    const size_t searched = json["searched"];
    CHECK(searched <= 26);  // equal images share a vector
    CHECK(json["matches"][0]["images"].size() == searched);
  }
}

}  // namespace imgmill::process_test
