// The reduce phase of match: which images are searched, and which of them are nearest.
#pragma once

#include <string>
#include <vector>

#include "embed_operation.h"

namespace imgmill {

struct MatchedImage {
  std::string path;  ///< absolute
  float similarity = 0;
};

struct MatchQuestion {
  std::string fact;    ///< VectorFact of the kind that is searched
  std::string folder;  ///< canonical, without a slash at the end; empty for everywhere
  size_t top = 5;
  float least = -1;
  bool exclude_self = false;
};

/// For each query the nearest of the images that `store` knows and that are there as they were when they were
/// embedded (by size and time). Exact; of equally near ones the first by path. kUsage if there is none to
/// search. What it holds is leased: some 16 bytes an image.
Result<std::vector<std::vector<MatchedImage>>> SearchMatches(const VectorStore& store,
                                                             const MatchQuestion& question,
                                                             const std::vector<EmbeddedImage>& queries,
                                                             const CommandServices& services);

}  // namespace imgmill
