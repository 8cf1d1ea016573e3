// Each loop is written once, so plainly that the compiler can put it on vectors, and built for two
// instruction sets.
#include "signals/detail_kernels.h"

#include <algorithm>
#include <cstdlib>

#include "base/kernel_choice.h"
#include "signals/signal_kernels.h"

namespace imgmill {
namespace {

#define IMGMILL_INLINE __attribute__((always_inline)) inline

IMGMILL_INLINE uint32_t SaturationLoop(const int16_t* red, const int16_t* green, const int16_t* blue,
                                       size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const int16_t high = std::max(std::max(red[i], green[i]), blue[i]);
    const int16_t low = std::min(std::min(red[i], green[i]), blue[i]);
    const auto spread = static_cast<float>(255 * (high - low));
    // A quotient of whole numbers this small is never so near to a half that floats round it the wrong way.
    sum += static_cast<uint32_t>(
        static_cast<int32_t>(spread / static_cast<float>(std::max<int16_t>(high, 1)) + 0.5F));
  }
  return sum;
}

IMGMILL_INLINE uint32_t GradientsLoop(const uint8_t* above, const uint8_t* row, const uint8_t* below,
                                      size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto gx = static_cast<int16_t>((above[i + 2] + 2 * row[i + 2] + below[i + 2]) -
                                         (above[i] + 2 * row[i] + below[i]));
    const auto gy = static_cast<int16_t>((below[i] + 2 * below[i + 1] + below[i + 2]) -
                                         (above[i] + 2 * above[i + 1] + above[i + 2]));
    sum += static_cast<uint32_t>(gx * gx + gy * gy);
  }
  return sum;
}

// Counts in bytes first, which as many lanes hold as there are pixels in a vector.
template <typename Test>
IMGMILL_INLINE uint32_t CountWhere(size_t count, const Test& test) {
  uint32_t sum = 0;
  for (size_t from = 0; from < count; from += 128) {
    uint8_t few = 0;
    const size_t to = std::min(count, from + 128);
    for (size_t i = from; i < to; ++i) few = static_cast<uint8_t>(few + test(i));
    sum += few;
  }
  return sum;
}

IMGMILL_INLINE uint32_t ExtremaLoop(const uint8_t* before, const uint8_t* here, const uint8_t* after,
                                    size_t count) {
  return CountWhere(count, [&](size_t i) {
    const uint8_t low = std::min(before[i], after[i]);
    const uint8_t high = std::max(before[i], after[i]);
    return static_cast<uint8_t>((here[i] > high) | (here[i] < low));
  });
}

/// How much higher b is than a: 0 if it is lower.
IMGMILL_INLINE uint8_t Rise(uint8_t a, uint8_t b) {
  return static_cast<uint8_t>(std::max(a, b) - a);
}

// Bytes throughout, without a condition: a compiler makes no vectors of && here.
IMGMILL_INLINE uint32_t TeethLoop(const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d,
                                  size_t count) {
  return CountWhere(count, [&](size_t i) {
    const uint8_t up = std::min(std::min(Rise(a[i], b[i]), Rise(c[i], b[i])), Rise(c[i], d[i]));
    const uint8_t down = std::min(std::min(Rise(b[i], a[i]), Rise(b[i], c[i])), Rise(d[i], c[i]));
    const uint8_t step = std::max(up, down);
    const uint8_t apart =
        std::max(std::max(Rise(a[i], c[i]), Rise(c[i], a[i])), std::max(Rise(b[i], d[i]), Rise(d[i], b[i])));
    return static_cast<uint8_t>((step > kToothLevels) & (step / 2 >= apart));
  });
}

IMGMILL_INLINE void SmoothLoop(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t count,
                               int16_t* smoothed) {
  for (size_t i = 0; i < count; ++i) smoothed[i] = static_cast<int16_t>(above[i] + 2 * row[i] + below[i]);
}

/// Adds up, of one pixel, the step and what is lost of it when blurred, both times 11.
IMGMILL_INLINE void AddBlur(int16_t step, int16_t blurred, BlurPart& part) {
  const auto sharp = static_cast<int16_t>(11 * std::abs(step));
  const auto left = static_cast<int16_t>(std::abs(blurred));
  part.steps += static_cast<uint32_t>(sharp);
  part.lost += static_cast<uint32_t>(std::max(0, sharp - left));
}

IMGMILL_INLINE BlurPart BlurAlongLoop(const int16_t* smoothed, size_t count) {
  BlurPart part;
  for (size_t i = 0; i < count; ++i) {
    const int16_t* at = smoothed + i;
    const auto step = static_cast<int16_t>(at[7] - at[5]);
    const auto blurred = static_cast<int16_t>(at[12] + at[11] - at[1] - at[0]);
    AddBlur(step, blurred, part);
  }
  return part;
}

IMGMILL_INLINE BlurPart BlurDownLoop(const uint8_t* const* rows, size_t count) {
  int16_t steps[kKernelRun + 2], blurred[kKernelRun + 2];
  const uint8_t *top = rows[0], *second = rows[1], *above = rows[5], *below = rows[7],
                *last_but_one = rows[11], *last = rows[12];
  for (size_t i = 0; i < count + 2; ++i) {
    steps[i] = static_cast<int16_t>(below[i] - above[i]);
    blurred[i] = static_cast<int16_t>(last[i] + last_but_one[i] - second[i] - top[i]);
  }
  BlurPart part;
  for (size_t i = 0; i < count; ++i) {
    AddBlur(static_cast<int16_t>(steps[i] + 2 * steps[i + 1] + steps[i + 2]),
            static_cast<int16_t>(blurred[i] + 2 * blurred[i + 1] + blurred[i + 2]), part);
  }
  return part;
}

IMGMILL_INLINE LumaRange ExtremesLoop(const uint8_t* row, size_t count, uint8_t* low, uint8_t* high) {
  LumaRange range;
  for (size_t i = 0; i < count; ++i) {
    low[i] = std::min(low[i], row[i]);
    high[i] = std::max(high[i], row[i]);
    range.low = std::min(range.low, row[i]);
    range.high = std::max(range.high, row[i]);
  }
  return range;
}

/// A step that joins spectra of `half` values to ones of twice as many.
IMGMILL_INLINE void JoinSpectra(double* re, double* im, const double* turn_re, const double* turn_im,
                                size_t half) {
  for (size_t k = 0; k < half; ++k) {
    const double high_re = re[k + half] * turn_re[k] - im[k + half] * turn_im[k];
    const double high_im = re[k + half] * turn_im[k] + im[k + half] * turn_re[k];
    re[k + half] = re[k] - high_re;
    im[k + half] = im[k] - high_im;
    re[k] += high_re;
    im[k] += high_im;
  }
}

IMGMILL_INLINE void TransformLoop(const TransformTurns& turns, double* re, double* im) {
  for (size_t half = 1; half < kTransformSize; half *= 2) {
    for (size_t begin = 0; begin < kTransformSize; begin += 2 * half)
      JoinSpectra(re + begin, im + begin, turns.re.data() + half, turns.im.data() + half, half);
  }
}

// The loops with the attributes given, as a struct of plain functions.
#define IMGMILL_KERNELS(NAME, ATTRIBUTES)                                                                    \
  struct NAME {                                                                                              \
    ATTRIBUTES static uint32_t Saturation(const int16_t* r, const int16_t* g, const int16_t* b, size_t n) {  \
      return SaturationLoop(r, g, b, n);                                                                     \
    }                                                                                                        \
    ATTRIBUTES static uint32_t Gradients(const uint8_t* a, const uint8_t* r, const uint8_t* b, size_t n) {   \
      return GradientsLoop(a, r, b, n);                                                                      \
    }                                                                                                        \
    ATTRIBUTES static uint32_t Extrema(const uint8_t* a, const uint8_t* b, const uint8_t* c, size_t n) {     \
      return ExtremaLoop(a, b, c, n);                                                                        \
    }                                                                                                        \
    ATTRIBUTES static uint32_t Teeth(const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d, \
                                     size_t n) {                                                             \
      return TeethLoop(a, b, c, d, n);                                                                       \
    }                                                                                                        \
    ATTRIBUTES static void Smooth(const uint8_t* a, const uint8_t* r, const uint8_t* b, size_t n,            \
                                  int16_t* s) {                                                              \
      SmoothLoop(a, r, b, n, s);                                                                             \
    }                                                                                                        \
    ATTRIBUTES static BlurPart BlurAlong(const int16_t* s, size_t n) { return BlurAlongLoop(s, n); }         \
    ATTRIBUTES static BlurPart BlurDown(const uint8_t* const* rows, size_t n) {                              \
      return BlurDownLoop(rows, n);                                                                          \
    }                                                                                                        \
    ATTRIBUTES static void Transform(const TransformTurns& turns, double* re, double* im) {                  \
      TransformLoop(turns, re, im);                                                                          \
    }                                                                                                        \
    ATTRIBUTES static LumaRange Extremes(const uint8_t* row, size_t n, uint8_t* low, uint8_t* high) {        \
      return ExtremesLoop(row, n, low, high);                                                                \
    }                                                                                                        \
  }

IMGMILL_KERNELS(Plain, );
#if defined(__x86_64__)
IMGMILL_KERNELS(Avx2, __attribute__((target("avx2"))));
#else
using Avx2 = Plain;  // never chosen
#endif

template <typename K>
DetailKernels Table(std::string_view name) {
  return {name,       &K::Saturation, &K::Gradients, &K::Extrema,  &K::Teeth,
          &K::Smooth, &K::BlurAlong,  &K::BlurDown,  &K::Extremes, &K::Transform};
}

}  // namespace

const std::vector<DetailKernels>& AvailableDetailKernels() {
  static const std::vector<DetailKernels> kernels = PlainAndAvx2(&Table<Plain>, &Table<Avx2>);
  return kernels;
}

}  // namespace imgmill
