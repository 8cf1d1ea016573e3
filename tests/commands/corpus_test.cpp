// Every command on every file of tests/corpus: none crashes or is silent, and all refuse the same files.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "program.h"

namespace imgmill::process_test {
namespace {

const std::string kCorpus = IMGMILL_SOURCE_DIR "/tests/corpus/files";

/// The paths of all files that expected.tsv lists, or of those that are to be refused.
std::set<std::string> Files(bool refused_only) {
  std::set<std::string> files;
  for (const auto& part : std::filesystem::directory_iterator(kCorpus)) {
    std::ifstream table(part.path() / "expected.tsv");
    for (std::string line; std::getline(table, line);) {
      if (line.starts_with("#")) continue;
      const size_t tab = line.find('\t');
      REQUIRE(tab != std::string::npos);
      if (refused_only && line.compare(tab + 1, 8, "refused ") != 0) continue;
      files.insert(part.path() / line.substr(0, tab));
    }
  }
  return files;
}

std::string Lines(const std::set<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += file.substr(kCorpus.size() + 1) + "\n";
  return text;
}

/// Runs a command on the corpus and holds its account of the files against the corpus's own.
void CheckAccount(std::vector<std::string> arguments) {
  const std::string name = arguments[0] + " " + arguments.back();
  CAPTURE(name);
  arguments.insert(arguments.end(), {"--json", "--memory", "256MiB"});
  const ProcessResult result = Run(arguments);
  INFO(result.err);
  const std::set<std::string> refused = Files(true);
  CHECK(result.signal == 0);
  CHECK(result.exit_code == (refused.empty() ? 0 : 1));
  CHECK(result.peak_resident <= size_t{256} << 20);
  const nlohmann::json json = Json(result);
  CHECK(json["listed"] == Files(false).size());
  std::set<std::string> failed;
  for (const auto& failure : json["failed"]) {
    failed.insert(failure["path"]);
    CHECK(failure["message"].get<std::string>().size() > 10);
  }
  CHECK(json["done"] == Files(false).size() - failed.size());
  CHECK(Lines(failed) == Lines(refused));
}

}  // namespace

TEST_CASE("every command accounts for every file of the corpus, and all refuse the same ones") {
  const TestFolder where;
  const std::string catalog = where / "catalog";
  CheckAccount({"filter", kCorpus, "--keep", "width>=1", "--no-catalog", "--export", where / "signals.csv"});
  CheckAccount({"dedup", kCorpus, "--no-catalog", "--method", "phash"});
  CheckAccount({"dedup", kCorpus, "--no-catalog", "--decode", "full"});
  CheckAccount({"dedup", kCorpus, "--no-catalog", "--method", "embedding"});
  CheckAccount({"embed", kCorpus, "--catalog", catalog});
  CheckAccount({"embed", kCorpus, "--catalog", catalog});  // recalled
  CheckAccount({"match", kCorpus, "--catalog", catalog, "--in", kCorpus});
  CheckAccount({"tile", kCorpus, "--no-catalog", "--size", "16", "--edge", "pad", "-o", where / "tiles"});
  CheckAccount({"upscale", kCorpus, "--no-catalog", "--method", "lanczos3", "-o", where / "large"});
}

TEST_CASE("the corpus, enlarged and tiled twice with other threads, has the same bytes") {
  const TestFolder where;
  for (const std::vector<std::string>& command : {std::vector<std::string>{"upscale", "--method", "lanczos3"},
                                                  {"tile", "--size", "16", "--edge", "pad"}}) {
    CAPTURE(command[0]);
    std::vector<FolderBytes> written;
    for (const std::string threads : {"-j1", "-j4"}) {
      const std::string out = where / (command[0] + threads);
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), {kCorpus, "--no-catalog", "-o", out, threads});
      Run(arguments);
      written.push_back(ReadFolder(out));
    }
    CHECK(written[0].size() >= Files(false).size() - Files(true).size());
    CHECK(Difference(written[0], written[1]) == "");
  }
}

}  // namespace imgmill::process_test
