// The resize row by row, in whole numbers, and the comparison of blocks.
#include "signals/block_mean_hash.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace imgmill {

BlockMeanPicture::Tap BlockMeanPicture::TapAt(size_t place, int64_t length) {
  const double scale = static_cast<double>(length) / static_cast<double>(kSide);
  const double at = (static_cast<double>(place) + 0.5) * scale - 0.5;
  const auto first = static_cast<int64_t>(std::floor(at));
  if (first < 0) return {0, 0, 0};
  if (first >= length - 1) return {length - 1, length - 1, 0};
  return {first, first + 1, static_cast<uint32_t>(std::lrint((at - static_cast<double>(first)) * 256))};
}

BlockMeanPicture::BlockMeanPicture(const Layout& input)
    : input_(input),
      across_(kSide),
      before_(kSide * static_cast<size_t>(input.bands)),
      now_(kSide * static_cast<size_t>(input.bands)),
      small_(kSide * kSide) {
  for (size_t x = 0; x < kSide; ++x) across_[x] = TapAt(x, input.width);
}

size_t BlockMeanPicture::PooledBytes(const Layout& input) {
  return kSide * sizeof(Tap) + 2 * kSide * static_cast<size_t>(input.bands) * sizeof(uint16_t) +
         kSide * kSide;
}

void BlockMeanPicture::Add(const ImageView& rows) {
  const auto bands = static_cast<size_t>(input_.bands);
  for (int64_t y = 0; y < rows.layout.height; ++y, ++y_) {
    if (emitted_ == kSide) continue;
    const Tap next = TapAt(emitted_, input_.height);
    if (y_ < next.first) continue;
    const uint8_t* const row = rows.row(y);
    std::swap(before_, now_);
    for (size_t x = 0; x < kSide; ++x) {
      const Tap tap = across_[x];
      for (size_t band = 0; band < bands; ++band) {
        const uint32_t first = row[static_cast<size_t>(tap.first) * bands + band];
        const uint32_t second = row[static_cast<size_t>(tap.second) * bands + band];
        now_[x * bands + band] = static_cast<uint16_t>(first * (256 - tap.share) + second * tap.share);
      }
    }
    for (; emitted_ < kSide; ++emitted_) {
      const Tap tap = TapAt(emitted_, input_.height);
      if (tap.second > y_) break;
      Emit(tap.second == tap.first ? 256 : tap.share);
    }
  }
}

// @param share  of the row of now, in 256ths
void BlockMeanPicture::Emit(uint32_t share) {
  const auto bands = static_cast<size_t>(input_.bands);
  uint8_t* const to = small_.data() + emitted_ * kSide;
  for (size_t x = 0; x < kSide; ++x) {
    std::array<uint32_t, 3> pixel{};
    for (size_t band = 0; band < bands; ++band) {
      const size_t at = x * bands + band;
      // With all of one row, the other may be none.
      const uint32_t before = share == 256 ? 0 : before_[at];
      pixel[band] = (before * (256 - share) + now_[at] * share + (1u << 15)) >> 16;
    }
    // ITU-R BT.601 in 2^15ths, as OpenCV rounds it.
    to[x] = static_cast<uint8_t>(
        bands == 1 ? pixel[0] : (pixel[0] * 9798 + pixel[1] * 19235 + pixel[2] * 3735 + (1u << 14)) >> 15);
  }
}

Hash256 BlockMeanBits(std::span<const uint8_t> small) {
  constexpr size_t kSide = BlockMeanPicture::kSide, kBlock = 16, kBlocks = kSide / kBlock;
  std::array<uint32_t, kBlocks * kBlocks> sums{};
  uint32_t all = 0;
  for (size_t y = 0; y < kSide; ++y) {
    for (size_t x = 0; x < kSide; ++x) {
      sums[y / kBlock * kBlocks + x / kBlock] += small[y * kSide + x];
      all += small[y * kSide + x];
    }
  }
  Hash256 bits{};
  for (size_t k = 0; k < sums.size(); ++k) bits[k / 64] |= uint64_t{sums[k] * sums.size() >= all} << (k % 64);
  return bits;
}

}  // namespace imgmill
