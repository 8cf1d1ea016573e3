// Queries are put into panels once, and then compared with many rows.
#include "similarity/dot_queries.h"

#include <algorithm>
#include <cmath>

#include "imgmill/similarity/cosine.h"
#include "similarity/dot_kernels.h"

namespace imgmill {

DotQueries::DotQueries(size_t most, size_t dimension)
    : dimension_(dimension), panels_(Bytes(most, dimension) / sizeof(float)) {
  panels_.Fill(0);
}

void DotQueries::Put(size_t place, const float* vector) {
  float* to = panels_.data() + place / kPanelQueries * PanelSize(dimension_) + place % kPanelQueries * 4;
  for (size_t i = 0; i < dimension_; i += 4, to += 4 * kPanelQueries)
    std::copy_n(vector + i, std::min<size_t>(4, dimension_ - i), to);
}

void DotQueries::DotsWith(const float* const* rows, size_t row_count, size_t first, size_t count,
                          float* dots) const {
  const float* const panels = panels_.data() + first / kPanelQueries * PanelSize(dimension_);
  BestDotKernel().dots(rows, row_count, panels, dimension_, first % kPanelQueries, count, dots);
}

float DotScalar(const float* a, const float* b, size_t n) {
  float sums[4] = {};
  for (size_t i = 0; i < n; ++i) sums[i % 4] = std::fma(a[i], b[i], sums[i % 4]);
  for (size_t i = n; i % 4 != 0; ++i) sums[i % 4] += 0.0f;
  return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

}  // namespace imgmill
