// Vectors that rows are compared with, laid out for the kernels of dot products.
#pragma once

#include <cstddef>

#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Queries lie in panels of four, of which four floats of each come in turn, so that one load has those of
/// several queries. A panel is padded by zeros: with vectors of zeros to four, each with zeros to a multiple
/// of four.
inline constexpr size_t kPanelQueries = 4;

/// Floats of a panel.
constexpr size_t PanelSize(size_t dimension) {
  return (dimension + 3) / 4 * 4 * kPanelQueries;
}

class DotQueries {
 public:
  DotQueries() = default;
  /// @param most  vectors that are put there at most
  /// @throws OutOfMemory
  DotQueries(size_t most, size_t dimension);
  /// What that takes from the current pool.
  static size_t Bytes(size_t most, size_t dimension) {
    return (most + kPanelQueries - 1) / kPanelQueries * PanelSize(dimension) * sizeof(float);
  }

  void Put(size_t place, const float* vector);

  /// dots[r * count + q] = the dot product of row r with the query at place first + q, to the bit what
  /// DotScalar says.
  void DotsWith(const float* const* rows, size_t row_count, size_t first, size_t count, float* dots) const;

 private:
  size_t dimension_ = 0;
  PoolArray<float> panels_;
};

}  // namespace imgmill
