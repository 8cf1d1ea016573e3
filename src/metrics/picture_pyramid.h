// A small picture at its own size, at half of it, a quarter and so on.
#pragma once

#include <array>

#include "imgmill/memory/pool_array.h"
#include "imgmill/metrics/picture_matcher.h"

namespace imgmill {

/// One size of it: rows of floats, one after another.
struct PictureLevel {
  int width = 0;
  int height = 0;
  const float* pixels = nullptr;

  const float* row(int y) const { return pixels + static_cast<size_t>(y) * static_cast<size_t>(width); }
};

class PicturePyramid {
 public:
  static constexpr size_t kMostLevels = 4;

  /// Room for any picture. @throws OutOfMemory
  PicturePyramid() : pixels_(kPixels) {}
  static constexpr size_t PooledBytes() { return kPixels * sizeof(float); }

  void Set(const SmallPicture& picture);
  size_t levels() const { return count_; }
  /// 0 is its own size.
  const PictureLevel& operator[](size_t level) const { return levels_[level]; }
  /// 0 is the smallest size; what would be larger than its own is its own.
  const PictureLevel& FromSmallest(size_t level) const {
    return levels_[level < count_ ? count_ - 1 - level : 0];
  }

 private:
  static constexpr size_t kPixels = size_t{SmallPicture::kLongSide} * SmallPicture::kLongSide * 4 / 3;

  PoolArray<float> pixels_;
  std::array<PictureLevel, kMostLevels> levels_;
  size_t count_ = 0;
};

}  // namespace imgmill
