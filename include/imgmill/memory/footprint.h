// Bytes that one piece of work holds at its peak, by who sees them.
#pragma once

#include <algorithm>
#include <cstddef>

namespace imgmill {

/// `pooled` go through our pools, `untracked` are inside libraries (decoders, encoders), known from a formula
/// only.
struct Footprint {
  size_t pooled = 0;
  size_t untracked = 0;
  size_t total() const { return pooled + untracked; }
  Footprint operator+(const Footprint& other) const {
    return {pooled + other.pooled, untracked + other.untracked};
  }
};

/// As much of each kind as either.
inline Footprint Larger(const Footprint& a, const Footprint& b) {
  return {std::max(a.pooled, b.pooled), std::max(a.untracked, b.untracked)};
}

}  // namespace imgmill
