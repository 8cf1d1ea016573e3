// What match looks at beside vectors: files, damaged rows, and catalogs in which queries are embedded
// already.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
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

TEST_CASE("embedded queries find what their files would, and need neither model nor files") {
  const TestFolder where;
  const auto sample = [&](const std::string& name, const std::string& to) {
    fs::create_directories(fs::path(where / to).parent_path());
    fs::copy_file(SampleData() + "/" + name, where / to);
  };
  sample("harbour.jpg", "in/a.jpg");
  sample("marble.jpg", "second/b.jpg");
  sample("clock.jpg", "second/c.jpg");
  sample("harbour_q30.jpg", "queries/below/c.jpg");
  sample("clock_blurred.jpg", "queries/d.jpg");
  sample("balloons.png", "queries/e.png");
  const ModelParts model = FindModel();
  const char* const assets = std::getenv("IMGMILL_TEST_ASSETS");
  const std::string weights = std::string(assets != nullptr ? assets : "") +
                              "/weights/torchscript/mobilenet_v1_0.25_224_embed256_f32.pt";
  std::vector<std::string> with;
  ProcessOptions options;
  const bool by_model = model.missing.empty() && TestFolder::Exists(weights);
  if (by_model) {
    options = model.options;
    with = {"--model", weights, "--scale", "1/127.5", "--shift", "-1", "--device", "cpu"};
  } else {
    MESSAGE("by the built-in descriptor: " << (model.missing.empty() ? "no " + weights : model.missing));
  }
  options = WithState(options);
  options.environment.push_back("LD_DEBUG=files");
  options.environment.push_back("LD_DEBUG_OUTPUT=" + (where / "loader"));
  bool opened_library = false;
  const auto run = [&](std::vector<std::string> command, int exit_code = 0) {
    command.insert(command.end(), with.begin(), with.end());
    Process process(Imgmill(command), options);
    ProcessResult result = process.Wait();
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    const std::string log = TestFolder::Read(where / ("loader." + std::to_string(process.pid())));
    opened_library = log.find("libtorch_cpu") != std::string::npos;
    return result;
  };
  const auto match = [&](std::vector<std::string> more, int exit_code = 0) {
    more.insert(more.begin(), {"match", "--in", where / "in", "--in", where / "second"});
    return run(more, exit_code);
  };
  for (const char* folder : {"in", "second"}) run({"embed", where / folder});
  CHECK(match({"--queries", where / "queries"}, 2)
            .err.find("--queries " + where / "queries" + ": it was not embedded yet") != std::string::npos);
  const std::string computed = match({where / "queries", "--format", "csv"}).out;
  CHECK(opened_library == by_model);  // or the test could not fail
  run({"embed", where / "queries"});
  const ProcessResult embedded = match({"--queries", where / "queries/", "--format", "csv"});
  CHECK_FALSE(opened_library);
  CHECK(embedded.out == computed);
  CHECK(embedded.err.find("3 embedded queries; ") != std::string::npos);
  // Of a folder below; of a catalog by its own name; of one that is searched itself, whose images do not find
  // themselves; and beside an image.
  const auto names = [&](const std::string& csv, const char* path) {
    return csv.find(where / path) != csv.npos;
  };
  const std::string below = match({"--queries", where / "queries/below", "--format", "csv"}).out;
  CHECK(names(below, "queries/below/c.jpg"));
  CHECK_FALSE(names(below, "queries/d.jpg"));
  run({"embed", where / "queries", "--catalog", where / "catalog"});
  CHECK(match({"--queries", where / "catalog", "--format", "csv"}).out == computed);
  const std::string itself =
      match({"--queries", where / "second", "--exclude-self", "--top", "1", "--format", "csv"}).out;
  CHECK(itself.find(",1.000000,") == std::string::npos);
  CHECK(std::count(itself.begin(), itself.end(), '\n') == 3);
  const std::string both =
      match({where / "in/a.jpg", "--queries", where / "queries/below", "--format", "csv"}).out;
  CHECK(both.find("queries/below/c.jpg") < both.find("in/a.jpg\",1"));

  // What is not as it was is told, and not asked for.
  fs::remove(where / "queries/d.jpg");
  fs::copy_file(SampleData() + "/marble.jpg", where / "queries/e.png", fs::copy_options::overwrite_existing);
  const nlohmann::json left = Json(match({"--queries", where / "queries", "--json"}));
  CHECK(left["matches"].size() == 1);
  CHECK(left["embedded_queries"] ==
        nlohmann::json{{"asked", 1}, {"changed", 1}, {"missing", 1}, {"without_vector", 0}, {"damaged", 0}});
  fs::remove_all(where / "queries/below");
  CHECK(match({"--queries", where / "queries"}, 2).err.find("none of the images that --queries names") !=
        std::string::npos);
}

}  // namespace imgmill::process_test
