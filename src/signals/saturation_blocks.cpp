#include "signals/saturation_blocks.h"

#include <algorithm>

namespace imgmill {

SaturationBlocks::SaturationBlocks(int64_t width)
    : width_(static_cast<size_t>(width)), sums_(3 * static_cast<size_t>(width)) {
  sums_.Fill(0);
}

void SaturationBlocks::Add(const int16_t* red, const int16_t* green, const int16_t* blue, size_t x,
                           size_t count) {
  kernels_.add_plane(red, count, sums_.data() + x);
  kernels_.add_plane(green, count, sums_.data() + width_ + x);
  kernels_.add_plane(blue, count, sums_.data() + 2 * width_ + x);
}

void SaturationBlocks::EndRow() {
  if (++rows_ == kSide) EndBlocks();
}

void SaturationBlocks::EndBlocks() {
  // The last block of a row may be narrower: its sums are of fewer pixels, and so is its weight.
  int16_t bands[3][kKernelRun];
  const size_t whole = width_ / kSide * kSide;
  for (size_t from = 0; from < width_;) {
    const size_t side = from < whole ? kSide : width_ - whole;
    const size_t blocks = from < whole ? std::min(kKernelRun, (whole - from) / kSide) : 1;
    for (size_t band = 0; band < 3; ++band) {
      const uint16_t* sums = sums_.data() + band * width_ + from;
      for (size_t i = 0; i < blocks; ++i) {
        int sum = 0;
        for (size_t x = 0; x < side; ++x) sum += sums[i * side + x];
        bands[band][i] = static_cast<int16_t>(sum);
      }
    }
    const uint64_t weight = side * rows_;
    total_ += weight * detail_kernels_.saturation(bands[0], bands[1], bands[2], blocks);
    from += side * blocks;
  }
  pixels_ += width_ * rows_;
  sums_.Fill(0);
  rows_ = 0;
}

double SaturationBlocks::Finish() {
  if (rows_ > 0) EndBlocks();
  return pixels_ == 0 ? 0 : 100 * static_cast<double>(total_) / 255 / static_cast<double>(pixels_);
}

}  // namespace imgmill
