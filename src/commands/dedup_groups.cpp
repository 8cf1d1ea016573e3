// Ranks the images, groups them best first, and says what decided.
#include "dedup_groups.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "imgmill/similarity/grouping.h"

namespace imgmill {
namespace {

int64_t Pixels(const DedupEntry& e) {
  return e.width * e.height;
}

/// Sharpness in steps of a factor of two. Finer differences between copies come from compression, whose block
/// edges even count as detail; then the larger file is the better witness.
int QualityStep(const DedupEntry& e) {
  return e.sharpness > 0 ? static_cast<int>(std::lround(std::log2(e.sharpness))) : -100;
}

/// The criterion that decides between two images; only equal paths leave it open.
KeepReason Better(const DedupEntry& a, const DedupEntry& b, bool& a_is_better) {
  if (Pixels(a) != Pixels(b)) return a_is_better = Pixels(a) > Pixels(b), KeepReason::kResolution;
  if (QualityStep(a) != QualityStep(b))
    return a_is_better = QualityStep(a) > QualityStep(b), KeepReason::kQuality;
  if (a.bytes != b.bytes) return a_is_better = a.bytes > b.bytes, KeepReason::kSize;
  return a_is_better = a.file.path < b.file.path, KeepReason::kPath;
}

bool IsBetter(const DedupEntry& a, const DedupEntry& b) {
  bool better = false;
  Better(a, b, better);
  return better;
}

/// The least telling criterion by which the keeper beats all members.
KeepReason ReasonFor(std::span<const DedupEntry> entries, const DuplicateGroup& group) {
  KeepReason reason = KeepReason::kResolution;
  for (const DuplicateGroup::Member& member : group.members) {
    bool better = false;
    reason = std::max(reason, Better(entries[group.keeper], entries[member.index], better));
  }
  return reason;
}

/// Groups of equal contents among `indices`.
void GroupByContent(std::span<const DedupEntry> entries, std::vector<uint32_t> indices,
                    std::vector<DuplicateGroup>& groups) {
  std::sort(indices.begin(), indices.end(), [&](uint32_t a, uint32_t b) {
    if (entries[a].content != entries[b].content) return entries[a].content < entries[b].content;
    return IsBetter(entries[a], entries[b]);
  });
  for (size_t first = 0; first < indices.size();) {
    size_t end = first + 1;
    while (end < indices.size() && entries[indices[end]].content == entries[indices[first]].content) ++end;
    if (end - first > 1) {
      DuplicateGroup group;
      group.keeper = indices[first];
      for (size_t i = first + 1; i < end; ++i) group.members.push_back({indices[i], 0, true});
      std::sort(group.members.begin(), group.members.end(),
                [](const auto& a, const auto& b) { return a.index < b.index; });
      groups.push_back(std::move(group));
    }
    first = end;
  }
}

}  // namespace

std::string_view ToString(KeepReason reason) {
  switch (reason) {
    case KeepReason::kResolution:
      return "resolution";
    case KeepReason::kQuality:
      return "quality";
    case KeepReason::kSize:
      return "size";
    case KeepReason::kPath:
      return "path";
  }
  return "unknown";
}

Result<std::vector<DuplicateGroup>> FindDuplicates(std::span<const DedupEntry> entries, bool by_hash,
                                                   int max_distance, int threads, MemoryManager& memory,
                                                   const StopFlag& stop) {
  std::vector<uint32_t> by_content;
  std::vector<uint32_t> hashed;  // entry of each hash
  for (uint32_t i = 0; i < entries.size(); ++i) {
    (by_hash && entries[i].sharpness > 0 ? hashed : by_content).push_back(i);
  }
  std::vector<DuplicateGroup> groups;
  GroupByContent(entries, std::move(by_content), groups);

  if (!hashed.empty()) {
    const size_t search = GroupByHammingBytes(hashed.size(), max_distance, threads);
    Result<Lease> lease = memory.Acquire({search, hashed.size() * 24}, stop);
    if (!lease) return lease.error();
    std::vector<uint32_t> best_first(hashed.size());
    std::iota(best_first.begin(), best_first.end(), 0u);
    std::sort(best_first.begin(), best_first.end(),
              [&](uint32_t a, uint32_t b) { return IsBetter(entries[hashed[a]], entries[hashed[b]]); });
    std::vector<uint32_t> rank(hashed.size());
    for (uint32_t place = 0; place < best_first.size(); ++place) rank[best_first[place]] = place;
    std::vector<uint64_t> hashes(hashed.size());
    for (size_t i = 0; i < hashed.size(); ++i) hashes[i] = entries[hashed[i]].hash;

    Result<std::vector<SimilarGroup>> similar = GroupByHamming(hashes, rank, max_distance, threads, stop);
    if (!similar) return similar.error();
    for (const SimilarGroup& found : *similar) {
      DuplicateGroup group;
      group.keeper = hashed[found.keeper];
      for (const SimilarGroup::Member& member : found.members) {
        const uint32_t index = hashed[member.index];
        group.members.push_back(
            {index, member.distance, entries[index].content == entries[group.keeper].content});
      }
      groups.push_back(std::move(group));
    }
  }
  for (DuplicateGroup& group : groups) group.reason = ReasonFor(entries, group);
  std::sort(groups.begin(), groups.end(),
            [](const DuplicateGroup& a, const DuplicateGroup& b) { return a.keeper < b.keeper; });
  return groups;
}

}  // namespace imgmill
