// The block-mean hash: whether each of 16x16 blocks of a picture is at least as bright as all of it.
#pragma once

#include <span>

#include "imgmill/base/hash256.h"
#include "imgmill/image/image.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// 256x256 pixels of luma, from rows of 1 or 3 bands: OpenCV's resize with INTER_LINEAR_EXACT and its colour
/// conversion, bit for bit. Each pixel is between two neighbouring ones in each direction, however large the
/// picture is.
class BlockMeanPicture {
 public:
  static constexpr size_t kSide = 256;

  /// @throws OutOfMemory
  explicit BlockMeanPicture(const Layout& input);
  void Add(const ImageView& rows);
  /// After the last row.
  std::span<const uint8_t> Finish() const { return small_.span(); }
  static size_t PooledBytes(const Layout& input);

 private:
  /// Two neighbours, and the second one's share in 256ths.
  struct Tap {
    int64_t first = 0, second = 0;
    uint32_t share = 0;
  };
  static Tap TapAt(size_t place, int64_t length);
  void Emit(uint32_t share);

  Layout input_;
  PoolArray<Tap> across_;
  PoolArray<uint16_t> before_, now_;  ///< rows that have been resized across, in 256ths
  PoolArray<uint8_t> small_;
  size_t emitted_ = 0;
  int64_t y_ = 0;
};

/// Bit 16 i + j is of the block in row i and column j. Source: B. Yang, F. Gu and X. Niu, "Block mean value
/// based image perceptual hashing", IIH-MSP 2006, with the mean in place of the median, as OpenCV's
/// BlockMeanHash does it in mode 0.
Hash256 BlockMeanBits(std::span<const uint8_t> small);

}  // namespace imgmill
