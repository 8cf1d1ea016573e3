// The grid of tiles: sums of strides, and the last one by its policy.
#include "tile_grid.h"

namespace imgmill {

std::vector<int64_t> TileStarts(int64_t length, int64_t size, int64_t stride, EdgePolicy edge) {
  std::vector<int64_t> starts;
  int64_t next = 0;
  for (; next + size <= length; next += stride) starts.push_back(next);
  const int64_t covered = starts.empty() ? 0 : starts.back() + size;
  if (covered >= length || next >= length) return starts;
  if (edge == EdgePolicy::kPad) starts.push_back(next);
  if (edge == EdgePolicy::kShift && length >= size) starts.push_back(length - size);
  return starts;
}

}  // namespace imgmill
