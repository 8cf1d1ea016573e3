// PDQ: 256 bits of a picture's 16x16 lowest frequencies, and a number for how much there is to see in it.
#pragma once

#include <array>
#include <span>

#include "imgmill/base/hash256.h"
#include "imgmill/image/image.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// What one direction of PDQ's smoothing and sampling does to a line: each of 64 values is a weighted mean of
/// neighbouring pixels.
///
/// Two box filters, each as wide as half of a 64th of the line, and every 64th of it sampled in its middle.
/// Where a box hangs over the edge, it is the mean of what lies inside.
class PdqAxis {
 public:
  static constexpr size_t kValues = 64;

  /// @throws OutOfMemory
  explicit PdqAxis(int64_t length);

  struct Value {
    int64_t first = 0;  ///< pixel
    int64_t count = 0;  ///< of pixels
    const double* weights = nullptr;
  };
  Value operator[](size_t place) const {
    return {first_[place], count_[place], weights_.data() + place * span_};
  }
  static size_t PooledBytes(int64_t length);

 private:
  size_t span_;
  std::array<int64_t, kValues> first_{}, count_{};
  PoolArray<double> weights_;
};

/// The picture of 64x64 that PDQ looks at, from rows of 1 or 3 bands.
class PdqPicture {
 public:
  static constexpr size_t kSide = PdqAxis::kValues;
  static constexpr size_t kPixels = kSide * kSide;
  using Small = std::span<const double, kPixels>;

  /// @throws OutOfMemory
  explicit PdqPicture(const Layout& input);
  void Add(const ImageView& rows);
  /// After the last row.
  Small Finish() const { return small_; }
  /// Whether PDQ has a hash for pictures of this size: both sides are at least 5 pixels.
  bool has_hash() const { return input_.width >= 5 && input_.height >= 5; }
  static size_t PooledBytes(const Layout& input);

 private:
  void AddRow(const uint8_t* row);

  Layout input_;
  PdqAxis across_, down_;
  PoolArray<double> luma_;
  std::array<double, kPixels> small_{};
  int64_t y_ = 0;
};

/// Bit 16 i + j says whether the frequency of i + 1 half waves down and j + 1 across is stronger than the
/// median. So the number that the bits make, in hexadecimal, is PDQ's usual text.
///
/// Source: Meta, "The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm", 2019.
Hash256 PdqBits(PdqPicture::Small small);

/// 0 (nothing to see) to 100: how much neighbouring values of the 64x64 differ, in whole percents, added up
/// and divided by 90.
int PdqQuality(PdqPicture::Small small);

}  // namespace imgmill
