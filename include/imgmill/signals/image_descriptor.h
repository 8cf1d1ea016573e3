// The built-in vector of an image: colours, edges and coarse shapes of a small image, without any model.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "imgmill/image/image.h"

namespace imgmill {

/// A classical description of how an image looks, 512 floats of length 1 (L2). Equal and re-encoded images
/// have a cosine near 1; it knows nothing of what an image shows.
///
/// The image is resized to 64x64 (Pillow's BILINEAR, so that any size and shape gives the same grid), and
/// five parts are taken from it, each brought to a length of its own before they are put side by side:
/// - 192: mean Y, Cb and Cr (ITU-R BT.601) of 8x8 cells. After the colour layout descriptor of MPEG-7
///   (Kasutani and Yamada, ICIP 2001), without its transform.
/// - 128: histograms of 8 unsigned gradient orientations in 4x4 cells, linear between bins, weighted by
///   magnitude, square root taken, less the mean of the cell. After Dalal and Triggs, CVPR 2005; the root is
///   from Arandjelovic and Zisserman, CVPR 2012.
/// - 64: the lowest 8x8 coefficients of the DCT-II of luma, signed square root taken.
/// - 64: a 4x4x4 histogram of RGB, linear between bins, square root taken, less the mean.
/// - 64: in 4x4 cells the deviation of luma, the mean steps to the right and down, and the mean Laplacian.
///
/// Sums run in one fixed order, so a value depends on the image only.
class ImageDescriptor {
 public:
  static constexpr int kLength = 512;
  /// Name and version under which it is stored; a change of any formula is a new version.
  static constexpr std::string_view kName = "builtin/1";
  /// What ReadOptions::shrink_to_side must be, in pixels. Part of the version.
  static constexpr int kShrinkToSide = 128;

  /// @param layout  of the whole image: 8-bit, 3 bands, at least 1x1.
  /// @throws OutOfMemory
  explicit ImageDescriptor(const Layout& layout);
  ~ImageDescriptor();
  void Add(const ImageView& rows);
  /// After the last row.
  void Finish(std::span<float, kLength> descriptor);
  /// The same, and then that of each of these poses of the 64x64 image (PixelOfPose): what the image gives
  /// once it was turned or mirrored, but for rounding in the resize.
  /// @param descriptors  kLength floats for the image, and for each pose
  void FinishPoses(std::span<const int> poses, std::span<float> descriptors);
  /// Bytes it takes from the current pool, at most.
  static size_t PooledBytes(const Layout& layout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
