// Perceptual hashes, computed row by row: of 64 bits, bit for bit those of imagededup 0.3.3 on a full decode,
// and of 256 bits, those of pdqhash and OpenCV.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "imgmill/base/hash256.h"
#include "imgmill/image/image.h"

namespace imgmill {

enum class HashKind { kPhash, kDhash, kAhash, kWhash, kPdq, kBlockMean };
inline constexpr HashKind kHashKinds[] = {HashKind::kPhash, HashKind::kDhash, HashKind::kAhash,
                                          HashKind::kWhash, HashKind::kPdq,   HashKind::kBlockMean};
std::string_view ToString(HashKind kind);
std::optional<HashKind> HashKindFromName(std::string_view name);

/// 64 or 256.
constexpr int HashBits(HashKind kind) {
  return kind == HashKind::kPdq || kind == HashKind::kBlockMean ? 256 : 64;
}

/// Below this PDQ's quality says that there is too little in a picture to tell it from others by the hash.
inline constexpr int kLeastPdqQuality = 50;

/// Name and version under which a hash is stored and reported: "phash/2" of the fully decoded image, and
/// "phash-scaled/2" of one whose JPEG was decoded in grey at a fraction of its size. The two differ by a few
/// bits and are never compared with each other; docs/hashes.md gives their agreement. (In version 1 what lay
/// under transparent parts was hashed; now it is white. Nothing else changed.)
std::string VersionedName(HashKind kind, bool scaled);

/// What ReadOptions::shrink_to_side must be for the scaled version of a hash, in pixels. It is part of the
/// version.
constexpr int ScaledHashSide(HashKind kind) {
  return kind == HashKind::kPdq ? 512 : kind == HashKind::kBlockMean ? 256 : 128;
}

/// The eight ways in which a picture can be turned by quarters and mirrored. Bits, carried out in this order:
/// 1 mirrors left and right, 2 mirrors top and bottom, 4 swaps rows and columns. So 0 is as it is, 5 is
/// turned by 90 degrees counterclockwise, 6 clockwise, and 3 by 180.
inline constexpr int kPoses = 8;
using PoseHashes = std::array<Hash256, kPoses>;

/// Where a picture of that size has the pixel that is at (x, y) once it was brought into that pose.
constexpr size_t PixelOfPose(int pose, size_t x, size_t y, size_t width, size_t height) {
  if ((pose & 4) != 0) {
    const size_t swapped = x;
    x = y, y = swapped;
  }
  if ((pose & 1) != 0) x = width - 1 - x;
  if ((pose & 2) != 0) y = height - 1 - y;
  return y * width + x;
}
/// Of a square picture.
constexpr size_t PixelOfPose(int pose, size_t x, size_t y, size_t side) {
  return PixelOfPose(pose, x, y, side, side);
}

/// Feeds on 8-bit rows of 1 or 3 bands, top to bottom; holds running sums, not the image. The resize of the
/// 64-bit hashes is Pillow's LANCZOS in fixed point, RGB first, then luma, so that the bits agree with the
/// peer's; PDQ's and OpenCV's are their own. A grey image gives the same hash with 1 band or with 3 equal
/// ones.
class PerceptualHasher {
 public:
  /// @param layout  of the whole image: 8-bit, 1 or 3 bands, at least 1x1.
  /// @param poses   whether FinishPoses will be called: dhash needs a second small picture for that.
  /// @throws OutOfMemory
  PerceptualHasher(HashKind kind, const Layout& layout, bool poses = false);
  ~PerceptualHasher();
  void Add(const ImageView& rows);
  /// After the last row. 64 bits are the first word, and the others are 0: imagededup's text is "%016x" of
  /// it, whose bit 63 is the first of the hash's bits. PDQ's text is that of the four words, the last one
  /// first.
  Hash256 Finish();
  /// The same of each pose, in place of it; the first is Finish's. The others are those of the small picture,
  /// turned: within a bit or two of a hash of the turned image.
  PoseHashes FinishPoses();
  /// After either: PDQ's, 0 to 100; 100 of other kinds.
  int quality() const;
  /// Bytes it takes from the current pool, at most: about 30 per row and column of the image.
  static size_t PooledBytes(HashKind kind, const Layout& layout, bool poses = false);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Hash256 PerceptualHash(HashKind kind, const ImageView& image);

}  // namespace imgmill
