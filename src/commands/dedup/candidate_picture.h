// What the second look keeps of an image: a small grey picture, its colours, and a larger one where strokes
// count.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "imgmill/image/image.h"
#include "imgmill/metrics/picture_matcher.h"
#include "signals/small_resize.h"

namespace imgmill {

struct CandidatePicture {
  SmallPicture small;
  SmallColours colours;
  SmallPicture large;  ///< of images with much flat ground; without pixels for others

  /// Of the bytes that CandidateReader made, which have to stay; nothing if they are none of these.
  static std::optional<CandidatePicture> In(const std::optional<std::string>& fact);

  /// Bytes of the pixels of the largest one.
  static constexpr size_t MostBytes() {
    constexpr size_t kSmall = SmallPicture::kLongSide, kLarge = SmallPicture::kLargeSide;
    return kSmall * kSmall + 3 * SmallColours::kLongSide * SmallColours::kLongSide + kLarge * kLarge;
  }
  /// In that pose (PixelOfPose), with its pixels in `to`, which has room for MostBytes.
  CandidatePicture Turned(int pose, std::span<uint8_t> to) const;
};

/// Makes it from rows of red, green and blue.
class CandidateReader {
 public:
  struct Sides {
    int64_t width = 0, height = 0;
  };
  /// Of the larger picture of an image of these sides.
  static Sides LargeSides(double width, double height);

  CandidateReader(const Layout& rows, int64_t width, int64_t height);
  void Add(const ImageView& rows) { large_.Add(rows); }
  /// After the last row.
  std::string Finish();
  static size_t PooledBytes(const Layout& rows, int64_t width, int64_t height);
  /// What Finish holds besides.
  static constexpr size_t kHeapBytes = 5 * size_t{SmallPicture::kLargeSide} * SmallPicture::kLargeSide;

 private:
  const Sides large_sides_, small_sides_;
  SmallResize large_, small_;
};

}  // namespace imgmill
