// The list of tiles that earlier runs have left in a folder: what of it is still true when a run has ended.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// How much of an earlier list stays.
struct KeptTiles {
  uint64_t tiles = 0;
  uint64_t sources = 0;
};

class EarlierTiles {
 public:
  /// @param list    path of the list; its folder is that of the tiles.
  explicit EarlierTiles(std::string list);

  /// kConflict (it is something else) or kMalformed (a line is none of a list), with the line's number. A
  /// list that is not there, or empty, is fine. Reads all of it: to be asked before the work.
  Status Check() const;

  /// A source that this run has worked on, and what its tiles' names begin with: all lines of either go.
  void Replace(std::string_view source, std::string_view prefix);

  /// Tells `put` of the lines that stay, in their order: of other sources, their tiles being there.
  Result<KeptTiles> Copy(const std::function<Status(std::string_view)>& put);

 private:
  bool Replaced(std::string_view source, std::string_view tile) const;
  bool IsThere(const std::string& tile) const;

  std::string list_;
  std::string folder_;
  /// Hashes of sources and of prefixes: 16 bytes an image.
  std::vector<uint64_t> sources_;
  std::vector<uint64_t> prefixes_;
};

}  // namespace imgmill
