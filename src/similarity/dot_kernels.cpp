// Dot products for the widest instruction set of the machine, chosen once at run time. This file is compiled
// without fused multiply-add: it would round otherwise than the plain loop does.
#include "similarity/dot_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "imgmill/similarity/cosine.h"

namespace imgmill {
namespace {

void DotsPlain(const float* const* rows, size_t row_count, const float* queries, size_t count, size_t n,
               float* dots) {
  AllDots<1, 2>(rows, row_count, queries, count, n, dots);
}

#if defined(__x86_64__)
#define IMGMILL_AVX2 __attribute__((target("avx2"), always_inline)) inline

/// The 16 lanes' sums in two registers. The shared body's pieces of 64 bytes are kept in memory by GCC 12
/// where registers have 32; the additions here are the same, in the same order.
struct LanesAvx2 {
  __m256 low, high;
};

/// As AddLanes: 8 apart, 4 apart, 2, 1.
IMGMILL_AVX2 float AddLanesAvx2(const LanesAvx2& sums) {
  const __m256 eight = _mm256_add_ps(sums.low, sums.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/// Adds the products of 16 values, those of query q from queries + q * apart.
template <size_t kRows, size_t kQueries>
IMGMILL_AVX2 void AddProductsAvx2(const float* const (&rows)[kRows], const float* queries, size_t apart,
                                  LanesAvx2 (&sums)[kRows][kQueries]) {
  __m256 a[kRows];
  for (size_t r = 0; r < kRows; ++r) a[r] = _mm256_loadu_ps(rows[r]);
  for (size_t q = 0; q < kQueries; ++q) {
    const __m256 b = _mm256_loadu_ps(queries + q * apart);
    for (size_t r = 0; r < kRows; ++r) sums[r][q].low = _mm256_add_ps(sums[r][q].low, _mm256_mul_ps(a[r], b));
  }
  for (size_t r = 0; r < kRows; ++r) a[r] = _mm256_loadu_ps(rows[r] + 8);
  for (size_t q = 0; q < kQueries; ++q) {
    const __m256 b = _mm256_loadu_ps(queries + q * apart + 8);
    for (size_t r = 0; r < kRows; ++r)
      sums[r][q].high = _mm256_add_ps(sums[r][q].high, _mm256_mul_ps(a[r], b));
  }
}

/// As DotsOf. 2 x 3 sums are 12 of the 16 registers.
template <size_t kRows, size_t kQueries>
IMGMILL_AVX2 void DotsOfAvx2(const float* const* rows, const float* queries, size_t n, float* dots,
                             size_t row_of_dots) {
  LanesAvx2 sums[kRows][kQueries];
  for (auto& of_row : sums) {
    for (LanesAvx2& sum : of_row) sum = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  }
  const float* pieces[kRows];
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (size_t r = 0; r < kRows; ++r) pieces[r] = rows[r] + i;
    AddProductsAvx2<kRows, kQueries>(pieces, queries + i, n, sums);
  }
  if (i < n) {  // the rest, zeros behind it
    float row_rests[kRows][16] = {}, query_rests[kQueries][16] = {};
    for (size_t r = 0; r < kRows; ++r) {
      std::memcpy(row_rests[r], rows[r] + i, (n - i) * sizeof(float));
      pieces[r] = row_rests[r];
    }
    for (size_t q = 0; q < kQueries; ++q)
      std::memcpy(query_rests[q], queries + q * n + i, (n - i) * sizeof(float));
    AddProductsAvx2<kRows, kQueries>(pieces, query_rests[0], 16, sums);
  }
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t q = 0; q < kQueries; ++q) dots[r * row_of_dots + q] = AddLanesAvx2(sums[r][q]);
  }
}

/// As DotsOfQueries.
template <size_t kQueries>
IMGMILL_AVX2 void DotsOfQueriesAvx2(const float* const* rows, size_t row_count, const float* queries,
                                    size_t n, float* dots, size_t row_of_dots) {
  size_t r = 0;
  for (; r + 2 <= row_count; r += 2)
    DotsOfAvx2<2, kQueries>(rows + r, queries, n, dots + r * row_of_dots, row_of_dots);
  if (r < row_count) DotsOfAvx2<1, kQueries>(rows + r, queries, n, dots + r * row_of_dots, row_of_dots);
}

__attribute__((target("avx2"))) void DotsAvx2(const float* const* rows, size_t row_count,
                                              const float* queries, size_t count, size_t n, float* dots) {
  size_t q = 0;
  for (; q + 3 <= count; q += 3) DotsOfQueriesAvx2<3>(rows, row_count, queries + q * n, n, dots + q, count);
  for (; q < count; ++q) DotsOfQueriesAvx2<1>(rows, row_count, queries + q * n, n, dots + q, count);
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
