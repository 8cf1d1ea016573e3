// Sums over cells, written plainly; and, for a processor that can, two cells at once in a vector of bytes.
#include "signals/text_kernels.h"

#include <algorithm>
#include <cstdlib>

#include "base/kernel_choice.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace imgmill {
namespace {

struct Plain {
  static void AddPixel(const uint8_t* const* rows, size_t y, size_t x, TextCell& cell) {
    const uint8_t* row = rows[y];
    const int here = row[x];
    int32_t* sum = cell.strokes.data();
    const auto add_stroke = [&](int before, int after) {
      *sum++ += std::max(0, std::min(before, after) - here);
      *sum++ += std::max(0, here - std::max(before, after));
    };
    for (const size_t reach : kStrokeReaches) add_stroke(*(row + x - reach), row[x + reach]);
    for (const size_t reach : kStrokeReaches) add_stroke(rows[y - reach][x], rows[y + reach][x]);
    const int along = std::abs(row[x + 1] - here), down = std::abs(rows[y + 1][x] - here);
    *sum++ += along;
    *sum++ += down;
    cell.flat += std::max(along, down) <= kFlatStep;
    cell.low = std::min(cell.low, here);
    cell.high = std::max(cell.high, here);
  }

  static void Cells(const uint8_t* const* rows, size_t count, TextCell* found) {
    for (size_t i = 0; i < count; ++i) {
      TextCell cell;
      const auto for_pixels = [&](const auto& each) {
        for (size_t y = kTextReach; y < kTextReach + kTextCell; ++y) {
          for (size_t x = i * kTextCell; x < (i + 1) * kTextCell; ++x) each(y, x);
        }
      };
      for_pixels([&](size_t y, size_t x) { AddPixel(rows, y, x, cell); });
      const int near = (cell.high - cell.low) / kNearPart;
      for_pixels([&](size_t y, size_t x) {
        cell.near_low += rows[y][x] <= cell.low + near;
        cell.near_high += rows[y][x] >= cell.high - near;
      });
      found[i] = cell;
    }
  }

  static void Layer(const TextLayer& layer, const float* const* taken, size_t count, float* const* given) {
    for (size_t o = 0; o < layer.given; ++o) {
      for (size_t c = 0; c < count; ++c) {
        float sum = layer.bias[o];
        for (size_t i = 0; i < layer.taken; ++i) sum += taken[i][c] * layer.weights[i * layer.given + o];
        given[o][c] = layer.rectified ? std::max(sum, 0.0F) : sum;
      }
    }
  }

  static void Halve(const uint8_t* above, const uint8_t* row, size_t count, uint8_t* halved) {
    for (size_t i = 0; i < count; ++i) {
      const int sum = above[2 * i] + above[2 * i + 1] + row[2 * i] + row[2 * i + 1];
      halved[i] = static_cast<uint8_t>((sum + 2) >> 2);
    }
  }
};

#if defined(__x86_64__)
#define IMGMILL_AVX2 __attribute__((target("avx2"), always_inline)) inline

IMGMILL_AVX2 __m256i Load(const uint8_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

/// Adds up the bytes of each half in its two 64-bit lanes.
IMGMILL_AVX2 void Accumulate(__m256i bytes, __m256i& sums) {
  sums = _mm256_add_epi64(sums, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
}

IMGMILL_AVX2 int32_t HalfOf(__m256i sums, int half) {
  const __m128i lanes = half == 0 ? _mm256_castsi256_si128(sums) : _mm256_extracti128_si256(sums, 1);
  return static_cast<int32_t>(_mm_cvtsi128_si64(lanes) + _mm_extract_epi64(lanes, 1));
}

IMGMILL_AVX2 __m256i Distance(__m256i a, __m256i b) {
  return _mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a));
}

/// 1 in each byte of a that is at most that of b.
IMGMILL_AVX2 __m256i AtMost(__m256i a, __m256i b) {
  return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(a, b), a), _mm256_set1_epi8(1));
}

struct Avx2 {
  /// Of the pixels of two cells that start at column x: those `down` rows and `along` columns to both sides.
  IMGMILL_AVX2 static void AddStrokes(const uint8_t* const* rows, size_t x, size_t down, size_t along,
                                      TextCell* found, size_t at) {
    __m256i darker = _mm256_setzero_si256(), lighter = darker;
    for (size_t y = kTextReach; y < kTextReach + kTextCell; ++y) {
      const __m256i here = Load(rows[y] + x);
      const __m256i before = Load(rows[y - down] + x - along), after = Load(rows[y + down] + x + along);
      Accumulate(_mm256_subs_epu8(_mm256_min_epu8(before, after), here), darker);
      Accumulate(_mm256_subs_epu8(here, _mm256_max_epu8(before, after)), lighter);
    }
    for (int half = 0; half < 2; ++half) {
      found[half].strokes[at] = HalfOf(darker, half);
      found[half].strokes[at + 1] = HalfOf(lighter, half);
    }
  }

  IMGMILL_AVX2 static void AddSteps(const uint8_t* const* rows, size_t x, TextCell* found) {
    __m256i along = _mm256_setzero_si256(), down = along, flat = along;
    for (size_t y = kTextReach; y < kTextReach + kTextCell; ++y) {
      const __m256i here = Load(rows[y] + x);
      const __m256i right = Distance(here, Load(rows[y] + x + 1));
      const __m256i under = Distance(here, Load(rows[y + 1] + x));
      Accumulate(right, along);
      Accumulate(under, down);
      Accumulate(AtMost(_mm256_max_epu8(right, under), _mm256_set1_epi8(kFlatStep)), flat);
    }
    for (int half = 0; half < 2; ++half) {
      found[half].strokes[kStrokeSums - 2] = HalfOf(along, half);
      found[half].strokes[kStrokeSums - 1] = HalfOf(down, half);
      found[half].flat = HalfOf(flat, half);
    }
  }

  IMGMILL_AVX2 static void FindLevels(const uint8_t* const* rows, size_t x, TextCell* found) {
    __m256i low = _mm256_set1_epi8(-1), high = _mm256_setzero_si256();
    for (size_t y = kTextReach; y < kTextReach + kTextCell; ++y) {
      low = _mm256_min_epu8(low, Load(rows[y] + x));
      high = _mm256_max_epu8(high, Load(rows[y] + x));
    }
    alignas(32) uint8_t lows[2 * kTextCell], highs[2 * kTextCell];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lows), low);
    _mm256_store_si256(reinterpret_cast<__m256i*>(highs), high);
    for (size_t half = 0; half < 2; ++half) {
      TextCell& cell = found[half];
      uint8_t* from = lows + half * kTextCell;
      uint8_t* to = highs + half * kTextCell;
      cell.low = *std::min_element(from, from + kTextCell);
      cell.high = *std::max_element(to, to + kTextCell);
      const int near = (cell.high - cell.low) / kNearPart;
      std::fill_n(from, kTextCell, static_cast<uint8_t>(cell.low + near));
      std::fill_n(to, kTextCell, static_cast<uint8_t>(cell.high - near));
    }
    const __m256i near_low = Load(lows), near_high = Load(highs);
    __m256i dark = _mm256_setzero_si256(), bright = dark;
    for (size_t y = kTextReach; y < kTextReach + kTextCell; ++y) {
      const __m256i here = Load(rows[y] + x);
      Accumulate(AtMost(here, near_low), dark);
      Accumulate(AtMost(near_high, here), bright);
    }
    for (int half = 0; half < 2; ++half) {
      found[half].near_low = HalfOf(dark, half);
      found[half].near_high = HalfOf(bright, half);
    }
  }

  __attribute__((target("avx2"))) static void Cells(const uint8_t* const* rows, size_t count,
                                                    TextCell* found) {
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
      const size_t x = i * kTextCell;
      size_t at = 0;
      for (const size_t reach : kStrokeReaches) AddStrokes(rows, x, 0, reach, found + i, 2 * at++);
      for (const size_t reach : kStrokeReaches) AddStrokes(rows, x, reach, 0, found + i, 2 * at++);
      AddSteps(rows, x, found + i);
      FindLevels(rows, x, found + i);
    }
    if (i == count) return;
    const uint8_t* rest[kTextRows];
    for (size_t y = 0; y < kTextRows; ++y) rest[y] = rows[y] + i * kTextCell;
    Plain::Cells(rest, 1, found + i);
  }

  /// Eight cells from c on, and `Given` values of each from o on.
  template <size_t Given>
  IMGMILL_AVX2 static void LayerPart(const TextLayer& layer, const float* const* taken, size_t c, size_t o,
                                     float* const* given) {
    __m256 sums[Given];
    for (size_t k = 0; k < Given; ++k) sums[k] = _mm256_set1_ps(layer.bias[o + k]);
    for (size_t i = 0; i < layer.taken; ++i) {
      const __m256 values = _mm256_loadu_ps(taken[i] + c);
      const float* weights = layer.weights + i * layer.given + o;
      for (size_t k = 0; k < Given; ++k)
        sums[k] = _mm256_add_ps(sums[k], _mm256_mul_ps(values, _mm256_set1_ps(weights[k])));
    }
    for (size_t k = 0; k < Given; ++k) {
      const __m256 sum = layer.rectified ? _mm256_max_ps(sums[k], _mm256_setzero_ps()) : sums[k];
      _mm256_storeu_ps(given[o + k] + c, sum);
    }
  }

  __attribute__((target("avx2"))) static void Layer(const TextLayer& layer, const float* const* taken,
                                                    size_t count, float* const* given) {
    for (size_t c = 0; c < count; c += 8) {
      size_t o = 0;
      for (; o + 4 <= layer.given; o += 4) LayerPart<4>(layer, taken, c, o, given);
      for (; o < layer.given; ++o) LayerPart<1>(layer, taken, c, o, given);
    }
  }

  __attribute__((target("avx2"))) static void Halve(const uint8_t* above, const uint8_t* row, size_t count,
                                                    uint8_t* halved) {
    const __m256i ones = _mm256_set1_epi8(1), two = _mm256_set1_epi16(2);
    const auto sums = [&](size_t x) __attribute__((target("avx2"))) {
      const __m256i sum = _mm256_add_epi16(_mm256_maddubs_epi16(Load(above + x), ones),
                                           _mm256_maddubs_epi16(Load(row + x), ones));
      return _mm256_srli_epi16(_mm256_add_epi16(sum, two), 2);
    };
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
      const __m256i bytes = _mm256_packus_epi16(sums(2 * i), sums(2 * i + 32));  // in turn by halves
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(halved + i), _mm256_permute4x64_epi64(bytes, 0xD8));
    }
    Plain::Halve(above + 2 * i, row + 2 * i, count - i, halved + i);
  }
};
#else
using Avx2 = Plain;  // never chosen
#endif

template <typename K>
TextKernels Table(std::string_view name) {
  return {name, &K::Cells, &K::Layer, &K::Halve};
}

}  // namespace

const std::vector<TextKernels>& AvailableTextKernels() {
  static const std::vector<TextKernels> kernels = PlainAndAvx2(&Table<Plain>, &Table<Avx2>);
  return kernels;
}

}  // namespace imgmill
