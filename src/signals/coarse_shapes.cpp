// The cosine transform of an image of 32x32, and how many of its lowest coefficients are more than rounding.
#include "imgmill/signals/coarse_shapes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "signals/dct32.h"
#include "signals/luma.h"
#include "signals/small_resize.h"

namespace imgmill {
namespace {

constexpr size_t kSide = 32;
constexpr size_t kLow = 8;
/// In levels of luma, from the middle of a wave to its top. Re-encoding moves them by less.
constexpr double kLeastStrength = 1;

}  // namespace

struct CoarseShapes::Impl {
  explicit Impl(const Layout& layout)
      : bands(layout.bands), resize(layout, kSide, kSide, ResizeFilter::kTriangle) {}
  int bands;
  SmallResize resize;
};

CoarseShapes::CoarseShapes(const Layout& layout) : impl_(new Impl(layout)) {}
CoarseShapes::~CoarseShapes() = default;

void CoarseShapes::Add(const ImageView& rows) {
  impl_->resize.Add(rows);
}

int CoarseShapes::Finish() {
  const uint8_t* small = impl_->resize.Finish();
  const auto luma = [&](size_t i) {
    return impl_->bands == 1 ? small[i] : Luma(small[3 * i], small[3 * i + 1], small[3 * i + 2]);
  };
  std::array<std::array<double, kSide>, kLow> across;  // [frequency][row]
  std::array<double, kSide> line;
  for (size_t y = 0; y < kSide; ++y) {
    for (size_t x = 0; x < kSide; ++x) line[x] = luma(y * kSide + x);
    Dct32(line);
    for (size_t u = 0; u < kLow; ++u) across[u][y] = line[u];
  }
  int shapes = 0;
  for (size_t u = 0; u < kLow; ++u) {
    Dct32(across[u]);
    for (size_t v = 0; v < kLow; ++v) {
      if (u == 0 && v == 0) continue;
      // Dct32 gives twice the sum in each direction; a wave of strength 1 has a sum of half the samples.
      const double halves = (u == 0 ? 2 : 1) * (v == 0 ? 2 : 1);
      if (std::abs(across[u][v]) / (kSide * kSide * halves) >= kLeastStrength) ++shapes;
    }
  }
  return shapes;
}

size_t CoarseShapes::PooledBytes(const Layout& layout) {
  return SmallResize::PooledBytes(layout, kSide, kSide, ResizeFilter::kTriangle);
}

}  // namespace imgmill
