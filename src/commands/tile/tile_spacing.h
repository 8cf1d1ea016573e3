// Tiles that keep a distance from each other.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "tile_names.h"

namespace imgmill {

/// Places that were taken, in squares as wide as the distance, so that a look at nine of them tells.
class TileSpacing {
 public:
  /// @param distance  between upper left corners, pixels, above 0
  explicit TileSpacing(int64_t distance) : distance_(distance) {}

  /// Takes the place, unless one that was taken lies nearer than the distance.
  bool Take(const TilePlace& place);
  void Clear() { taken_.clear(); }

 private:
  bool IsNear(const TilePlace& a, const TilePlace& b) const;

  int64_t distance_;
  std::map<std::pair<int64_t, int64_t>, std::vector<TilePlace>> taken_;
};

/// A tile that may be taken, and how good it is.
struct RankedPlace {
  double score = 0;  ///< the higher the better; minus infinity without a value
  TilePlace place;
};

/// The best ones first, each that is far enough from those before it; of equals the first in reading order.
/// At most `most`, in reading order.
std::vector<TilePlace> ChooseSpaced(std::vector<RankedPlace> places, size_t most, int64_t distance);

}  // namespace imgmill
