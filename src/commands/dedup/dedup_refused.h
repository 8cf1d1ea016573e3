// Pairs that are near by hash or vector and that the second look turned away: how many, and the closest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "imgmill/similarity/grouping.h"

namespace imgmill {

/// Whether an image of a group is a file of its own.
enum class DuplicateLink : uint8_t {
  kNone,      ///< it is
  kSymbolic,  ///< it is a symbolic link
  kHard,      ///< another name of the keeper's file, or of that of a member before it
  kSameFile   ///< the same, by the same name: seen by two paths, as through two mounts
};

/// Of a group, or what one was not to have. `index` is a row of the table of entries.
struct DuplicateMember {
  uint32_t index = 0;
  bool by_look = false;  ///< else it has the very pixels or bytes of the keeper
  /// To `via`: bits of the hashes, 1 - cosine of the vectors, or LPIPS; 0 for equal contents.
  double distance = 0;
  SecondLook look = {};  ///< at it and `via`, where one was taken
  uint32_t pose = 0;     ///< into which `via` has to be brought to look like it
  DuplicateLink link = DuplicateLink::kNone;
  /// What the above is to, where that is not the keeper: the next one on the way there.
  static constexpr uint32_t kKeeper = UINT32_MAX;
  uint32_t via = kKeeper;
};

struct RefusedMember {
  uint32_t keeper = 0;
  DuplicateMember member;
  bool laid = false;  ///< else it could not be laid upon the keeper, and there is no look
};

/// Counts them all and holds the closest few thousand: some 200 KiB, however many there are.
class RefusedPairs {
 public:
  static constexpr size_t kHeld = 4096;

  void Add(const RefusedMember& pair);
  /// Forgets those that became duplicates of another keeper, and sorts the others. Nothing is added after it.
  void Settle(std::span<const DuplicateMember> members);

  uint64_t count() const { return count_; }
  /// The closest first: those of the least difference, then those that could not be laid, by distance.
  std::span<const RefusedMember> closest() const { return closest_; }

 private:
  uint64_t count_ = 0;
  std::vector<RefusedMember> closest_;  ///< a heap, the farthest on top, until Settle
};

}  // namespace imgmill
