// Vectors that form groups.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "imgmill/similarity/cosine.h"

namespace imgmill {

/// Vectors of length 1 in clusters, so that there are near ones and far ones; some are equal.
struct Vectors {
  Vectors(size_t count, int dim, unsigned seed) : dimension(dim), values(count * static_cast<size_t>(dim)) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto n = static_cast<size_t>(dim);
    for (size_t i = 0; i < count; ++i) {
      float* row = &values[i * n];
      if (i % 7 == 3 && i > 3) {
        std::copy_n(&values[(i - 3) * n], n, row);
      } else if (i % 3 == 1) {
        for (size_t d = 0; d < n; ++d)
          row[d] = values[(i - 1) * n + d] + 0.1f * normal(random) / std::sqrt(static_cast<float>(n));
      } else {
        for (size_t d = 0; d < n; ++d) row[d] = normal(random);
      }
      double squares = 0;
      for (size_t d = 0; d < n; ++d) squares += static_cast<double>(row[d]) * static_cast<double>(row[d]);
      for (size_t d = 0; d < n; ++d)
        row[d] = static_cast<float>(static_cast<double>(row[d]) / std::sqrt(squares));
    }
  }
  size_t count() const { return values.size() / static_cast<size_t>(dimension); }
  VectorRows rows() const {
    return {dimension, [this](uint64_t first, uint64_t n, const auto& see) -> Status {
              REQUIRE(first + n <= count());
              see(&values[first * static_cast<size_t>(dimension)]);
              return {};
            }};
  }
  int dimension;
  std::vector<float> values;
};

}  // namespace imgmill
