// Whether two small pictures show the same: one is laid upon the other, and what is left is compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace imgmill {

/// Grey, a byte a pixel, rows one after another. Each side is kLeastSide to kLongSide, or to kLargeSide for a
/// closer look.
struct SmallPicture {
  static constexpr int kLongSide = 192;
  static constexpr int kLargeSide = 384;
  static constexpr int kLeastSide = 16;

  int width = 0;
  int height = 0;
  const uint8_t* pixels = nullptr;

  const uint8_t* row(int y) const { return pixels + static_cast<size_t>(y) * static_cast<size_t>(width); }
};

/// Red, green and blue in 8-bit sRGB, three bytes a cell: means of about four pixels of a SmallPicture each
/// way. Each side is kLeastSide to kLongSide.
struct SmallColours {
  static constexpr int kLongSide = SmallPicture::kLongSide / 4;
  static constexpr int kLeastSide = SmallPicture::kLeastSide / 4;

  int width = 0;
  int height = 0;
  const uint8_t* pixels = nullptr;
};

/// The part of a picture, in cells of 8x8 pixels, around which two of five pixels or more have nearly one
/// level: most of a form, a screen or a chart, little of most photos. No pixel is to be 0.
double FlatPart(const SmallPicture& picture);

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

  /// What the difference does not see, of the two that Match has laid upon each other last. None allocates.
  /// In levels of 255, the distance of Cb and Cr that 94 % of the cells stay within, once the colours of one
  /// are explained by the other's: by a saturation, a slight turn of hues and a tint that changes slowly with
  /// the luma (a cast, a fading, a grey or toned copy). Least squares with Cauchy's weights and bounds.
  double ColourDifference(const SmallColours& first, const SmallColours& second);
  /// 0 to 1: what part of the most changed place (a square of a ninth of the longer side) shows another
  /// thing. Only what is thicker than strokes counts, so a caption does not.
  double ChangedThings();
  /// 0 to 1, of larger versions (to kLargeSide) of pictures with flat grounds, such as forms and screens:
  /// writing of which both show some, but not the same, in one place; or that only one shows, where there is
  /// hardly anything but ground. So many times what the strokes cover that 0.2 is the same as a thing's.
  double ChangedStrokes(const SmallPicture& first, const SmallPicture& second);

  /// Bytes from the current pool.
  static size_t PooledBytes();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
