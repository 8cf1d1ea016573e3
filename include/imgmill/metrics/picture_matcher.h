// Whether two small pictures show the same: one is laid upon the other, and what is left is compared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

namespace imgmill {

/// Grey, a byte a pixel, rows one after another. Each side is kLeastSide to kLongSide.
struct SmallPicture {
  static constexpr int kLongSide = 192;
  static constexpr int kLeastSide = 16;

  int width = 0;
  int height = 0;
  const uint8_t* pixels = nullptr;
};

/// How the second picture lies on the first.
struct PictureMatch {
  /// 0 where what both show is the same, up to brightness and contrast; about 1 where it has nothing in
  /// common.
  double difference = 0;
  /// The box of the first picture that the second one shows, in parts of its width and height.
  float left = 0, top = 0, right = 1, bottom = 1;
};

/// Finds the affine map of one picture onto the other (scale of each side, crop, shift, a rotation of some
/// degrees), with a gain and an offset, coarse to fine: the best of a grid of crops, then Gauss-Newton steps
/// (Lucas and Kanade 1981, the inverse compositional form of Baker and Matthews 2004) with Cauchy's weights,
/// so that a caption or a watermark does not pull. Then windows of 9x9 pixels are correlated wherever one of
/// the pictures has structure; the difference is 1 minus the mean correlation of the best three quarters of
/// them.
class PictureMatcher {
 public:
  /// Reserves what a match needs. @throws OutOfMemory
  PictureMatcher();
  ~PictureMatcher();
  PictureMatcher(PictureMatcher&&) noexcept;

  /// Nothing if they cannot be laid upon each other, or if neither shows most (three quarters) of what the
  /// other does, or one is less than a tenth of the other. Does not allocate.
  std::optional<PictureMatch> Match(const SmallPicture& first, const SmallPicture& second);

  /// Bytes from the current pool.
  static size_t PooledBytes();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
