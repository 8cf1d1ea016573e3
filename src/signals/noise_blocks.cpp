#include "signals/noise_blocks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace imgmill {
namespace {

// The flattest twentieth of the blocks is looked at.
constexpr uint64_t kBlocksPerChosen = 20;
// White noise of deviation 1 has this much in the flattest twentieth, by either measure (simulated on two
// million pixels): less than on average, since those are chosen for it.
constexpr double kOfMask = 0.835, kOfSlope = 0.9635;
// Slopes against masks, both as deviations, in texture that is as fine as photos have it where they are
// flattest; in white noise it is 1.
constexpr double kTexture = 2.25;
// In levels: what rounding and a camera's base sensitivity leave is no noise that anyone sees.
constexpr double kLeast = 1;
// A block tells nothing if more than one pixel in so many is black or white: noise is cut off there.
constexpr size_t kPixelsPerClipped = 50;

/// 8 classes for each power of two.
size_t ClassOf(uint64_t mask) {
  if (mask < 8) return static_cast<size_t>(mask);
  const auto power = static_cast<size_t>(std::bit_width(mask)) - 4;
  return 8 * power + static_cast<size_t>(mask >> power);
}

}  // namespace

NoiseBlocks::NoiseBlocks(int64_t width)
    : windows_(static_cast<size_t>(width) - 2),
      across_(std::min(kSide, windows_)),
      mask_(windows_),
      slope_(windows_),
      clipped_(windows_) {
  mask_.Fill(0);
  slope_.Fill(0);
  clipped_.Fill(0);
}

void NoiseBlocks::Add(const uint8_t* above, const uint8_t* row, const uint8_t* below) {
  for (size_t x = 0; x < windows_; x += kKernelRun) {
    kernels_.noise(above + x, row + x, below + x, std::min(kKernelRun, windows_ - x), mask_.data() + x,
                   slope_.data() + x, clipped_.data() + x);
  }
  if (++rows_ == kSide) EndBlocks();
}

void NoiseBlocks::EndBlocks() {
  pixels_ = across_ * rows_;
  for (size_t from = 0; from + across_ <= windows_; from += across_) {
    uint64_t mask = 0, slope = 0;
    size_t clipped = 0;
    for (size_t x = from; x < from + across_; ++x) {
      mask += mask_[x];
      slope += slope_[x];
      clipped += clipped_[x];
    }
    if (clipped * kPixelsPerClipped > pixels_) continue;
    Class& found = classes_[ClassOf(mask)];
    ++found.blocks;
    found.mask += mask;
    found.slope += slope;
  }
  mask_.Fill(0);
  slope_.Fill(0);
  clipped_.Fill(0);
  rows_ = 0;
}

double NoiseBlocks::Finish() {
  if (pixels_ == 0 && rows_ > 0) EndBlocks();
  uint64_t blocks = 0;
  for (const Class& each : classes_) blocks += each.blocks;
  const uint64_t chosen = (blocks + kBlocksPerChosen - 1) / kBlocksPerChosen;
  if (chosen == 0) return 0;
  double mask = 0, slope = 0;
  uint64_t left = chosen;
  for (const Class& each : classes_) {
    if (each.blocks == 0 || left == 0) continue;
    const uint64_t taken = std::min(left, each.blocks);
    const double share = static_cast<double>(taken) / static_cast<double>(each.blocks);
    mask += share * static_cast<double>(each.mask);
    slope += share * static_cast<double>(each.slope);
    left -= taken;
  }
  // Means of absolute values as deviations: the mask's coefficients have squares of 36 in all, the slope's
  // of 2.
  const auto pixels = static_cast<double>(chosen * pixels_);
  const double root = std::sqrt(std::numbers::pi / 2);
  const double by_mask = root / 6 * mask / pixels / kOfMask;
  const double by_slope = root / std::numbers::sqrt2 * slope / pixels / kOfSlope;
  // The one is noise + texture, the other noise + kTexture * texture.
  const double noise = (kTexture * by_mask - by_slope) / (kTexture - 1);
  return noise >= kLeast ? noise : 0;
}

size_t NoiseBlocks::PooledBytes(int64_t width) {
  return (2 * sizeof(uint16_t) + 1) * static_cast<size_t>(width);
}

}  // namespace imgmill
