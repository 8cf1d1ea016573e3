// The reduce phase of match: which images are searched, and which of them are nearest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands/embed/embed_operation.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/dataset/record_table.h"
#include "match_assignment.h"

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

/// Images that are searched: those of one catalog.
struct MatchSource {
  std::unique_ptr<FolderLock> lock;  ///< null for the run's own catalog
  std::unique_ptr<Catalog> catalog;  ///< likewise
  VectorStore store;
  /// Below which they are: canonical, without a slash at the end; none for everywhere.
  std::vector<std::string> folders;
  std::vector<std::string>
      embedded;  ///< the folders that `embed` was given; none where the catalog was named
};

struct FoundMatches {
  RecordTable<std::string> images;  ///< absolute paths of all that were searched, in order by source
  NeighbourTable neighbours;        ///< of each query; an id is a row of `images`
  uint64_t count = 0;               ///< of the neighbours of all queries
  uint64_t searched = 0;            ///< of the images, those whose vectors are whole
  /// Else only at those that were found, which are all there as they were.
  bool looked_at_all = false;
  /// Files that the catalogs know below the folders and that were not searched: others than when they were
  /// embedded or gone, where all were looked at, and those that were never embedded so.
  uint64_t changed = 0, gone = 0, without_vector = 0;
  std::vector<std::string> changed_below;  ///< MatchSource::embedded of those with changed files
};

/// So many files are looked at in some tens of milliseconds, where the system knows them.
inline constexpr uint64_t kLookedAtUnasked = 50'000;

struct MatchQuestion {
  std::string fact;  ///< VectorFact of the kind that is searched
  size_t top = 5;
  float least = -1;
  bool exclude_self = false;
  bool unique = false;  ///< AssignUniquely, in place of `top`
  /// Whether to look at the files of all images, or only of those that are found; by default at all of up to
  /// kLookedAtUnasked.
  std::optional<bool> look_at_all;
};

/// For each query the nearest of the images that the sources know and that are there as they were when they
/// were embedded (by size and time). Exact; of equally near ones the first by source, then by path. A file
/// below the folders of several sources is searched in the first. kUsage if there is none to search. What it
/// holds is leased: 24 bytes an image, 80 more for each of one source while it looks for them, and a block of
/// queries with what is found for them.
Result<FoundMatches> SearchMatches(const std::vector<MatchSource>& sources, const MatchQuestion& question,
                                   const MatchQueryTable& queries, const CommandServices& services);

}  // namespace imgmill
