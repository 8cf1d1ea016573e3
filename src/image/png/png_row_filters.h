// PNG's five row filters, on vectors, and the choice among them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace imgmill {

enum class PngFilter : uint8_t { kNone, kSub, kUp, kAverage, kPaeth };
inline constexpr size_t kPngFilters = 5;

/// Bytes before each row that are read, and are zeros: a pixel has at most 8.
inline constexpr size_t kPngRowMargin = 8;

/// One implementation for one instruction set; all give the same bytes. `row` and `above` have a margin; the
/// first row's `above` is zeros.
struct PngRowKernels {
  std::string_view name;
  /// For each filter, the sum of what it leaves, taken as signed bytes without their signs: small where
  /// deflate will have little to do (PNG 1.2, section 9.6).
  std::array<uint64_t, kPngFilters> (*costs)(const uint8_t* row, const uint8_t* above, size_t bytes,
                                             size_t pixel_bytes);
  void (*filter)(PngFilter filter, const uint8_t* row, const uint8_t* above, size_t bytes, size_t pixel_bytes,
                 uint8_t* out);
};

/// All that this machine can run, for tests: first plain C++, last the fastest.
const std::vector<PngRowKernels>& AvailablePngRowKernels();
inline const PngRowKernels& BestPngRowKernels() {
  return AvailablePngRowKernels().back();
}

/// The filter whose cost is least; the simpler one of equals.
PngFilter ChoosePngFilter(const std::array<uint64_t, kPngFilters>& costs);

}  // namespace imgmill
