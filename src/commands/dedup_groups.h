// The reduce phase of dedup: who is a duplicate of whom, which one is kept, and why.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dedup_operation.h"

namespace imgmill {

/// By what a keeper is better than the best of its duplicates, in the order in which it is asked.
enum class KeepReason { kResolution, kQuality, kSize, kPath };
std::string_view ToString(KeepReason reason);

struct DuplicateGroup {
  struct Member {
    uint32_t index = 0;      ///< into the entries
    int distance = 0;        ///< of the hashes, to the keeper; 0 for equal contents
    bool identical = false;  ///< the same bytes as the keeper
  };
  uint32_t keeper = 0;
  KeepReason reason = KeepReason::kPath;
  std::vector<Member> members;  ///< without the keeper, in listing order
};

/// Groups by content (`by_hash` false), or by hash within `max_distance`. A picture without any detail has a
/// hash that says nothing (all blank pictures share it): it is compared by content only. Groups are in the
/// order of their keepers. Memory is leased for the time of the search.
Result<std::vector<DuplicateGroup>> FindDuplicates(std::span<const DedupEntry> entries, bool by_hash,
                                                   int max_distance, int threads, MemoryManager& memory,
                                                   const StopFlag& stop);

}  // namespace imgmill
