// The hashes of an entry, as the searches by 64 and by 256 bits take them.
#pragma once

#include "dedup_groups.h"
#include "imgmill/similarity/grouping.h"

namespace imgmill {

/// @param by_look  whether looks are compared at all
inline bool IsComparedByLook(const DedupEntry& entry, const GroupRules& rules, bool by_look) {
  return by_look && entry.notes.telling() && entry.quality >= rules.least_quality;
}

/// The hash of an entry, of whichever length.
template <typename Hash>
Hash HashOf(const Hash256& hash) {
  if constexpr (sizeof(Hash) == sizeof(Hash256)) {
    return hash;
  } else {
    return hash[0];
  }
}

template <typename Hash>
PosedHashesOf<Hash> PosesFor(size_t count, const PoseSet& poses) {
  return poses.others() ? PosedHashesOf<Hash>(count, poses.size()) : PosedHashesOf<Hash>();
}

template <typename Hash>
void PutPoses(const PoseSet& poses, const DedupEntry& entry, size_t place, PosedHashesOf<Hash>& posed) {
  if (!poses.others()) return;
  for (size_t i = 0; i < poses.size(); ++i)
    posed.hashes[place * poses.size() + i] = HashOf<Hash>(entry.poses[static_cast<size_t>(poses[i])]);
}

inline size_t StoredPoses(const PoseSet& poses) {
  return poses.others() ? poses.size() : 0;
}

}  // namespace imgmill
