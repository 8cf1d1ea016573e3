// Row kernels in plain C++ and for AVX2: byte shuffles, and multiply-adds of 16-bit pairs.
#include "signals/row_kernels.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace imgmill {
namespace {

void SplitRgbScalar(const uint8_t* row, size_t width, int16_t* planes, size_t plane_stride) {
  for (size_t x = 0; x < width; ++x) {
    planes[x] = row[3 * x];
    planes[plane_stride + x] = row[3 * x + 1];
    planes[2 * plane_stride + x] = row[3 * x + 2];
  }
}

// All arithmetic is modulo 2^32: partial sums of very wide images may wrap, the whole sum fits again.
void TapSumsScalar(const int16_t* planes, size_t plane_stride, int bands, const int16_t* low,
                   const int16_t* high, size_t taps, uint32_t* sums) {
  for (int b = 0; b < bands; ++b) {
    uint32_t sum = 0;
    for (size_t i = 0; i < taps; ++i) {
      const int weight = high[i] * (1 << kLowWeightBits) + low[i];
      sum += static_cast<uint32_t>(planes[i] * weight);
    }
    sums[b] = sum;
    planes += plane_stride;
  }
}

#if defined(__x86_64__)

// Shuffles that pick one band of 8 pixels, as 16-bit values, out of 24 bytes: `first` from the bytes 0..15,
// `second` from the bytes 8..23. -1 gives zero.
struct BandShuffle {
  alignas(16) std::array<int8_t, 16> first;
  alignas(16) std::array<int8_t, 16> second;
};

constexpr BandShuffle MakeBandShuffle(int band) {
  BandShuffle shuffle{};
  for (int pixel = 0; pixel < 8; ++pixel) {
    const int byte = 3 * pixel + band;
    const auto i = static_cast<size_t>(2 * pixel);
    shuffle.first[i] = static_cast<int8_t>(byte < 16 ? byte : -1);
    shuffle.second[i] = static_cast<int8_t>(byte < 16 ? -1 : byte - 8);
    shuffle.first[i + 1] = shuffle.second[i + 1] = -1;
  }
  return shuffle;
}

/// 16 bytes, and the 16 that begin `apart` behind them.
__attribute__((target("avx2"), always_inline)) inline __m256i TwiceOf(const uint8_t* bytes, size_t apart) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + apart));
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

__attribute__((target("avx2"))) void SplitRgbAvx2(const uint8_t* row, size_t width, int16_t* planes,
                                                  size_t plane_stride) {
  static constexpr std::array<BandShuffle, 3> kShuffles = {MakeBandShuffle(0), MakeBandShuffle(1),
                                                           MakeBandShuffle(2)};
  __m256i first[3], second[3];
  for (size_t b = 0; b < 3; ++b) {
    first[b] = TwiceOf(reinterpret_cast<const uint8_t*>(kShuffles[b].first.data()), 0);
    second[b] = TwiceOf(reinterpret_cast<const uint8_t*>(kShuffles[b].second.data()), 0);
  }
  size_t x = 0;
  // Eight pixels in each half: a shuffle does not cross from one to the other.
  for (; x + 16 <= width; x += 16) {
    const __m256i begin = TwiceOf(row + 3 * x, 24);
    const __m256i end = TwiceOf(row + 3 * x + 8, 24);
    for (size_t b = 0; b < 3; ++b) {
      const __m256i values =
          _mm256_or_si256(_mm256_shuffle_epi8(begin, first[b]), _mm256_shuffle_epi8(end, second[b]));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(planes + b * plane_stride + x), values);
    }
  }
  SplitRgbScalar(row + 3 * x, width - x, planes + x, plane_stride);
}

__attribute__((target("avx2"), always_inline)) inline __m256i Load(const int16_t* values) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
}

__attribute__((target("avx2"), always_inline)) inline uint32_t Total(__m256i low, __m256i high) {
  const __m256i all = _mm256_add_epi32(_mm256_slli_epi32(high, kLowWeightBits), low);
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0b01001110));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0b10110001));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(sum));
}

// The bands together, so that each weight is loaded once.
template <size_t kBands>
__attribute__((target("avx2"), always_inline)) inline void TapSumsOf(const int16_t* planes,
                                                                     size_t plane_stride, const int16_t* low,
                                                                     const int16_t* high, size_t taps,
                                                                     uint32_t* sums) {
  __m256i low_sums[kBands], high_sums[kBands];
  for (size_t b = 0; b < kBands; ++b) low_sums[b] = high_sums[b] = _mm256_setzero_si256();
  for (size_t i = 0; i < taps; i += kTapGroup) {
    const __m256i low_weights = Load(low + i);
    const __m256i high_weights = Load(high + i);
    for (size_t b = 0; b < kBands; ++b) {
      const __m256i pixels = Load(planes + b * plane_stride + i);
      low_sums[b] = _mm256_add_epi32(low_sums[b], _mm256_madd_epi16(pixels, low_weights));
      high_sums[b] = _mm256_add_epi32(high_sums[b], _mm256_madd_epi16(pixels, high_weights));
    }
  }
  for (size_t b = 0; b < kBands; ++b) sums[b] = Total(low_sums[b], high_sums[b]);
}

__attribute__((target("avx2"))) void TapSumsAvx2(const int16_t* planes, size_t plane_stride, int bands,
                                                 const int16_t* low, const int16_t* high, size_t taps,
                                                 uint32_t* sums) {
  if (bands == 3) {
    TapSumsOf<3>(planes, plane_stride, low, high, taps, sums);
  } else {
    TapSumsOf<1>(planes, plane_stride, low, high, taps, sums);
  }
}

#endif

}  // namespace

const std::vector<RowKernels>& AvailableRowKernels() {
  static const std::vector<RowKernels> kernels = [] {
    std::vector<RowKernels> found = {{"scalar", &SplitRgbScalar, &TapSumsScalar}};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) found.push_back({"avx2", &SplitRgbAvx2, &TapSumsAvx2});
#endif
    return found;
  }();
  return kernels;
}

}  // namespace imgmill
