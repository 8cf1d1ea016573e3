// Each size is the means of four pixels of the one before it.
#include "picture_pyramid.h"

#include <algorithm>
#include <cassert>

namespace imgmill {
namespace {

// Halved as long as something is left to be seen.
constexpr int kLeastLong = 40;
constexpr int kLeastShort = 16;

}  // namespace

void PicturePyramid::Set(const SmallPicture& picture) {
  assert(std::max(picture.width, picture.height) <= SmallPicture::kLongSide);
  assert(std::min(picture.width, picture.height) >= SmallPicture::kLeastSide);
  float* to = pixels_.data();
  const auto size = static_cast<size_t>(picture.width) * static_cast<size_t>(picture.height);
  for (size_t i = 0; i < size; ++i) to[i] = static_cast<float>(picture.pixels[i]);
  levels_[0] = {picture.width, picture.height, to};
  to += size;
  for (count_ = 1; count_ < kMostLevels; ++count_) {
    const PictureLevel& from = levels_[count_ - 1];
    if (std::max(from.width, from.height) < kLeastLong || std::min(from.width, from.height) < kLeastShort)
      break;
    PictureLevel& half = levels_[count_];
    half = {from.width / 2, from.height / 2, to};
    for (int y = 0; y < half.height; ++y) {
      const float* const upper = from.row(2 * y);
      const float* const lower = from.row(2 * y + 1);
      for (int x = 0; x < half.width; ++x)
        *to++ = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]) / 4;
    }
  }
}

}  // namespace imgmill
