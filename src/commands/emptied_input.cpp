// Each line of the list names the files of a sample; of those that a pipeline has made, the catalog knows
// what they were made from.
#include "emptied_input.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/path_parts.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/finished_work.h"

namespace imgmill {
namespace {

/// Where a way that leads in a circle ends.
constexpr int kMostSteps = 64;

bool IsEmptyFolder(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_directory(path, none) && std::filesystem::is_empty(path, none) && !none;
}

/// What a file was made from, by its longest name that is known.
std::optional<std::string> SourceOf(Catalog& catalog, const std::string& path) {
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    for (const FoundWork& found : catalog.FindOutputs(path.substr(slash + 1))) {
      if (found.row.state == WorkRow::State::kDone && found.key.source.starts_with('/'))
        return found.key.source;
    }
  }
  return std::nullopt;
}

bool ComesFrom(Catalog& catalog, std::string path, const std::string& folder) {
  for (int step = 0; step < kMostSteps; ++step) {
    if (path.starts_with(Join(folder, ""))) return true;
    std::optional<std::string> source = SourceOf(catalog, path);
    if (!source || *source == path) return false;
    path = *std::move(source);
  }
  return false;
}

}  // namespace

std::string EmptiedInput(const std::string& members, const CommandServices& services) {
  std::vector<std::string> empty;
  std::ranges::copy_if(services.shared->list.paths, std::back_inserter(empty), IsEmptyFolder);
  if (empty.empty()) return {};
  const Result<ContentDigest> digest = DigestOf(members);
  if (!digest) return {};
  const std::string packed_in = services.catalog->FindFact(*digest, kPackedInFact).value_or(".");
  std::ifstream lines(members);
  for (std::string text; std::getline(lines, text);) {
    const nlohmann::json line = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("files")) continue;
    for (const nlohmann::json& file : line["files"]) {
      std::string source = PathFromPrintable(file.value("source", ""));
      if (!source.starts_with('/')) source = Join(packed_in, source);
      source = AbsoluteEntry(source);
      for (const std::string& folder : empty) {
        if (ComesFrom(*services.catalog, source, CanonicalOrEntry(folder))) return folder;
      }
    }
  }
  return {};
}

}  // namespace imgmill
