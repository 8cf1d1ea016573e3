// Which images are searched, and where their vectors lie.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imgmill/memory/pool_array.h"
#include "match_search.h"

namespace imgmill {

/// Of one source; an image's id is its place in FoundMatches::images.
struct SearchedRows {
  const VectorStore* store = nullptr;
  PoolArray<SearchRow> rows;  ///< in order of row
  size_t count = 0;
  uint32_t first = 0;  ///< id of its images
  uint32_t end = 0;
};

/// Vectors that were lost to a power cut, or with their file.
struct DamagedVectors {
  uint64_t images = 0;
  std::string file;
};

class RowFinder {
 public:
  /// @param found  gets the images, in order of path, and the numbers of those that are not searched
  RowFinder(const std::vector<MatchSource>& sources, const std::string& fact, const CommandServices& services,
            FoundMatches& found)
      : sources_(sources), fact_(fact), services_(services), found_(found) {}

  /// Those of a source, which come one after the other. Goes over the catalog once, then over the vectors in
  /// the order of their file, whose checksums say whether they are as they were written.
  Result<SearchedRows> Find(const MatchSource& source);
  /// Of the sources until now.
  const std::vector<DamagedVectors>& damaged() const { return damaged_; }

  /// While it finds the rows of a catalog of so many files, beside the result.
  static size_t PooledBytes(uint64_t known, size_t dimension);

 private:
  struct PlacedRow {
    SearchRow at;
    uint64_t checksum = 0;
  };

  Status Scan(const MatchSource& source, PoolArray<PlacedRow>& placed, size_t& count);
  Status Check(const VectorFile& file, PoolArray<PlacedRow>& placed, size_t count, SearchedRows& here);
  Status LeaveOut(std::span<PlacedRow> damaged, SearchedRows& here);
  bool IsNew(const MatchSource& source, const std::string& path) const;
  bool StillThere(const std::string& path, const KnownFile& file, Catalog& catalog);

  const std::vector<MatchSource>& sources_;
  const std::string& fact_;
  const CommandServices& services_;
  FoundMatches& found_;
  std::vector<DamagedVectors> damaged_;
  Status noted_;  // the first failure to note a file in the catalog
};

}  // namespace imgmill
