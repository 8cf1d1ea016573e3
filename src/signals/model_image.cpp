// Crop, resize, and pixels to floats.
#include "imgmill/signals/model_image.h"

#include <algorithm>
#include <cassert>

#include "imgmill/signals/perceptual_hash.h"
#include "signals/grid_squares.h"
#include "signals/small_resize.h"

namespace imgmill {
namespace {

/// The part of the image that is looked at, in pixels, and what is made of it.
struct Part {
  int64_t x = 0, y = 0;
  Layout layout;
  ResizeAxis across, down;
};

/// Where `side` of `whole` pixels begin that lie in their middle.
int64_t Middle(int64_t whole, int64_t side, bool floors) {
  const int64_t beside = whole - side;
  // Half of an odd number is rounded to the even one, as Python's round does.
  return floors || beside % 4 != 3 ? beside / 2 : beside / 2 + 1;
}

Part PartOf(const ModelInput& input, const Layout& whole) {
  Part part;
  part.layout = whole;
  if (input.rule == SquareRule::kShorter) {
    const int64_t shorter = std::min(whole.width, whole.height), to = std::max(input.shorter, input.side);
    const auto axis = [&](int64_t length) {
      ResizeAxis made{length, length == shorter ? to : to * length / shorter};
      made.skip = Middle(made.output, input.side, input.crop_floors);
      made.keep = input.side;
      return made;
    };
    part.across = axis(whole.width);
    part.down = axis(whole.height);
    return part;
  }
  if (input.rule == SquareRule::kCrop) {
    const int64_t side = std::min(whole.width, whole.height);
    part.x = (whole.width - side) / 2;
    part.y = (whole.height - side) / 2;
    part.layout.width = part.layout.height = side;
  }
  part.across = {part.layout.width, input.side};
  part.down = {part.layout.height, input.side};
  return part;
}

}  // namespace

struct ModelImage::Impl {
  Impl(const ModelInput& wanted, const Layout& layout) : input(wanted), part(PartOf(wanted, layout)) {
    if (wanted.rule == SquareRule::kGrid) {
      squares.emplace(wanted, layout);
    } else {
      resize.emplace(part.layout, part.across, part.down, wanted.filter);
    }
  }

  const ModelInput input;
  const Part part;
  std::optional<SmallResize> resize;  // or else
  std::optional<GridSquares> squares;
  int64_t next_row = 0;  // of the whole image
};

ModelImage::ModelImage(const ModelInput& input, const Layout& layout) : impl_(new Impl(input, layout)) {
  assert(layout.sample == Sample::kU8 && layout.bands == 3);
}

ModelImage::~ModelImage() = default;

void ModelImage::Add(const ImageView& rows) {
  if (impl_->squares) return impl_->squares->Add(rows);
  const Part& part = impl_->part;
  const int64_t first = std::max(impl_->next_row, part.y);
  const int64_t end = std::min(impl_->next_row + rows.layout.height, part.y + part.layout.height);
  if (first < end) {
    ImageView seen = rows;
    seen.data = rows.row(first - impl_->next_row) + part.x * 3;
    seen.layout = part.layout;
    seen.layout.height = end - first;
    impl_->resize->Add(seen);
  }
  impl_->next_row += rows.layout.height;
}

void ModelImage::Finish(float* planes) {
  if (impl_->squares) return impl_->squares->Finish(planes);
  const uint8_t* rgb = impl_->resize->Finish();
  const ModelInput& input = impl_->input;
  const auto pixels = static_cast<size_t>(input.side) * static_cast<size_t>(input.side);
  for (size_t plane = 0; plane < 3; ++plane) {
    const size_t band = input.bgr ? 2 - plane : plane;
    for (size_t i = 0; i < pixels; ++i) {
      *planes++ = static_cast<float>(rgb[3 * i + band]) * input.scale[plane] + input.shift[plane];
    }
  }
}

void ModelImage::Turn(const ModelInput& input, int pose, const float* planes, float* turned) {
  const auto side = static_cast<size_t>(input.side);
  const size_t all = static_cast<size_t>(input.Squares()) * 3;
  for (size_t plane = 0; plane < all; ++plane, planes += side * side) {
    for (size_t y = 0; y < side; ++y) {
      for (size_t x = 0; x < side; ++x) *turned++ = planes[PixelOfPose(pose, x, y, side)];
    }
  }
}

size_t ModelImage::PooledBytes(const ModelInput& input, const Layout& layout) {
  if (input.rule == SquareRule::kGrid) return GridSquares::PooledBytes(input);
  const Part part = PartOf(input, layout);
  return SmallResize::PooledBytes(part.layout, part.across, part.down, input.filter);
}

}  // namespace imgmill
