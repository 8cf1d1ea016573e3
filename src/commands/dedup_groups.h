// The reduce phase of dedup: who is a duplicate of whom, which one is kept, and why.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dedup_operation.h"
#include "imgmill/catalog/vector_file.h"

namespace imgmill {

/// By what a keeper is better than the best of its duplicates, in the order in which it is asked.
enum class KeepReason { kResolution, kColour, kCompression, kSharpness, kSize, kPath };
std::string_view ToString(KeepReason reason);

struct DuplicateGroup {
  struct Member {
    uint32_t index = 0;  ///< into the entries
    /// To the keeper: bits of the hashes, or 1 - cosine of the vectors; 0 for equal contents.
    double distance = 0;
    bool identical = false;    ///< the same bytes as the keeper
    bool same_pixels = false;  ///< the same pixels as the keeper, of which the looks say too little
  };
  uint32_t keeper = 0;
  KeepReason reason = KeepReason::kPath;
  std::vector<Member> members;  ///< without the keeper, in listing order
};

/// Groups by content (`by_hash` false), or by hash within `max_distance`. A picture that is not telling
/// (PictureNotes) has a hash that says nothing, as all ramps share one: it is compared by its pixels only, or
/// by content where they are not known. Groups are in the order of their keepers. Memory is leased for the
/// time of the search.
Result<std::vector<DuplicateGroup>> FindDuplicates(std::span<const DedupEntry> entries, bool by_hash,
                                                   int max_distance, int threads, MemoryManager& memory,
                                                   const StopFlag& stop);

/// The same by the cosine of vectors: entry i's is row `vector_row` of `vectors`, of length 1.
Result<std::vector<DuplicateGroup>> FindSimilarVectors(std::span<const DedupEntry> entries,
                                                       const VectorFile& vectors, double min_similarity,
                                                       int threads, MemoryManager& memory,
                                                       const StopFlag& stop);

}  // namespace imgmill
