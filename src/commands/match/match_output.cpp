// Lines and JSON objects of matches.
#include "match_output.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "archive/archive_path.h"
#include "commands/csv_cell.h"

namespace imgmill {
namespace {

double Rounded(float similarity) {
  return std::round(static_cast<double>(similarity) * 1e6) / 1e6;
}

std::string MatchLine(const std::string& format, const std::string& query, size_t rank, float similarity,
                      const std::string& path) {
  if (format == "csv") {
    return CsvQuoted(query) + "," + std::to_string(rank) + "," + SimilarityText(similarity) + "," +
           CsvQuoted(path) + "\r\n";
  }
  if (format == "jsonl") {
    return nlohmann::ordered_json{
               {"query", query}, {"rank", rank}, {"similarity", Rounded(similarity)}, {"path", path}}
               .dump() +
           "\n";
  }
  return "  " + SimilarityText(similarity) + "  " + path + "\n";
}

}  // namespace

std::string SimilarityText(float similarity) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(similarity));
  return text;
}

void DescribedMatches::NameFolders(const std::vector<std::string>& given) {
  for (std::string folder : given) {
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    if (const std::string canonical = CanonicalOrSame(folder); canonical != "/")
      folders.emplace_back(canonical, folder);
  }
}

std::string DescribedMatches::AsGiven(const std::string& path) const {
  for (const auto& [folder, given] : folders) {
    if (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/')
      return given + path.substr(folder.size());
  }
  return path;
}

Status DescribedMatches::PutText(const std::string& format, const TextSink& put) const {
  TRY(put(format == "csv" ? "query,rank,similarity,path\r\n" : ""));
  return ForEachQuery([&](const MatchQuery& query, const std::vector<Neighbour>& nearest) -> Status {
    const std::string name = PrintablePath(query.path);
    TRY(put(format == "text" ? name + "\n" : std::string()));
    return ForEachMatch(nearest, [&](size_t rank, float similarity, const std::string& path) {
      return put(MatchLine(format, name, rank, similarity, PrintablePath(path)));
    });
  });
}

Status DescribedMatches::PutJson(JsonElements& elements) const {
  return ForEachQuery([&](const MatchQuery& query, const std::vector<Neighbour>& nearest) {
    JsonObject json;
    json["query"] = PrintablePath(query.path);
    json.SetRows("images", [&](JsonElements& images) {
      return ForEachMatch(nearest, [&](size_t, float similarity, const std::string& path) {
        return images.Put({{"path", PrintablePath(path)}, {"similarity", Rounded(similarity)}});
      });
    });
    return elements.Put(json);
  });
}

}  // namespace imgmill
