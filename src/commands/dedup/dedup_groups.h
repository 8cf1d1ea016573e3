// The reduce phase of dedup: who is a duplicate of whom, which one is kept, and why.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dedup_merit.h"
#include "dedup_pairs.h"
#include "dedup_poses.h"
#include "dedup_refused.h"
#include "dedup_second_look.h"
#include "imgmill/catalog/neighbour_notes.h"
#include "imgmill/catalog/vector_file.h"
#include "imgmill/similarity/grouping.h"
#include "imgmill/similarity/ivf_grouping.h"

namespace imgmill {

/// What the user wants of groups.
struct GroupRules {
  KeepOrder order;
  PairScope scope = PairScope::kAll;
  PoseSet poses;             ///< in which a duplicate may be; with a second look
  bool wide_hashes = false;  ///< of 256 bits, not 64
  int least_quality = 0;     ///< PDQ's, below which a hash says nothing
  GroupBy group_by = GroupBy::kKeeper;
};

/// Two images of a group of which none are less alike.
struct WeakestPair {
  uint32_t first = 0;      ///< the better one, or the one that the other was joined by
  DuplicateMember second;  ///< measured to `first`
  /// Whether two are less alike than two others: by the difference of what was laid upon each other, then by
  /// distance.
  static bool IsWeaker(const DuplicateMember& member, const DuplicateMember& than);
};

/// Indices are rows of the table of entries.
struct DuplicateGroups {
  using Member = DuplicateMember;
  struct Group {
    uint32_t keeper = 0;
    KeepReason reason = KeepReason::kPath;
    size_t first = 0;  ///< of its members
    size_t count = 0;
    size_t pair = kNone;  ///< of `pairs`
    static constexpr size_t kNone = SIZE_MAX;
  };
  std::vector<Group> groups;       ///< in the order of their keepers
  std::vector<Member> members;     ///< of one group after the other: without the keeper, in listing order
  std::vector<WeakestPair> pairs;  ///< the weakest ones of cliques; of other groups they are a member's
  RefusedPairs refused;            ///< settled

  std::span<const Member> MembersOf(const Group& group) const {
    return std::span(members).subspan(group.first, group.count);
  }
  /// Of equal ones the first.
  WeakestPair WeakestOf(const Group& group) const;
};

/// Groups by content (`by_hash` false), or by hash within `max_distance`. An image that is not telling
/// (ImageNotes), or of less than the least quality, has a hash that says nothing, as all ramps share one: it
/// is compared by its pixels only, or by content where they are not known. Of equally good ones the first
/// listed is kept. Memory is leased for the time of the search: GroupingBytes.
Result<DuplicateGroups> FindDuplicates(const DedupTable& entries, const GroupRules& rules, bool by_hash,
                                       int max_distance, int threads, MemoryManager& memory,
                                       const StopFlag& stop);

/// What FindDuplicates leases at most.
size_t GroupingBytes(uint64_t entries, const GroupRules& rules, bool by_hash, int max_distance, int threads);

/// Which entries have others near them by hash.
struct NearEntries {
  /// Of each row, whether there is any, or nobody asks since it is not compared by its looks: those without
  /// are in no group.
  std::vector<bool> may;
  /// The rows, ascending, that have one of another content near them that may be in a group with them: those
  /// that FindVerified asks about.
  std::vector<uint32_t> candidates;
};
/// Memory is leased as for FindVerified.
/// @param notes  of an earlier search for the same hashes at that distance, so that only others are searched
///   for, and of this one from then on; may be null. The result is the same either way.
Result<NearEntries> FindNear(const DedupTable& entries, const GroupRules& rules, int max_distance,
                             int threads, MemoryManager& memory, const StopFlag& stop,
                             const NeighbourNotes* notes = nullptr);

/// Groups by hash within `max_distance`, of what a second look says, too. What that holds is leased with the
/// rest.
/// @param may  FindNear's: others are not looked at
Result<DuplicateGroups> FindVerified(const DedupTable& entries, const std::vector<bool>& may,
                                     const GroupRules& rules, int max_distance, SecondLooker& looker,
                                     int threads, MemoryManager& memory, const StopFlag& stop);

/// What the two lease at most, without what the look holds.
size_t VerifyingBytes(uint64_t entries, const GroupRules& rules, int max_distance, int threads);

/// How near vectors are found.
struct VectorSearch {
  double min_similarity = 0;
  bool ivf = false;
  GroupBy group_by = GroupBy::kKeeper;
  /// In which keepers are compared, too; `ivf` knows none.
  size_t other_poses = 0;
  /// Fewer vectors than this are compared exactly all the same: that takes no longer (docs/benchmarks.md).
  static constexpr size_t kIvfFrom = 10'000;
  bool ByLists(size_t vectors) const { return ivf && vectors >= kIvfFrom; }
  /// What comparing so many leases.
  Footprint Needs(size_t vectors, int dimension, int threads) const;
};

/// The vectors of length 1 that a run has made or found: entry i's is row `vector_row` of `own`.
struct DedupVectors {
  const VectorFile* own = nullptr;  ///< null where there are none
  const VectorFile* posed =
      nullptr;  ///< of the rules' poses but the first, behind one another in `posed_row`
};

/// Groups by the cosine of vectors, which are there; that of a pair is the largest over the keeper's poses.
/// @param report  what a search by lists says of itself; nothing where all were compared exactly
Result<DuplicateGroups> FindSimilarVectors(const DedupTable& entries, const GroupRules& rules,
                                           const DedupVectors& vectors, const VectorSearch& how, int threads,
                                           MemoryManager& memory, const StopFlag& stop,
                                           std::optional<IvfReport>& report);

}  // namespace imgmill
