// What --method takes, a row each. A new hash is a row here, beside its own code (HashKind).
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/signals/perceptual_hash.h"

namespace imgmill {

/// What says that two images are duplicates, or may be.
enum class DedupBy {
  kContent,  ///< their bytes
  kHash,     ///< a hash of how they look
  kVectors,
  kNetwork  ///< that looks at both, where their hashes are near
};

struct DedupMethod {
  std::string_view name;
  DedupBy by = DedupBy::kHash;
  /// What makes the candidates.
  std::optional<HashKind> hash;
  /// Bits in which candidates may differ by default: among up to 50,000 images, up to 500,000, and more. So
  /// many that most copies are among them, and not too many strangers that the second look has to turn away.
  std::array<int, 3> distances = {14, 12, 10};
  /// The same where hashes are believed.
  int believed_distance = 10;

  /// 64 or 256; 64 where there is no hash.
  int bits() const { return hash ? HashBits(*hash) : 64; }
  /// Whether turned and mirrored images can be found, too.
  bool any_pose() const { return by == DedupBy::kHash || by == DedupBy::kVectors; }
  /// Whether a hash says of itself how much it tells.
  bool has_quality() const { return hash == HashKind::kPdq; }
  int Distance(bool believed, uint64_t images) const {
    return believed ? believed_distance : distances[images > 500'000 ? 2 : images > 50'000 ? 1 : 0];
  }
};

/// In the order in which help has them.
std::span<const DedupMethod> DedupMethods();
std::vector<std::string> DedupMethodNames();
/// Of a name that is none of theirs, the first one.
const DedupMethod& DedupMethodOf(std::string_view name);

}  // namespace imgmill
