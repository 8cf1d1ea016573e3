// Dot products for the widest instruction set of the machine, chosen once at run time. This file is compiled
// without fused multiply-add: it would round otherwise than the plain loop does.
#include "similarity/dot_kernels.h"

#include "imgmill/similarity/cosine.h"

namespace imgmill {
namespace {

void DotsPlain(const float* const* rows, size_t row_count, const float* queries, size_t count, size_t n,
               float* dots) {
  AllDots<1, 2>(rows, row_count, queries, count, n, dots);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void DotsAvx2(const float* const* rows, size_t row_count,
                                              const float* queries, size_t count, size_t n, float* dots) {
  AllDots<2, 2>(rows, row_count, queries, count, n, dots);
}

__attribute__((target("avx512f"))) void DotsAvx512(const float* const* rows, size_t row_count,
                                                   const float* queries, size_t count, size_t n,
                                                   float* dots) {
  AllDots<4, 4>(rows, row_count, queries, count, n, dots);
}
#endif

DotKernels FindKernels() {
  DotKernels found{};
  found.kernels[found.count++] = {"plain", &DotsPlain};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) found.kernels[found.count++] = {"avx2", &DotsAvx2};
  if (__builtin_cpu_supports("avx512f")) found.kernels[found.count++] = {"avx512f", &DotsAvx512};
#endif
  return found;
}

}  // namespace

const DotKernels& AvailableDotKernels() {
  static const DotKernels found = FindKernels();
  return found;
}

float DotScalar(const float* a, const float* b, size_t n) {
  float sums[16] = {};
  for (size_t i = 0; i < n; ++i) {
    const float product = a[i] * b[i];
    sums[i % 16] += product;
  }
  for (size_t apart = 8; apart > 0; apart /= 2) {
    for (size_t i = 0; i < apart; ++i) sums[i] += sums[i + apart];
  }
  return sums[0];
}

void Dots(const float* const* rows, size_t row_count, const float* queries, size_t count, size_t n,
          float* dots) {
  static const DotsFn best = AvailableDotKernels().kernels[AvailableDotKernels().count - 1].dots;
  best(rows, row_count, queries, count, n, dots);
}

}  // namespace imgmill
