// 64-bit perceptual hashes, bit for bit those of imagededup 0.3.3 on a full decode, computed row by row.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "imgmill/image/image.h"

namespace imgmill {

enum class HashKind { kPhash, kDhash, kAhash, kWhash };
std::string_view ToString(HashKind kind);
std::optional<HashKind> HashKindFromName(std::string_view name);

/// Feeds on 8-bit rows of 1 or 3 bands, top to bottom; holds a strip of W' x rows (W' at most 256), not the
/// image. The resize is Pillow's LANCZOS in fixed point, RGB first, then luma, so that the bits agree with
/// the peer's.
class PerceptualHasher {
 public:
  PerceptualHasher(HashKind kind, const Layout& layout);
  ~PerceptualHasher();
  void Add(const ImageView& rows);
  /// After the last row. Bit 63 is the first of the hash's bits: Hex() of imagededup is "%016x" of this.
  uint64_t Finish();
  /// Bytes it allocates from the current pool.
  static size_t PooledBytes(HashKind kind, const Layout& layout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

uint64_t PerceptualHash(HashKind kind, const ImageView& image);

}  // namespace imgmill
