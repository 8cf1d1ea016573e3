// Queries that are embedded already: no file of theirs is read, and no model loaded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "match_search.h"

namespace imgmill {

/// Images of catalogs as queries.
struct EmbeddedQueries {
  std::vector<MatchSource> sources;  ///< OpenQuerySources'
  uint64_t count = 0;
  /// Those that are no queries: others than when they were embedded, gone, without such a vector, or with one
  /// that was lost.
  uint64_t changed = 0, gone = 0, without_vector = 0, damaged = 0;
};

/// Adds those of all sources that are there as they were when they were embedded, in order of source, then of
/// path. kUsage if there is none. What it holds is leased: 104 bytes for each that a catalog knows.
/// @param fact   VectorFact of the kind that is searched
/// @param named  the folders as the user gave them, by which paths are told
Status AddEmbeddedQueries(const std::string& fact, const std::vector<std::string>& named,
                          const CommandServices& services, EmbeddedQueries& from, MatchQueryTable& queries);

}  // namespace imgmill
