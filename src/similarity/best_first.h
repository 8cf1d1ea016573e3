// Items in the order of their ranks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>

#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// @param order  each item's rank, smaller is better, ties go to the smaller index
/// @throws OutOfMemory
inline PoolArray<uint32_t> BestFirst(std::span<const uint32_t> order) {
  PoolArray<uint32_t> items(order.size());
  std::iota(items.begin(), items.end(), uint32_t{0});
  std::sort(items.begin(), items.end(),
            [&](uint32_t a, uint32_t b) { return order[a] != order[b] ? order[a] < order[b] : a < b; });
  return items;
}

}  // namespace imgmill
