// The reduce phase of match: which images are searched, and which of them are nearest.
#pragma once

#include <string>
#include <vector>

#include "embed_operation.h"
#include "imgmill/dataset/record_table.h"
#include "imgmill/similarity/cosine.h"

namespace imgmill {

/// An image whose neighbours are asked for.
struct MatchQuery {
  std::string path;      ///< as it was listed
  std::string absolute;  ///< canonical path
  VectorFile::Place place;
  const VectorFile* vectors = nullptr;  ///< the file that `place` is in

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.path), each(self.absolute), each(self.place), each(self.vectors);
  }
};
using MatchQueryTable = RecordTable<MatchQuery>;

struct FoundMatches {
  RecordTable<std::string> images;                 ///< absolute paths of all that were searched, in order
  RecordTable<std::vector<Neighbour>> neighbours;  ///< of each query; an id is a row of `images`
  uint64_t count = 0;                              ///< of the neighbours of all queries
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
/// search. What it holds is leased: 16 bytes an image, and a block of queries with what is found for them.
Result<FoundMatches> SearchMatches(const VectorStore& store, const MatchQuestion& question,
                                   const MatchQueryTable& queries, const CommandServices& services);

}  // namespace imgmill
