// A grid of squares, and a greedy choice.
#include "tile_spacing.h"

#include <algorithm>

namespace imgmill {
namespace {

bool ReadsBefore(const TilePlace& a, const TilePlace& b) {
  return a.y != b.y ? a.y < b.y : a.x < b.x;
}

}  // namespace

bool TileSpacing::IsNear(const TilePlace& a, const TilePlace& b) const {
  const int64_t dx = a.x - b.x, dy = a.y - b.y;
  return dx * dx + dy * dy < distance_ * distance_;
}

bool TileSpacing::Take(const TilePlace& place) {
  const int64_t column = place.x / distance_, row = place.y / distance_;
  for (int64_t y = row - 1; y <= row + 1; ++y) {
    for (int64_t x = column - 1; x <= column + 1; ++x) {
      const auto square = taken_.find({y, x});
      if (square == taken_.end()) continue;
      for (const TilePlace& other : square->second) {
        if (IsNear(place, other)) return false;
      }
    }
  }
  taken_[{row, column}].push_back(place);
  return true;
}

std::vector<TilePlace> ChooseSpaced(std::vector<RankedPlace> places, size_t most, int64_t distance) {
  std::sort(places.begin(), places.end(), [](const RankedPlace& a, const RankedPlace& b) {
    return a.score != b.score ? a.score > b.score : ReadsBefore(a.place, b.place);
  });
  TileSpacing spacing(distance);
  std::vector<TilePlace> chosen;
  for (const RankedPlace& each : places) {
    if (chosen.size() == most) break;
    if (spacing.Take(each.place)) chosen.push_back(each.place);
  }
  std::sort(chosen.begin(), chosen.end(), ReadsBefore);
  return chosen;
}

}  // namespace imgmill
