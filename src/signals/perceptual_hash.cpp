// The hashes of 64 bits: a small luma image, and one bit for each of 64 comparisons in it. Beside them those
// of 256 bits, which make small images of their own.
#include "imgmill/signals/perceptual_hash.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <span>
#include <variant>
#include <vector>

#include "signals/block_mean_hash.h"
#include "signals/dct32.h"
#include "signals/luma.h"
#include "signals/pdq_hash.h"
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
    case HashKind::kPdq:
    case HashKind::kBlockMean:
      break;  // theirs are other classes
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
    case HashKind::kPdq:
      return "pdq";
    case HashKind::kBlockMean:
      return "blockmean";
  }
  return "";
}

std::optional<HashKind> HashKindFromName(std::string_view name) {
  for (const HashKind kind : kHashKinds) {
    if (name == ToString(kind)) return kind;
  }
  return std::nullopt;
}

std::string VersionedName(HashKind kind, bool scaled) {
  return std::string(ToString(kind)) + (scaled ? "-scaled/" : "/") + (HashBits(kind) == 64 ? "2" : "1");
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
    case HashKind::kPdq:
    case HashKind::kBlockMean:
      break;
  }
  return 0;
}

/// Pillow's resize, and luma of what it leaves.
class LanczosPicture {
 public:
  LanczosPicture(HashKind kind, const Layout& layout, bool poses)
      : kind_(kind),
        bands_(layout.bands),
        resize_(layout, SmallSize(kind).width, SmallSize(kind).height),
        luma_(Pixels(kind)) {
    if (poses && !IsSquare(kind)) upended_.emplace(layout, SmallSize(kind).height, SmallSize(kind).width);
  }

  void Add(const ImageView& rows) {
    resize_.Add(rows);
    if (upended_) upended_->Add(rows);
  }
  size_t width() const { return static_cast<size_t>(SmallSize(kind_).width); }
  size_t height() const { return static_cast<size_t>(SmallSize(kind_).height); }
  std::span<const uint8_t> Finish() { return LumaOf(resize_); }
  /// As high as the other is wide: what lies on its side in the poses that swap rows and columns, where it is
  /// no square. Takes the place of what Finish has given.
  std::span<const uint8_t> FinishUpended() {
    assert(upended_);
    return LumaOf(*upended_);
  }
  Hash256 Hash(std::span<const uint8_t> luma) const { return {HashOf(kind_, luma), 0, 0, 0}; }
  static size_t Pixels(HashKind kind) {
    return static_cast<size_t>(SmallSize(kind).width * SmallSize(kind).height);
  }
  static size_t PooledBytes(HashKind kind, const Layout& layout, bool poses) {
    const Size size = SmallSize(kind);
    const size_t finish = Pixels(kind) + (kind == HashKind::kWhash ? Pixels(kind) * sizeof(double) : 0);
    return SmallResize::PooledBytes(layout, size.width, size.height) + finish +
           (poses && !IsSquare(kind) ? SmallResize::PooledBytes(layout, size.height, size.width) : 0);
  }

 private:
  static bool IsSquare(HashKind kind) { return SmallSize(kind).width == SmallSize(kind).height; }
  std::span<const uint8_t> LumaOf(SmallResize& resize) {
    const uint8_t* small = resize.Finish();
    for (size_t i = 0; i < luma_.size(); ++i)
      luma_[i] = bands_ == 1 ? small[i] : Luma(small[3 * i], small[3 * i + 1], small[3 * i + 2]);
    return luma_.span();
  }

  HashKind kind_;
  int bands_;
  SmallResize resize_;
  std::optional<SmallResize> upended_;
  PoolArray<uint8_t> luma_;
};

/// The others likewise.
struct PdqHashing {
  explicit PdqHashing(const Layout& layout) : picture(layout) {}
  void Add(const ImageView& rows) { picture.Add(rows); }
  static constexpr size_t width() { return PdqPicture::kSide; }
  static constexpr size_t height() { return width(); }
  std::span<const double> Finish() { return picture.Finish(); }
  Hash256 Hash(std::span<const double> small) const {
    return picture.has_hash() ? PdqBits(small.first<PdqPicture::kPixels>()) : Hash256{};
  }
  PdqPicture picture;
};
struct BlockMeanHashing {
  explicit BlockMeanHashing(const Layout& layout) : picture(layout) {}
  void Add(const ImageView& rows) { picture.Add(rows); }
  static constexpr size_t width() { return BlockMeanPicture::kSide; }
  static constexpr size_t height() { return width(); }
  std::span<const uint8_t> Finish() { return picture.Finish(); }
  Hash256 Hash(std::span<const uint8_t> small) const { return BlockMeanBits(small); }
  BlockMeanPicture picture;
};

using Hashing = std::variant<LanczosPicture, PdqHashing, BlockMeanHashing>;

Hashing MakeHashing(HashKind kind, const Layout& layout, bool poses) {
  if (kind == HashKind::kPdq) return Hashing(std::in_place_type<PdqHashing>, layout);
  if (kind == HashKind::kBlockMean) return Hashing(std::in_place_type<BlockMeanHashing>, layout);
  return Hashing(std::in_place_type<LanczosPicture>, kind, layout, poses);
}

}  // namespace

struct PerceptualHasher::Impl {
  HashKind kind;
  Hashing hashing;
};

PerceptualHasher::PerceptualHasher(HashKind kind, const Layout& layout, bool poses)
    : impl_(new Impl{kind, MakeHashing(kind, layout, poses)}) {}

PerceptualHasher::~PerceptualHasher() = default;

void PerceptualHasher::Add(const ImageView& rows) {
  std::visit([&](auto& hashing) { hashing.Add(rows); }, impl_->hashing);
}

Hash256 PerceptualHasher::Finish() {
  return std::visit([](auto& hashing) { return hashing.Hash(hashing.Finish()); }, impl_->hashing);
}

PoseHashes PerceptualHasher::FinishPoses() {
  return std::visit(
      [](auto& hashing) {
        const size_t width = hashing.width(), height = hashing.height();
        auto small = hashing.Finish();
        PoolArray<typename decltype(small)::value_type> turned(small.size());
        PoseHashes hashes{};
        for (int pose = 0; pose < kPoses; ++pose) {
          const bool lies = pose >= 4;  // rows and columns are swapped
          if constexpr (requires { hashing.FinishUpended(); }) {
            if (pose == 4 && width != height) small = hashing.FinishUpended();
          }
          for (size_t y = 0; y < height; ++y) {
            for (size_t x = 0; x < width; ++x)
              turned[y * width + x] =
                  small[PixelOfPose(pose, x, y, lies ? height : width, lies ? width : height)];
          }
          hashes[static_cast<size_t>(pose)] = hashing.Hash(turned.span());
        }
        return hashes;
      },
      impl_->hashing);
}

int PerceptualHasher::quality() const {
  const auto* const pdq = std::get_if<PdqHashing>(&impl_->hashing);
  if (pdq == nullptr) return 100;
  return pdq->picture.has_hash() ? PdqQuality(pdq->picture.Finish()) : 0;
}

size_t PerceptualHasher::PooledBytes(HashKind kind, const Layout& layout, bool poses) {
  // Beside the picture, one that is turned.
  if (kind == HashKind::kPdq) return PdqPicture::PooledBytes(layout) + PdqPicture::kPixels * sizeof(double);
  if (kind == HashKind::kBlockMean)
    return BlockMeanPicture::PooledBytes(layout) + BlockMeanPicture::kSide * BlockMeanPicture::kSide;
  return LanczosPicture::PooledBytes(kind, layout, poses) + LanczosPicture::Pixels(kind);
}

Hash256 PerceptualHash(HashKind kind, const ImageView& image) {
  PerceptualHasher hasher(kind, image.layout);
  hasher.Add(image);
  return hasher.Finish();
}

}  // namespace imgmill
