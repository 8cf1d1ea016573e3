// Ranks the images, groups them best first, and says what decided.
#include "dedup_groups.h"

#include <sys/stat.h>

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
int SharpnessStep(const DedupEntry& e) {
  return e.notes.sharpness > 0 ? static_cast<int>(std::lround(std::log2(e.notes.sharpness))) : -100;
}

int64_t ShortSide(const DedupEntry& e) {
  return std::min(e.width, e.height);
}

bool IsLink(const DedupEntry& e) {
  struct stat info = {};
  return ::lstat(e.file.path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

/// The criterion that decides between two images; only equal paths leave it open. One number of each image
/// after the other, so that there are no cycles; and what is compared was measured alike: images of equal
/// sides and fidelity are all read at the same fraction of their size.
KeepReason Better(const DedupEntry& a, const DedupEntry& b, bool& a_is_better) {
  if (Pixels(a) != Pixels(b)) return a_is_better = Pixels(a) > Pixels(b), KeepReason::kResolution;
  if (ShortSide(a) != ShortSide(b)) return a_is_better = ShortSide(a) > ShortSide(b), KeepReason::kResolution;
  if (a.notes.shows_colour != b.notes.shows_colour)
    return a_is_better = a.notes.shows_colour != 0, KeepReason::kColour;
  if (a.notes.fidelity != b.notes.fidelity)
    return a_is_better = a.notes.fidelity > b.notes.fidelity, KeepReason::kCompression;
  if (SharpnessStep(a) != SharpnessStep(b))
    return a_is_better = SharpnessStep(a) > SharpnessStep(b), KeepReason::kSharpness;
  if (a.bytes != b.bytes) return a_is_better = a.bytes > b.bytes, KeepReason::kSize;
  // A link that outlived what it leads to would keep nothing.
  if (const bool a_is_link = IsLink(a); a_is_link != IsLink(b))
    return a_is_better = !a_is_link, KeepReason::kPath;
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

/// What two images share that are the same for sure: pixels, or bytes where the pixels are not known. Equal
/// bytes have equal pixels, so nothing is lost by looking at the pixels alone.
const ContentDigest& Sameness(const DedupEntry& e) {
  return e.notes.pixels != ContentDigest{} ? e.notes.pixels : e.content;
}

/// Groups of the same ones among `indices`.
void GroupBySameness(std::span<const DedupEntry> entries, std::vector<uint32_t> indices,
                     std::vector<DuplicateGroup>& groups) {
  std::sort(indices.begin(), indices.end(), [&](uint32_t a, uint32_t b) {
    if (Sameness(entries[a]) != Sameness(entries[b])) return Sameness(entries[a]) < Sameness(entries[b]);
    return IsBetter(entries[a], entries[b]);
  });
  for (size_t first = 0; first < indices.size();) {
    const DedupEntry& keeper = entries[indices[first]];
    size_t end = first + 1;
    while (end < indices.size() && Sameness(entries[indices[end]]) == Sameness(keeper)) ++end;
    if (end - first > 1) {
      DuplicateGroup group;
      group.keeper = indices[first];
      for (size_t i = first + 1; i < end; ++i) {
        const bool identical = entries[indices[i]].content == keeper.content;
        group.members.push_back({indices[i], 0, identical, !identical});
      }
      std::sort(group.members.begin(), group.members.end(),
                [](const auto& a, const auto& b) { return a.index < b.index; });
      groups.push_back(std::move(group));
    }
    first = end;
  }
}

/// Those that are compared by their looks; the others are put into groups of the same ones.
std::vector<uint32_t> Telling(std::span<const DedupEntry> entries, bool by_look,
                              std::vector<DuplicateGroup>& groups) {
  std::vector<uint32_t> others;
  std::vector<uint32_t> compared;
  for (uint32_t i = 0; i < entries.size(); ++i) {
    (by_look && entries[i].notes.telling() ? compared : others).push_back(i);
  }
  GroupBySameness(entries, std::move(others), groups);
  return compared;
}

/// The place of each among `compared`, the best first.
std::vector<uint32_t> Ranks(std::span<const DedupEntry> entries, const std::vector<uint32_t>& compared) {
  std::vector<uint32_t> best_first(compared.size());
  std::iota(best_first.begin(), best_first.end(), 0u);
  std::sort(best_first.begin(), best_first.end(),
            [&](uint32_t a, uint32_t b) { return IsBetter(entries[compared[a]], entries[compared[b]]); });
  std::vector<uint32_t> rank(compared.size());
  for (uint32_t place = 0; place < best_first.size(); ++place) rank[best_first[place]] = place;
  return rank;
}

/// A group of places in `compared`, as one of entries.
template <typename Measure, typename DistanceOf>
DuplicateGroup GroupOf(std::span<const DedupEntry> entries, const std::vector<uint32_t>& compared,
                       const KeeperGroup<Measure>& found, const DistanceOf& distance_of) {
  DuplicateGroup group;
  group.keeper = compared[found.keeper];
  for (const auto& member : found.members) {
    const uint32_t index = compared[member.index];
    group.members.push_back(
        {index, distance_of(member.measure), entries[index].content == entries[group.keeper].content, false});
  }
  return group;
}

void Finish(std::span<const DedupEntry> entries, std::vector<DuplicateGroup>& groups) {
  for (DuplicateGroup& group : groups) group.reason = ReasonFor(entries, group);
  std::sort(groups.begin(), groups.end(),
            [](const DuplicateGroup& a, const DuplicateGroup& b) { return a.keeper < b.keeper; });
}

}  // namespace

std::string_view ToString(KeepReason reason) {
  switch (reason) {
    case KeepReason::kResolution:
      return "resolution";
    case KeepReason::kColour:
      return "colour";
    case KeepReason::kCompression:
      return "compression";
    case KeepReason::kSharpness:
      return "sharpness";
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
  std::vector<DuplicateGroup> groups;
  const std::vector<uint32_t> compared = Telling(entries, by_hash, groups);
  if (!compared.empty()) {
    const size_t search = GroupByHammingBytes(compared.size(), max_distance, threads);
    Result<Lease> lease = memory.Acquire({search, compared.size() * 24}, stop);
    if (!lease) return lease.error();
    const std::vector<uint32_t> rank = Ranks(entries, compared);
    std::vector<uint64_t> hashes(compared.size());
    for (size_t i = 0; i < compared.size(); ++i) hashes[i] = entries[compared[i]].hash;
    Result<std::vector<HammingGroup>> similar = GroupByHamming(hashes, rank, max_distance, threads, stop);
    if (!similar) return similar.error();
    for (const HammingGroup& found : *similar) {
      groups.push_back(
          GroupOf(entries, compared, found, [](int distance) { return static_cast<double>(distance); }));
    }
  }
  Finish(entries, groups);
  return groups;
}

Result<std::vector<DuplicateGroup>> FindSimilarVectors(std::span<const DedupEntry> entries,
                                                       const VectorFile& vectors, double min_similarity,
                                                       int threads, MemoryManager& memory,
                                                       const StopFlag& stop) {
  std::vector<DuplicateGroup> groups;
  const std::vector<uint32_t> compared = Telling(entries, true, groups);
  if (!compared.empty()) {
    const int dimension = vectors.dimension();
    Result<Lease> lease = memory.Acquire({GroupByCosineBytes(compared.size(), dimension, threads),
                                          SearchWindowBytes(dimension, threads) + compared.size() * 24},
                                         stop);
    if (!lease) return lease.error();
    const std::vector<uint32_t> rank = Ranks(entries, compared);
    std::vector<uint64_t> rows(compared.size());
    for (size_t i = 0; i < compared.size(); ++i) rows[i] = entries[compared[i]].vector_row;
    const VectorRows look{dimension, [&](uint64_t first, uint64_t count, const auto& see) {
                            return vectors.Look(first, count, see);
                          }};
    Result<std::vector<CosineGroup>> similar =
        GroupByCosine(look, rows, rank, static_cast<float>(min_similarity), threads, stop);
    if (!similar) return similar.error();
    for (const CosineGroup& found : *similar) {
      groups.push_back(
          GroupOf(entries, compared, found, [](float cosine) { return 1 - static_cast<double>(cosine); }));
    }
  }
  Finish(entries, groups);
  return groups;
}

}  // namespace imgmill
