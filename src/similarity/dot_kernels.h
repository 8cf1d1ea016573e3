// The dot product's body, compiled once for each instruction set; the order of additions is the same in all.
#pragma once

#include <cstddef>
#include <cstring>

namespace imgmill {

/// 16 floats: one register of AVX-512, two of AVX2, four of SSE2 or NEON.
using Lanes = float __attribute__((vector_size(64)));

/// Adds the 16 sums pairwise: 8 apart, 4 apart, 2, 1.
__attribute__((always_inline)) inline float AddLanes(const Lanes& sums) {
  using Eight = float __attribute__((vector_size(32)));
  using Four = float __attribute__((vector_size(16)));
  Eight low, high;
  std::memcpy(&low, &sums, sizeof low);
  std::memcpy(&high, reinterpret_cast<const char*>(&sums) + sizeof low, sizeof high);
  low += high;
  Four left, right;
  std::memcpy(&left, &low, sizeof left);
  std::memcpy(&right, reinterpret_cast<const char*>(&low) + sizeof left, sizeof right);
  left += right;
  return (left[0] + left[2]) + (left[1] + left[3]);
}

/// The same of four, whose additions share registers.
__attribute__((always_inline)) inline void AddLanesOfFour(const Lanes* sums, float* dots) {
  Lanes pairs[2];  // eight lanes of each: those that were 8 apart are added
  for (size_t k = 0; k < 2; ++k) {
    const Lanes &a = sums[2 * k], &b = sums[2 * k + 1];
    pairs[k] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
               __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
  const Lanes &first = pairs[0], &second = pairs[1];
  // Four lanes of each, 4 apart; then 2, then 1.
  Lanes four =
      __builtin_shufflevector(first, second, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
      __builtin_shufflevector(first, second, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  four += __builtin_shufflevector(four, four, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  four += __builtin_shufflevector(four, four, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  for (size_t q = 0; q < 4; ++q) dots[q] = four[4 * q];
}

/// kRows x kQueries dot products at once, so that a piece that is loaded is used several times. As many as
/// the sums have room for in registers, beside a piece of each row and one of a query.
template <size_t kRows, size_t kQueries>
__attribute__((always_inline)) inline void DotsOf(const float* const* rows, const float* queries, size_t n,
                                                  float* dots, size_t row_of_dots) {
  Lanes sums[kRows][kQueries] = {};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    Lanes a[kRows];
    for (size_t r = 0; r < kRows; ++r) std::memcpy(&a[r], rows[r] + i, sizeof a[r]);
    for (size_t q = 0; q < kQueries; ++q) {
      Lanes b;
      std::memcpy(&b, queries + q * n + i, sizeof b);
      for (size_t r = 0; r < kRows; ++r) sums[r][q] += a[r] * b;
    }
  }
  if (i < n) {
    Lanes a[kRows] = {};
    for (size_t r = 0; r < kRows; ++r) std::memcpy(&a[r], rows[r] + i, (n - i) * sizeof(float));
    for (size_t q = 0; q < kQueries; ++q) {
      Lanes b = {};
      std::memcpy(&b, queries + q * n + i, (n - i) * sizeof(float));
      for (size_t r = 0; r < kRows; ++r) sums[r][q] += a[r] * b;
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    float* const to = dots + r * row_of_dots;
    if constexpr (kQueries == 4) {
      AddLanesOfFour(sums[r], to);
    } else {
      for (size_t q = 0; q < kQueries; ++q) to[q] = AddLanes(sums[r][q]);
    }
  }
}

template <size_t kRows, size_t kQueries>
__attribute__((always_inline)) inline void DotsOfQueries(const float* const* rows, size_t row_count,
                                                         const float* queries, size_t n, float* dots,
                                                         size_t row_of_dots) {
  size_t r = 0;
  for (; r + kRows <= row_count; r += kRows)
    DotsOf<kRows, kQueries>(rows + r, queries, n, dots + r * row_of_dots, row_of_dots);
  for (; r < row_count; ++r) DotsOf<1, kQueries>(rows + r, queries, n, dots + r * row_of_dots, row_of_dots);
}

/// A few queries with all rows, then the next few: the rows stay in the nearest cache.
template <size_t kRows, size_t kQueries>
__attribute__((always_inline)) inline void AllDots(const float* const* rows, size_t row_count,
                                                   const float* queries, size_t count, size_t n,
                                                   float* dots) {
  size_t q = 0;
  for (; q + kQueries <= count; q += kQueries)
    DotsOfQueries<kRows, kQueries>(rows, row_count, queries + q * n, n, dots + q, count);
  for (; q < count; ++q) DotsOfQueries<kRows, 1>(rows, row_count, queries + q * n, n, dots + q, count);
}

/// As Dots.
using DotsFn = void (*)(const float* const* rows, size_t row_count, const float* queries, size_t count,
                        size_t n, float* dots);

struct DotKernel {
  const char* name;
  DotsFn dots;
};

/// All that this machine can run: first the plainest, last the fastest. For tests.
struct DotKernels {
  DotKernel kernels[3];
  size_t count;
};
const DotKernels& AvailableDotKernels();

}  // namespace imgmill
