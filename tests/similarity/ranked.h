// What a grouping is given, from lists of a test's own.
#pragma once

#include <algorithm>
#include <span>

#include "imgmill/similarity/grouping.h"

namespace imgmill {

inline RankedKeys Ranked(std::span<const uint64_t> keys, std::span<const uint32_t> order) {
  RankedKeys items(keys.size());
  std::copy(keys.begin(), keys.end(), items.keys.begin());
  std::copy(order.begin(), order.end(), items.order.begin());
  return items;
}

}  // namespace imgmill
