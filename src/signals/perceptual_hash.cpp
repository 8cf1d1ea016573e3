// The four hashes: a small luma image, and one bit for each of 64 comparisons in it.
#include "imgmill/signals/perceptual_hash.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <span>
#include <vector>

#include "signals/dct32.h"
#include "signals/luma.h"
#include "signals/small_resize.h"

namespace imgmill {
namespace {

struct Size {
  int64_t width;
  int64_t height;
};

Size SmallSize(HashKind kind) {
  switch (kind) {
    case HashKind::kPhash:
      return {32, 32};
    case HashKind::kDhash:
      return {9, 8};
    case HashKind::kAhash:
      return {8, 8};
    case HashKind::kWhash:
      return {256, 256};
  }
  return {0, 0};
}

// The first bit is the highest.
template <typename Bit>
uint64_t PackBits(const Bit& bit) {
  uint64_t hash = 0;
  for (size_t i = 0; i < 64; ++i) hash = hash << 1 | (bit(i) ? 1u : 0u);
  return hash;
}

// The 8x8 lowest frequencies against their median without the constant one (63 values, so one of them).
uint64_t Phash(std::span<const uint8_t> luma) {
  constexpr size_t kSide = 32;
  std::array<double, kSide * kSide> values;
  std::copy(luma.begin(), luma.end(), values.begin());
  std::array<double, kSide> line;
  for (size_t x = 0; x < kSide; ++x) {
    for (size_t y = 0; y < kSide; ++y) line[y] = values[y * kSide + x];
    Dct32(line);
    for (size_t y = 0; y < kSide; ++y) values[y * kSide + x] = line[y];
  }
  std::array<double, 64> low;
  for (size_t y = 0; y < 8; ++y) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(y * kSide), kSide, line.begin());
    Dct32(line);
    std::copy_n(line.begin(), 8, low.begin() + static_cast<std::ptrdiff_t>(y * 8));
  }
  std::array<double, 64> sorted = low;
  std::nth_element(sorted.begin() + 1, sorted.begin() + 32, sorted.end());
  const double median = sorted[32];
  return PackBits([&](size_t i) { return low[i] >= median; });
}

// Is a pixel brighter than its left neighbour?
uint64_t Dhash(std::span<const uint8_t> luma) {
  return PackBits([&](size_t i) {
    const size_t left = i / 8 * 9 + i % 8;
    return luma[left + 1] > luma[left];
  });
}

// Is a pixel at least as bright as the mean? In whole numbers, so without rounding.
uint64_t Ahash(std::span<const uint8_t> luma) {
  const int sum = std::accumulate(luma.begin(), luma.end(), 0);
  return PackBits([&](size_t i) { return luma[i] * 64 >= sum; });
}

// Five levels of the Haar transform leave the scaled means of 32x32 blocks; each against their median. Level
// by level, columns first and the later sample first, as PyWavelets adds them up: equal blocks must stay
// equal.
uint64_t Whash(std::span<const uint8_t> luma) {
  constexpr double kHaar = 0.7071067811865476;
  size_t side = 256;
  PoolArray<double> values(side * side);
  for (size_t i = 0; i < values.size(); ++i) values[i] = luma[i] / 255.0;
  for (; side > 8; side /= 2) {
    const size_t half = side / 2;
    // In place: what is written never lies behind what is still to be read.
    for (size_t y = 0; y < half; ++y) {
      for (size_t x = 0; x < side; ++x) {
        values[y * side + x] = kHaar * values[(2 * y + 1) * side + x] + kHaar * values[2 * y * side + x];
      }
    }
    for (size_t y = 0; y < half; ++y) {
      for (size_t x = 0; x < half; ++x) {
        values[y * half + x] = kHaar * values[y * side + 2 * x + 1] + kHaar * values[y * side + 2 * x];
      }
    }
  }
  std::array<double, 64> sorted;
  std::copy_n(values.begin(), 64, sorted.begin());
  std::sort(sorted.begin(), sorted.end());
  const double median = (sorted[31] + sorted[32]) / 2;
  return PackBits([&](size_t i) { return values[i] >= median; });
}

}  // namespace

std::string_view ToString(HashKind kind) {
  switch (kind) {
    case HashKind::kPhash:
      return "phash";
    case HashKind::kDhash:
      return "dhash";
    case HashKind::kAhash:
      return "ahash";
    case HashKind::kWhash:
      return "whash";
  }
  return "";
}

std::optional<HashKind> HashKindFromName(std::string_view name) {
  for (const HashKind kind : {HashKind::kPhash, HashKind::kDhash, HashKind::kAhash, HashKind::kWhash}) {
    if (name == ToString(kind)) return kind;
  }
  return std::nullopt;
}

std::string VersionedName(HashKind kind, bool scaled) {
  return std::string(ToString(kind)) + (scaled ? "-scaled/2" : "/2");
}

struct PerceptualHasher::Impl {
  HashKind kind;
  int bands;
  SmallResize resize;

  PoolArray<uint8_t> SmallLuma();
};

PerceptualHasher::PerceptualHasher(HashKind kind, const Layout& layout)
    : impl_(
          new Impl{kind, layout.bands, SmallResize(layout, SmallSize(kind).width, SmallSize(kind).height)}) {}

PerceptualHasher::~PerceptualHasher() = default;

void PerceptualHasher::Add(const ImageView& rows) {
  impl_->resize.Add(rows);
}

namespace {

uint64_t HashOf(HashKind kind, std::span<const uint8_t> luma) {
  switch (kind) {
    case HashKind::kPhash:
      return Phash(luma);
    case HashKind::kDhash:
      return Dhash(luma);
    case HashKind::kAhash:
      return Ahash(luma);
    case HashKind::kWhash:
      return Whash(luma);
  }
  return 0;
}

}  // namespace

PoolArray<uint8_t> PerceptualHasher::Impl::SmallLuma() {
  const Size size = SmallSize(kind);
  const auto pixels = static_cast<size_t>(size.width * size.height);
  const uint8_t* small = resize.Finish();
  PoolArray<uint8_t> luma(pixels);
  for (size_t i = 0; i < pixels; ++i)
    luma[i] = bands == 1 ? small[i] : Luma(small[3 * i], small[3 * i + 1], small[3 * i + 2]);
  return luma;
}

uint64_t PerceptualHasher::Finish() {
  return HashOf(impl_->kind, impl_->SmallLuma().span());
}

PoseHashes PerceptualHasher::FinishPoses() {
  assert(HasPoses(impl_->kind));
  const PoolArray<uint8_t> luma = impl_->SmallLuma();
  const auto side = static_cast<size_t>(SmallSize(impl_->kind).width);
  PoolArray<uint8_t> turned(luma.size());
  PoseHashes hashes{};
  for (int pose = 0; pose < kPoses; ++pose) {
    for (size_t y = 0; y < side; ++y) {
      for (size_t x = 0; x < side; ++x) turned[y * side + x] = luma[PixelOfPose(pose, x, y, side)];
    }
    hashes[static_cast<size_t>(pose)] = HashOf(impl_->kind, turned.span());
  }
  return hashes;
}

size_t PerceptualHasher::PooledBytes(HashKind kind, const Layout& layout) {
  const Size size = SmallSize(kind);
  const auto pixels = static_cast<size_t>(size.width * size.height);
  const size_t finish = 2 * pixels + (kind == HashKind::kWhash ? pixels * sizeof(double) : 0);
  return SmallResize::PooledBytes(layout, size.width, size.height) + finish;
}

uint64_t PerceptualHash(HashKind kind, const ImageView& image) {
  PerceptualHasher hasher(kind, image.layout);
  hasher.Add(image);
  return hasher.Finish();
}

}  // namespace imgmill
