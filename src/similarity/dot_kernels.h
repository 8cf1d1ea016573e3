// The dot product's body, compiled once for each instruction set; the order of additions is the same in all.
#pragma once

#include <cstddef>
#include <cstring>

namespace imgmill {

/// 16 floats: one register of AVX-512, two of AVX2, four of SSE2 or NEON.
using Lanes = float __attribute__((vector_size(64)));

/// Adds the 16 sums pairwise: 8 apart, 4 apart, 2, 1.
__attribute__((always_inline)) inline float AddLanes(const Lanes& sums) {
  float lanes[16];
  std::memcpy(lanes, &sums, sizeof lanes);
  for (size_t apart = 8; apart > 0; apart /= 2) {
    for (size_t i = 0; i < apart; ++i) lanes[i] += lanes[i + apart];
  }
  return lanes[0];
}

/// `kQueries` dot products at once, so that a piece of the row is loaded once for all.
template <size_t kQueries>
__attribute__((always_inline)) inline void DotsOf(const float* row, const float* queries, size_t n,
                                                  float* dots) {
  Lanes sums[kQueries] = {};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    Lanes a;
    std::memcpy(&a, row + i, sizeof a);
    for (size_t q = 0; q < kQueries; ++q) {
      Lanes b;
      std::memcpy(&b, queries + q * n + i, sizeof b);
      sums[q] += a * b;
    }
  }
  if (i < n) {
    Lanes a = {};
    std::memcpy(&a, row + i, (n - i) * sizeof(float));
    for (size_t q = 0; q < kQueries; ++q) {
      Lanes b = {};
      std::memcpy(&b, queries + q * n + i, (n - i) * sizeof(float));
      sums[q] += a * b;
    }
  }
  for (size_t q = 0; q < kQueries; ++q) dots[q] = AddLanes(sums[q]);
}

__attribute__((always_inline)) inline void AllDots(const float* row, const float* queries, size_t count,
                                                   size_t n, float* dots) {
  size_t q = 0;
  for (; q + 4 <= count; q += 4) DotsOf<4>(row, queries + q * n, n, dots + q);
  for (; q < count; ++q) DotsOf<1>(row, queries + q * n, n, dots + q);
}

using DotsFn = void (*)(const float* row, const float* queries, size_t count, size_t n, float* dots);

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
