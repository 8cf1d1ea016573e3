// Each loop is written once, so plainly that the compiler can put it on vectors, and built for two
// instruction sets.
#include "signals/signal_kernels.h"

#include <algorithm>
#include <cstdlib>

#include "base/kernel_choice.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace imgmill {
namespace {

#define IMGMILL_INLINE __attribute__((always_inline)) inline

// The weights are those of Luma() in luma.h.
IMGMILL_INLINE void LumaLoop(const int16_t* red, const int16_t* green, const int16_t* blue, size_t count,
                             uint8_t* luma) {
  for (size_t i = 0; i < count; ++i) {
    luma[i] = static_cast<uint8_t>((red[i] * 19595 + green[i] * 38470 + blue[i] * 7471 + 0x8000) >> 16);
  }
}

IMGMILL_INLINE ColourSums ColourLoop(const int16_t* red, const int16_t* green, const int16_t* blue,
                                     size_t count) {
  ColourSums sums;
  int16_t spread = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto rg = static_cast<int16_t>(red[i] - green[i]);
    const auto yb2 = static_cast<int16_t>(red[i] + green[i] - 2 * blue[i]);
    sums.rg += rg;
    sums.rg_squares += rg * rg;
    sums.yb2 += yb2;
    sums.yb2_squares += yb2 * yb2;
    const int16_t high = std::max(std::max(red[i], green[i]), blue[i]);
    const int16_t low = std::min(std::min(red[i], green[i]), blue[i]);
    spread = std::max(spread, static_cast<int16_t>(high - low));
  }
  sums.spread = spread;
  return sums;
}

IMGMILL_INLINE ColourBends BendsLoop(const int16_t* red, const int16_t* green, const int16_t* blue,
                                     size_t count) {
  int16_t rg[kKernelRun], yb2[kKernelRun];
  for (size_t i = 0; i < count; ++i) {
    rg[i] = static_cast<int16_t>(red[i] - green[i]);
    yb2[i] = static_cast<int16_t>(red[i] + green[i] - 2 * blue[i]);
  }
  ColourBends sums;
  for (size_t i = 0; i + 2 < count; ++i) {
    const auto of_rg = static_cast<int16_t>(rg[i] - 2 * rg[i + 1] + rg[i + 2]);
    const auto of_yb2 = static_cast<int16_t>(yb2[i] - 2 * yb2[i + 1] + yb2[i + 2]);
    sums.rg += static_cast<uint32_t>(of_rg * of_rg);
    sums.yb2 += static_cast<uint32_t>(of_yb2 * of_yb2);
  }
  return sums;
}

IMGMILL_INLINE void AddPlaneLoop(const int16_t* plane, size_t count, uint16_t* sums) {
  for (size_t i = 0; i < count; ++i)
    sums[i] = static_cast<uint16_t>(sums[i] + static_cast<uint16_t>(plane[i]));
}

IMGMILL_INLINE void ColumnStepsLoop(const uint8_t* row, size_t count, uint16_t* columns) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t high = std::max(row[i + 1], row[i]);
    const uint8_t low = std::min(row[i + 1], row[i]);
    columns[i] = static_cast<uint16_t>(columns[i] + (high - low));
  }
}

IMGMILL_INLINE uint32_t RowStepsLoop(const uint8_t* above, const uint8_t* row, size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<uint32_t>(std::abs(row[i] - above[i]));
  return sum;
}

IMGMILL_INLINE LaplacianSums LaplacianLoop(const uint8_t* above, const uint8_t* row, const uint8_t* below,
                                           size_t count) {
  LaplacianSums sums;
  for (size_t i = 0; i < count; ++i) {
    const auto value =
        static_cast<int16_t>(above[i + 1] + below[i + 1] + row[i] + row[i + 2] - 4 * row[i + 1]);
    sums.sum += value;
    sums.squares += value * value;
  }
  return sums;
}

// A loop for each sum, as bytes and words do not share a vector.
IMGMILL_INLINE void NoiseLoop(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t count,
                              uint16_t* mask, uint16_t* slope, uint8_t* clipped) {
  for (size_t i = 0; i < count; ++i) {
    const auto corners = static_cast<int16_t>(above[i] + above[i + 2] + below[i] + below[i + 2]);
    const auto edges = static_cast<int16_t>(above[i + 1] + below[i + 1] + row[i] + row[i + 2]);
    const auto value = static_cast<int16_t>(corners - 2 * edges + 4 * row[i + 1]);
    mask[i] = static_cast<uint16_t>(mask[i] + std::abs(value));
    slope[i] = static_cast<uint16_t>(slope[i] + std::abs(row[i + 2] - row[i]));
  }
  for (size_t i = 0; i < count; ++i) {
    const auto above_black = static_cast<uint8_t>(row[i + 1] + 2);  // 254 and 255 become 0 and 1
    clipped[i] = static_cast<uint8_t>(clipped[i] + (above_black < 4));
  }
}

// The loops with the attributes given, as a struct of plain functions.
#define IMGMILL_KERNELS(NAME, ATTRIBUTES)                                                                  \
  struct NAME {                                                                                            \
    ATTRIBUTES static void Luma(const int16_t* r, const int16_t* g, const int16_t* b, size_t n,            \
                                uint8_t* l) {                                                              \
      LumaLoop(r, g, b, n, l);                                                                             \
    }                                                                                                      \
    ATTRIBUTES static ColourSums Colour(const int16_t* r, const int16_t* g, const int16_t* b, size_t n) {  \
      return ColourLoop(r, g, b, n);                                                                       \
    }                                                                                                      \
    ATTRIBUTES static void ColumnSteps(const uint8_t* row, size_t n, uint16_t* columns) {                  \
      ColumnStepsLoop(row, n, columns);                                                                    \
    }                                                                                                      \
    ATTRIBUTES static uint32_t RowSteps(const uint8_t* above, const uint8_t* row, size_t n) {              \
      return RowStepsLoop(above, row, n);                                                                  \
    }                                                                                                      \
    ATTRIBUTES static LaplacianSums Laplacian(const uint8_t* above, const uint8_t* row,                    \
                                              const uint8_t* below, size_t n) {                            \
      return LaplacianLoop(above, row, below, n);                                                          \
    }                                                                                                      \
    ATTRIBUTES static void Noise(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t n, \
                                 uint16_t* mask, uint16_t* slope, uint8_t* clipped) {                      \
      NoiseLoop(above, row, below, n, mask, slope, clipped);                                               \
    }                                                                                                      \
    ATTRIBUTES static ColourBends Bends(const int16_t* r, const int16_t* g, const int16_t* b, size_t n) {  \
      return BendsLoop(r, g, b, n);                                                                        \
    }                                                                                                      \
    ATTRIBUTES static void AddPlane(const int16_t* plane, size_t n, uint16_t* sums) {                      \
      AddPlaneLoop(plane, n, sums);                                                                        \
    }                                                                                                      \
  }

IMGMILL_KERNELS(Plain, );
#if defined(__x86_64__)
IMGMILL_KERNELS(Avx2Loops, __attribute__((target("avx2"))));

/// Weights of a pair of 16-bit values.
__attribute__((target("avx2"), always_inline)) inline __m256i Weights(int16_t first, int16_t second) {
  return _mm256_set1_epi32(first | second << 16);
}

__attribute__((target("avx2"), always_inline)) inline __m256i LumaOfPairs(__m256i red_green,
                                                                          __m256i green_blue) {
  const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(red_green, Weights(19595, 19235)),
                                       _mm256_madd_epi16(green_blue, Weights(19235, 7471)));
  return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(0x8000)), 16);
}

struct Avx2 : Avx2Loops {
  // The weight of green, 38470, is beyond 16 bits, so the compiler multiplies in 32, which takes twice as
  // long. It is 19235 twice, once in each pair.
  __attribute__((target("avx2"))) static void Luma(const int16_t* red, const int16_t* green,
                                                   const int16_t* blue, size_t count, uint8_t* luma) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
      const __m256i r = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(red + i));
      const __m256i g = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(green + i));
      const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(blue + i));
      const __m256i low = LumaOfPairs(_mm256_unpacklo_epi16(r, g), _mm256_unpacklo_epi16(g, b));
      const __m256i high = LumaOfPairs(_mm256_unpackhi_epi16(r, g), _mm256_unpackhi_epi16(g, b));
      const __m256i words = _mm256_packs_epi32(low, high);  // each half in its own order again
      const __m128i bytes =
          _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(luma + i), bytes);
    }
    LumaLoop(red + i, green + i, blue + i, count - i, luma + i);
  }
};
#else
using Avx2 = Plain;  // never chosen
#endif

template <typename K>
SignalKernels Table(std::string_view name) {
  return {name,         &K::Luma,      &K::Colour, &K::Bends,   &K::ColumnSteps,
          &K::RowSteps, &K::Laplacian, &K::Noise,  &K::AddPlane};
}

}  // namespace

const std::vector<SignalKernels>& AvailableSignalKernels() {
  static const std::vector<SignalKernels> kernels = PlainAndAvx2(&Table<Plain>, &Table<Avx2>);
  return kernels;
}

}  // namespace imgmill
