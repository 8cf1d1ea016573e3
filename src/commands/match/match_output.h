// What match found, put into words: text, CSV or JSON lines, and rows of the JSON document.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/report/json_object.h"
#include "match_search.h"

namespace imgmill {

/// What was found, with paths as the user would write them.
struct DescribedMatches {
  MatchQueryTable queries;
  FoundMatches found;
  /// Canonical path and given name of each --in, without slashes at its end; none if all was searched.
  std::vector<std::pair<std::string, std::string>> folders;

  /// Fills `folders`.
  void NameFolders(const std::vector<std::string>& given);
  std::string AsGiven(const std::string& path) const;

  /// Calls `each` with each query and its neighbours.
  template <typename Each>
  Status ForEachQuery(const Each& each) const {
    NeighbourTable::Reader neighbours(found.neighbours);
    return queries.ForEach([&](const MatchQuery& query) -> Status {
      const std::optional<std::vector<Neighbour>> nearest = TRY(neighbours.Next());
      return each(query, *nearest);
    });
  }
  /// Calls `each` with the rank of each neighbour, from 1 on, its similarity and path.
  template <typename Each>
  Status ForEachMatch(const std::vector<Neighbour>& nearest, const Each& each) const {
    for (size_t i = 0; i < nearest.size(); ++i) {
      const std::string path = TRY(found.images.At(nearest[i].id));
      TRY(each(i + 1, nearest[i].similarity, AsGiven(path)));
    }
    return {};
  }

  /// @param format  of --format
  Status PutText(const std::string& format, const TextSink& put) const;
  Status PutJson(JsonElements& elements) const;
};

/// Six digits: beyond them a cosine of floats is rounding.
std::string SimilarityText(float similarity);

}  // namespace imgmill
