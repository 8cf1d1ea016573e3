// Which images are searched, and where their vectors lie.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "imgmill/memory/pool_array.h"
#include "match_search.h"

namespace imgmill {

/// Of one source; an image's id is its place in FoundMatches::images.
struct SearchedRows {
  const MatchSource* source = nullptr;
  PoolArray<SearchRow> rows;  ///< in order of row
  size_t count = 0;
  uint32_t first = 0;  ///< id of its images
  uint32_t end = 0;
  uint64_t damaged = 0;  ///< images whose vectors were lost to a power cut, or with their file; not in `rows`

  bool checked = false;  ///< all vectors in `rows` are whole

  /// Takes out the rows whose id was set to kNobody.
  void LeaveOutDamaged();
};

class RowFinder {
 public:
  /// @param found  gets the images, in order of path, and the numbers of those that are not searched
  /// @param look   at each file, whether it is there and as it was; else all count as searched
  RowFinder(const std::vector<MatchSource>& sources, const std::string& fact, bool look,
            const CommandServices& services, FoundMatches& found)
      : sources_(sources), fact_(fact), look_(look), services_(services), found_(found) {}

  /// Those of a source, which come one after the other. Goes once over what the catalog knows.
  /// @param known  files of that catalog
  Result<SearchedRows> Find(const MatchSource& source, uint64_t known);
  /// Whether an image of that source is there as it was; else it is counted.
  Result<bool> IsThere(const MatchSource& source, const std::string& path);

  /// While it finds the rows of a catalog with so many vectors, beside the rows: not from the pool.
  static size_t Bytes(uint64_t vectors);

 private:
  struct SeenFile {
    std::string path;
    KnownFile file;
    VectorFile::Place place;
    bool as_it_was = false;
  };

  Status Take(std::span<SeenFile> files, const MatchSource& source, SearchedRows& here);
  bool IsNew(const MatchSource& source, const std::string& path) const;
  bool StillThere(const std::string& path, const KnownFile& file, Catalog& catalog);

  const std::vector<MatchSource>& sources_;
  const std::string& fact_;
  const bool look_;
  const CommandServices& services_;
  FoundMatches& found_;
  Status noted_;  // the first failure to note a file in the catalog
};

}  // namespace imgmill
