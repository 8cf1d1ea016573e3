// The reduce phase of dedup: who is a duplicate of whom, which one is kept, and why.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "dedup_operation.h"
#include "dedup_second_look.h"
#include "imgmill/catalog/vector_file.h"
#include "imgmill/similarity/grouping.h"

namespace imgmill {

/// By what a keeper is better than the best of its duplicates, in the order in which it is asked.
enum class KeepReason { kResolution, kColour, kCompression, kSharpness, kSize, kPath };
std::string_view ToString(KeepReason reason);

/// Indices are rows of the table of entries.
struct DuplicateGroups {
  struct Member {
    uint32_t index = 0;
    bool by_look = false;  ///< else it has the very pixels or bytes of the keeper
    /// To the keeper: bits of the hashes, 1 - cosine of the vectors, or LPIPS; 0 for equal contents.
    double distance = 0;
    SecondLook look = {};  ///< at it and the keeper, where one was taken
  };
  struct Group {
    uint32_t keeper = 0;
    KeepReason reason = KeepReason::kPath;
    size_t first = 0;  ///< of its members
    size_t count = 0;
  };
  std::vector<Group> groups;    ///< in the order of their keepers
  std::vector<Member> members;  ///< of one group after the other: without the keeper, in listing order

  std::span<const Member> MembersOf(const Group& group) const {
    return std::span(members).subspan(group.first, group.count);
  }
};

/// Groups by content (`by_hash` false), or by hash within `max_distance`. An image that is not telling
/// (ImageNotes) has a hash that says nothing, as all ramps share one: it is compared by its pixels only, or
/// by content where they are not known. Of equally good ones the first listed is kept. Memory is leased for
/// the time of the search: GroupingBytes.
Result<DuplicateGroups> FindDuplicates(const DedupTable& entries, bool by_hash, int max_distance, int threads,
                                       MemoryManager& memory, const StopFlag& stop);

/// What FindDuplicates leases at most.
size_t GroupingBytes(uint64_t entries, bool by_hash, int max_distance, int threads);

/// The rows of the entries that have one of another content near them by hash, in ascending order: those that
/// FindVerified asks about. Memory is leased as for it.
Result<std::vector<uint32_t>> FindCandidates(const DedupTable& entries, int max_distance,
                                             MemoryManager& memory, const StopFlag& stop);

/// Groups by hash within `max_distance`, of what a second look says, too. What that holds is leased with the
/// rest.
Result<DuplicateGroups> FindVerified(const DedupTable& entries, int max_distance, SecondLooker& looker,
                                     int threads, MemoryManager& memory, const StopFlag& stop);

/// What the two lease at most, without what the look holds.
size_t VerifyingBytes(uint64_t entries, int max_distance);

/// Groups by the cosine of vectors: entry i's is row `vector_row` of `vectors`, of length 1.
Result<DuplicateGroups> FindSimilarVectors(const DedupTable& entries, const VectorFile& vectors,
                                           double min_similarity, int threads, MemoryManager& memory,
                                           const StopFlag& stop);

}  // namespace imgmill
