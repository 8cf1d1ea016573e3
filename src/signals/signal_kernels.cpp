// Each loop is written once, so plainly that the compiler can put it on vectors, and built for two
// instruction sets.
#include "signals/signal_kernels.h"

#include <algorithm>
#include <cstdlib>

#include "base/kernel_choice.h"

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

IMGMILL_INLINE uint32_t NoiseLoop(const uint8_t* above, const uint8_t* row, const uint8_t* below,
                                  size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto corners = static_cast<int16_t>(above[i] + above[i + 2] + below[i] + below[i + 2]);
    const auto edges = static_cast<int16_t>(above[i + 1] + below[i + 1] + row[i] + row[i + 2]);
    const auto value = static_cast<int16_t>(corners - 2 * edges + 4 * row[i + 1]);
    sum += static_cast<uint32_t>(std::abs(value));
  }
  return sum;
}

// The loops with the attributes given, as a struct of plain functions.
#define IMGMILL_KERNELS(NAME, ATTRIBUTES)                                                                 \
  struct NAME {                                                                                           \
    ATTRIBUTES static void Luma(const int16_t* r, const int16_t* g, const int16_t* b, size_t n,           \
                                uint8_t* l) {                                                             \
      LumaLoop(r, g, b, n, l);                                                                            \
    }                                                                                                     \
    ATTRIBUTES static ColourSums Colour(const int16_t* r, const int16_t* g, const int16_t* b, size_t n) { \
      return ColourLoop(r, g, b, n);                                                                      \
    }                                                                                                     \
    ATTRIBUTES static void ColumnSteps(const uint8_t* row, size_t n, uint16_t* columns) {                 \
      ColumnStepsLoop(row, n, columns);                                                                   \
    }                                                                                                     \
    ATTRIBUTES static uint32_t RowSteps(const uint8_t* above, const uint8_t* row, size_t n) {             \
      return RowStepsLoop(above, row, n);                                                                 \
    }                                                                                                     \
    ATTRIBUTES static LaplacianSums Laplacian(const uint8_t* above, const uint8_t* row,                   \
                                              const uint8_t* below, size_t n) {                           \
      return LaplacianLoop(above, row, below, n);                                                         \
    }                                                                                                     \
    ATTRIBUTES static uint32_t Noise(const uint8_t* above, const uint8_t* row, const uint8_t* below,      \
                                     size_t n) {                                                          \
      return NoiseLoop(above, row, below, n);                                                             \
    }                                                                                                     \
  }

IMGMILL_KERNELS(Plain, );
#if defined(__x86_64__)
IMGMILL_KERNELS(Avx2, __attribute__((target("avx2"))));
#else
using Avx2 = Plain;  // never chosen
#endif

template <typename K>
SignalKernels Table(std::string_view name) {
  return {name, &K::Luma, &K::Colour, &K::ColumnSteps, &K::RowSteps, &K::Laplacian, &K::Noise};
}

}  // namespace

const std::vector<SignalKernels>& AvailableSignalKernels() {
  static const std::vector<SignalKernels> kernels = PlainAndAvx2(&Table<Plain>, &Table<Avx2>);
  return kernels;
}

}  // namespace imgmill
