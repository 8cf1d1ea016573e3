// Each loop is written once, on vectors, and built for two instruction sets.
#include "png_row_filters.h"

#include <algorithm>
#include <cstring>

#include "base/kernel_choice.h"

namespace imgmill {
namespace {

#define IMGMILL_INLINE __attribute__((always_inline)) inline

/// Written for vectors of any size.
template <size_t kLanes>
struct Loops {
  typedef uint8_t Bytes __attribute__((vector_size(kLanes)));
  typedef uint16_t Words __attribute__((vector_size(kLanes)));

  IMGMILL_INLINE static Bytes Load(const uint8_t* from) {
    Bytes values;
    __builtin_memcpy(&values, from, sizeof values);
    return values;
  }

  /// The rest of a row, with zeros behind.
  IMGMILL_INLINE static Bytes LoadPart(const uint8_t* from, size_t bytes) {
    Bytes values{};
    std::memcpy(&values, from, bytes);
    return values;
  }

  IMGMILL_INLINE static Bytes Distance(const Bytes& a, const Bytes& b) { return a > b ? a - b : b - a; }

  /// What is left, above, and left of that: the neighbours that a pixel is predicted from.
  struct Neighbours {
    Bytes left, above, corner;
  };

  IMGMILL_INLINE static Bytes Mean(const Neighbours& n) {  // rounded down, without a ninth bit
    return (n.left & n.above) + ((n.left ^ n.above) >> 1);
  }

  /// With p = left + above - corner: |p - left| is |above - corner|, |p - above| is |left - corner|, and
  /// |p - corner| is their sum where both differences have one sign, so that corner is never nearest, and
  /// otherwise their difference.
  IMGMILL_INLINE static Bytes Paeth(const Neighbours& n) {
    const Bytes to_left = Distance(n.above, n.corner);
    const Bytes to_above = Distance(n.left, n.corner);
    const Bytes to_corner = Distance(to_left, to_above);
    const auto one_sign = (n.above >= n.corner) == (n.left >= n.corner);
    const auto left = (to_left <= to_above) & (one_sign | (to_left <= to_corner));
    const auto above = one_sign | (to_above <= to_corner);
    return left ? n.left : (above ? n.above : n.corner);
  }

  template <PngFilter filter>
  IMGMILL_INLINE static Bytes Left(const Bytes& here, const Neighbours& n) {
    if constexpr (filter == PngFilter::kSub) return here - n.left;
    if constexpr (filter == PngFilter::kUp) return here - n.above;
    if constexpr (filter == PngFilter::kAverage) return here - Mean(n);
    if constexpr (filter == PngFilter::kPaeth) return here - Paeth(n);
    return here;
  }

  IMGMILL_INLINE static void Add(Words& sum, const Bytes& left) {
    const Bytes turned = -left;
    const Bytes size = left < turned ? left : turned;
    Words words;
    __builtin_memcpy(&words, &size, sizeof words);
    sum += (words & 0xFF) + (words >> 8);
  }

  /// For each filter.
  struct Sums {
    Words of[kPngFilters] = {};
    IMGMILL_INLINE void Take(const Bytes& here, const Neighbours& n) {
      Add(of[0], here);
      Add(of[1], Left<PngFilter::kSub>(here, n));
      Add(of[2], Left<PngFilter::kUp>(here, n));
      Add(of[3], Left<PngFilter::kAverage>(here, n));
      Add(of[4], Left<PngFilter::kPaeth>(here, n));
    }
  };

  IMGMILL_INLINE static uint64_t Total(const Words& sums) {
    std::array<uint16_t, kLanes / 2> each;
    std::memcpy(each.data(), &sums, sizeof sums);
    uint64_t total = 0;
    for (const uint16_t sum : each) total += sum;
    return total;
  }

  IMGMILL_INLINE static std::array<uint64_t, kPngFilters> CostsLoop(const uint8_t* row, const uint8_t* above,
                                                                    size_t bytes, size_t pixel_bytes) {
    constexpr size_t kSteps = 255;  // a step adds at most 256 to a sum of 16 bits
    std::array<uint64_t, kPngFilters> costs{};
    for (size_t i = 0; i < bytes;) {
      Sums sums;
      const size_t stop = std::min(bytes, i + kSteps * kLanes);
      for (; i + kLanes <= stop; i += kLanes)
        sums.Take(Load(row + i),
                  {Load(row + i - pixel_bytes), Load(above + i), Load(above + i - pixel_bytes)});
      if (i < stop) {
        const size_t rest = bytes - i;
        sums.Take(LoadPart(row + i, rest), {LoadPart(row + i - pixel_bytes, rest), LoadPart(above + i, rest),
                                            LoadPart(above + i - pixel_bytes, rest)});
        i = bytes;
      }
      for (size_t f = 0; f < kPngFilters; ++f) costs[f] += Total(sums.of[f]);
    }
    return costs;
  }

  template <PngFilter filter>
  IMGMILL_INLINE static void FilterLoop(const uint8_t* row, const uint8_t* above, size_t bytes,
                                        size_t pixel_bytes, uint8_t* out) {
    size_t i = 0;
    for (; i + kLanes <= bytes; i += kLanes) {
      const Bytes left = Left<filter>(
          Load(row + i), {Load(row + i - pixel_bytes), Load(above + i), Load(above + i - pixel_bytes)});
      __builtin_memcpy(out + i, &left, sizeof left);
    }
    if (i == bytes) return;
    const size_t rest = bytes - i;
    const Bytes left = Left<filter>(LoadPart(row + i, rest),
                                    {LoadPart(row + i - pixel_bytes, rest), LoadPart(above + i, rest),
                                     LoadPart(above + i - pixel_bytes, rest)});
    std::memcpy(out + i, &left, rest);
  }

  IMGMILL_INLINE static void AnyFilterLoop(PngFilter filter, const uint8_t* row, const uint8_t* above,
                                           size_t bytes, size_t pixel_bytes, uint8_t* out) {
    switch (filter) {
      case PngFilter::kNone:
        return FilterLoop<PngFilter::kNone>(row, above, bytes, pixel_bytes, out);
      case PngFilter::kSub:
        return FilterLoop<PngFilter::kSub>(row, above, bytes, pixel_bytes, out);
      case PngFilter::kUp:
        return FilterLoop<PngFilter::kUp>(row, above, bytes, pixel_bytes, out);
      case PngFilter::kAverage:
        return FilterLoop<PngFilter::kAverage>(row, above, bytes, pixel_bytes, out);
      case PngFilter::kPaeth:
        return FilterLoop<PngFilter::kPaeth>(row, above, bytes, pixel_bytes, out);
    }
  }
};

// The loops with the attributes given, as a struct of plain functions.
#define IMGMILL_KERNELS(NAME, LANES, ATTRIBUTES)                                                            \
  struct NAME {                                                                                             \
    ATTRIBUTES static std::array<uint64_t, kPngFilters> Costs(const uint8_t* row, const uint8_t* above,     \
                                                              size_t bytes, size_t pixel_bytes) {           \
      return Loops<LANES>::CostsLoop(row, above, bytes, pixel_bytes);                                       \
    }                                                                                                       \
    ATTRIBUTES static void Filter(PngFilter filter, const uint8_t* row, const uint8_t* above, size_t bytes, \
                                  size_t pixel_bytes, uint8_t* out) {                                       \
      Loops<LANES>::AnyFilterLoop(filter, row, above, bytes, pixel_bytes, out);                             \
    }                                                                                                       \
  }

IMGMILL_KERNELS(Plain, 16, );
#if defined(__x86_64__)
IMGMILL_KERNELS(Avx2, 32, __attribute__((target("avx2"))));
#else
using Avx2 = Plain;  // never chosen
#endif

template <typename K>
PngRowKernels Table(std::string_view name) {
  return {name, &K::Costs, &K::Filter};
}

}  // namespace

const std::vector<PngRowKernels>& AvailablePngRowKernels() {
  static const std::vector<PngRowKernels> kernels = PlainAndAvx2(&Table<Plain>, &Table<Avx2>);
  return kernels;
}

PngFilter ChoosePngFilter(const std::array<uint64_t, kPngFilters>& costs) {
  return static_cast<PngFilter>(std::min_element(costs.begin(), costs.end()) - costs.begin());
}

}  // namespace imgmill
