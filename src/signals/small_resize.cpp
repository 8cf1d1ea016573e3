// The order of the two passes, and the rows between them.
#include "signals/small_resize.h"

#include <algorithm>
#include <cassert>

namespace imgmill {
namespace {

bool DownFirst(const ResizeAxis& across, const ResizeAxis& down) {
  return down.input > down.output && down.input - down.output > 2 * (across.input - across.output);
}

}  // namespace

SmallResize::SmallResize(const Layout& input, const ResizeAxis& across, const ResizeAxis& down,
                         ResizeFilter filter)
    : input_(input),
      across_axis_(across),
      down_axis_(down),
      output_length_(static_cast<size_t>(across.kept() * input.bands)),
      down_first_(DownFirst(across, down)),
      between_(output_length_),
      output_(output_length_ * static_cast<size_t>(down.kept())) {
  assert(input.sample == Sample::kU8 && (input.bands == 1 || input.bands == 3));
  assert(input.width > 0 && input.height > 0);
  if (across.input != across.output) across_.emplace(across, input.bands, filter);
  if (down.input != down.output)
    down_.emplace(down, down_first_ && across_ ? input.row_bytes() : output_length_, filter);
}

size_t SmallResize::PooledBytes(const Layout& input, const ResizeAxis& across, const ResizeAxis& down,
                                ResizeFilter filter) {
  const auto length = static_cast<size_t>(across.kept() * input.bands);
  const bool stretches = across.input != across.output;
  size_t bytes = length * static_cast<size_t>(down.kept() + 1);
  if (stretches) bytes += AcrossPass::PooledBytes(across, input.bands, filter);
  if (down.input != down.output) {
    bytes += DownPass::PooledBytes(down, DownFirst(across, down) && stretches ? input.row_bytes() : length,
                                   filter);
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
    } else {
      row += across_axis_.skip * input_.bands;
    }
    if (down_) {
      down_->Add(row, emit);
    } else if (const int64_t at = seen_++ - down_axis_.skip; at >= 0 && at < down_axis_.kept()) {
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
