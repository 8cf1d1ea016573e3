// Samples of any depth on one scale, transparent ones over white.
#include <algorithm>

#include "imgmill/memory/pool_array.h"
#include "imgmill/metrics/pair_meter.h"

namespace imgmill {
namespace {

double PeakOf(Sample sample) {
  return sample == Sample::kU8 ? 255 : sample == Sample::kU16 ? 65535 : 1;
}

/// Every `step`-th sample.
template <typename T>
void Gather(const T* from, size_t step, size_t count, float factor, float* to) {
  for (size_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i * step]) * factor;
}

void Gather(const uint8_t* row, Sample sample, size_t at, size_t step, size_t count, float factor,
            float* to) {
  if (sample == Sample::kU8) return Gather(row + at, step, count, factor, to);
  if (sample == Sample::kU16)
    return Gather(reinterpret_cast<const uint16_t*>(row) + at, step, count, factor, to);
  Gather(reinterpret_cast<const float*>(row) + at, step, count, factor, to);
}

}  // namespace

PairShape ShapeOf(const Layout& a, const Layout& b) {
  PairShape shape;
  shape.width = a.width;
  shape.height = a.height;
  shape.colours = std::max(a.colour_bands(), b.colour_bands());
  shape.alpha = a.has_alpha() || b.has_alpha();
  const bool has_float = a.sample == Sample::kF32 || b.sample == Sample::kF32;
  shape.peak = has_float ? 1 : std::max(PeakOf(a.sample), PeakOf(b.sample));
  return shape;
}

struct PlaneRows::Impl {
  Impl(const Layout& its_layout, const PairShape& its_shape)
      : layout(its_layout),
        shape(its_shape),
        factor(static_cast<float>(its_shape.peak / PeakOf(its_layout.sample))),
        width(static_cast<size_t>(its_shape.width)),
        floats(its_shape.planes() * width) {}
  const Layout layout;
  const PairShape shape;
  const float factor;
  const size_t width;
  PoolArray<float> floats;
};

PlaneRows::PlaneRows(const Layout& layout, const PairShape& shape)
    : impl_(std::make_unique<Impl>(layout, shape)) {}
PlaneRows::~PlaneRows() = default;

PlaneRow PlaneRows::Take(const uint8_t* row, int64_t first) {
  const size_t width = impl_->width;
  const auto bands = static_cast<size_t>(impl_->layout.bands);
  const auto own_colours = static_cast<size_t>(impl_->layout.colour_bands());
  const auto colours = static_cast<size_t>(impl_->shape.colours);
  const auto white = static_cast<float>(impl_->shape.peak);
  PlaneRow planes;
  for (size_t p = 0; p < impl_->shape.planes(); ++p) {
    // Grey is one plane three times.
    const bool repeated = p < colours && p >= own_colours;
    planes.planes[p] = impl_->floats.data() + (repeated ? 0 : p) * width;
  }
  const size_t begin = static_cast<size_t>(first) * bands;
  const auto take = [&](size_t band, float* to) {
    Gather(row, impl_->layout.sample, begin + band, bands, width, impl_->factor, to);
  };
  for (size_t c = 0; c < own_colours; ++c) take(c, impl_->floats.data() + c * width);
  if (!impl_->shape.alpha) return planes;
  float* const alpha = impl_->floats.data() + colours * width;
  if (!impl_->layout.has_alpha()) {
    std::fill_n(alpha, width, white);
    return planes;
  }
  take(own_colours, alpha);
  for (size_t c = 0; c < own_colours; ++c) {
    float* const colour = impl_->floats.data() + c * width;
    for (size_t i = 0; i < width; ++i) colour[i] = white + (colour[i] - white) * (alpha[i] / white);
  }
  return planes;
}

size_t PlaneRows::PooledBytes(const PairShape& shape) {
  return shape.planes() * static_cast<size_t>(shape.width) * sizeof(float);
}

}  // namespace imgmill
