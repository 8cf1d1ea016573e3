// Crop, resize, and pixels to floats.
#include "imgmill/signals/model_image.h"

#include <algorithm>
#include <cassert>
#include <cstdio>

#include "signals/small_resize.h"

namespace imgmill {
namespace {

/// The part of the image that is looked at, in pixels.
struct Part {
  int64_t x = 0, y = 0;
  Layout layout;
};

Part PartOf(const ModelInput& input, const Layout& whole) {
  Part part;
  part.layout = whole;
  if (!input.crop) return part;
  const int64_t side = std::min(whole.width, whole.height);
  part.x = (whole.width - side) / 2;
  part.y = (whole.height - side) / 2;
  part.layout.width = part.layout.height = side;
  return part;
}

}  // namespace

std::string ModelInput::Describe() const {
  char text[320];
  std::snprintf(text, sizeof text, "side=%d scale=%.9g,%.9g,%.9g shift=%.9g,%.9g,%.9g resize=%s channels=%s",
                side, static_cast<double>(scale[0]), static_cast<double>(scale[1]),
                static_cast<double>(scale[2]), static_cast<double>(shift[0]), static_cast<double>(shift[1]),
                static_cast<double>(shift[2]), crop ? "crop" : "squash", bgr ? "bgr" : "rgb");
  return text;
}

struct ModelImage::Impl {
  Impl(const ModelInput& wanted, const Layout& layout)
      : input(wanted),
        part(PartOf(wanted, layout)),
        resize(part.layout, wanted.side, wanted.side, ResizeFilter::kTriangle) {}

  const ModelInput input;
  const Part part;
  SmallResize resize;
  int64_t next_row = 0;  // of the whole image
};

ModelImage::ModelImage(const ModelInput& input, const Layout& layout) : impl_(new Impl(input, layout)) {
  assert(layout.sample == Sample::kU8 && layout.bands == 3);
}

ModelImage::~ModelImage() = default;

void ModelImage::Add(const ImageView& rows) {
  const Part& part = impl_->part;
  const int64_t first = std::max(impl_->next_row, part.y);
  const int64_t end = std::min(impl_->next_row + rows.layout.height, part.y + part.layout.height);
  if (first < end) {
    ImageView seen = rows;
    seen.data = rows.row(first - impl_->next_row) + part.x * 3;
    seen.layout = part.layout;
    seen.layout.height = end - first;
    impl_->resize.Add(seen);
  }
  impl_->next_row += rows.layout.height;
}

void ModelImage::Finish(float* planes) {
  const uint8_t* rgb = impl_->resize.Finish();
  const ModelInput& input = impl_->input;
  const auto pixels = static_cast<size_t>(input.side) * static_cast<size_t>(input.side);
  for (size_t plane = 0; plane < 3; ++plane) {
    const size_t band = input.bgr ? 2 - plane : plane;
    for (size_t i = 0; i < pixels; ++i) {
      *planes++ = static_cast<float>(rgb[3 * i + band]) * input.scale[plane] + input.shift[plane];
    }
  }
}

size_t ModelImage::PooledBytes(const ModelInput& input, const Layout& layout) {
  return SmallResize::PooledBytes(PartOf(input, layout).layout, input.side, input.side,
                                  ResizeFilter::kTriangle);
}

}  // namespace imgmill
