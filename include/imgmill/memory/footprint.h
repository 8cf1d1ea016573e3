// Bytes that one piece of work holds at its peak, by who sees them.
#pragma once

#include <cstddef>

namespace imgmill {

/// `pooled` go through our pools, `unseen` are inside libraries (decoders, encoders), known from a formula
/// only.
struct Footprint {
  size_t pooled = 0;
  size_t unseen = 0;
  size_t total() const { return pooled + unseen; }
  Footprint operator+(const Footprint& other) const { return {pooled + other.pooled, unseen + other.unseen}; }
};

}  // namespace imgmill
