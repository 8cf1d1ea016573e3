// The order of the two passes, and the rows between them.
#include "signals/small_resize.h"

#include <algorithm>
#include <cassert>

namespace imgmill {
namespace {

bool DownFirst(const Layout& input, int64_t width, int64_t height) {
  return input.height > height && input.height - height > 2 * (input.width - width);
}

}  // namespace

SmallResize::SmallResize(const Layout& input, int64_t width, int64_t height, ResizeFilter filter)
    : input_(input),
      output_length_(static_cast<size_t>(width * input.bands)),
      down_first_(DownFirst(input, width, height)),
      between_(output_length_),
      output_(output_length_ * static_cast<size_t>(height)) {
  assert(input.sample == Sample::kU8 && (input.bands == 1 || input.bands == 3));
  assert(input.width > 0 && input.height > 0);
  if (input.width != width) across_.emplace(input.width, width, input.bands, filter);
  if (input.height != height) {
    down_.emplace(input.height, height, down_first_ ? input.row_bytes() : output_length_, filter);
  }
}

size_t SmallResize::PooledBytes(const Layout& input, int64_t width, int64_t height, ResizeFilter filter) {
  const auto length = static_cast<size_t>(width * input.bands);
  size_t bytes = length * static_cast<size_t>(height + 1);
  if (input.width != width) bytes += AcrossPass::PooledBytes(input.width, width, input.bands, filter);
  if (input.height != height) {
    bytes += DownPass::PooledBytes(input.height, height,
                                   DownFirst(input, width, height) ? input.row_bytes() : length, filter);
  }
  return bytes;
}

void SmallResize::Add(const ImageView& rows) {
  const auto emit = [this](const uint8_t* row) { Emit(row); };
  const auto across_and_emit = [this](const uint8_t* row) {
    across_->Apply(row, between_.data());
    Emit(between_.data());
  };
  for (int64_t y = 0; y < rows.layout.height; ++y) {
    const uint8_t* row = rows.row(y);
    if (down_first_ && across_) {
      down_->Add(row, across_and_emit);
      continue;
    }
    if (across_) {
      across_->Apply(row, between_.data());
      row = between_.data();
    }
    if (down_) {
      down_->Add(row, emit);
    } else {
      Emit(row);
    }
  }
}

void SmallResize::Emit(const uint8_t* row) {
  assert(emitted_ + output_length_ <= output_.size());
  std::copy_n(row, output_length_, output_.data() + emitted_);
  emitted_ += output_length_;
}

const uint8_t* SmallResize::Finish() {
  assert(emitted_ == output_.size());
  return output_.data();
}

}  // namespace imgmill
