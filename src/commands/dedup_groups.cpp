// Ranks the images, groups them best first, and says what decided.
#include "dedup_groups.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/try.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/grouping.h"

namespace imgmill {
namespace {

/// What decides between two images, one number after the other, so that there are no cycles; and what is
/// compared was measured alike: images of equal sides and fidelity are all read at the same fraction of their
/// size.
struct Merit {
  int64_t pixels = 0;
  int64_t bytes = 0;
  int32_t short_side = 0;
  uint32_t fidelity = 0;
  int16_t sharpness = 0;
  bool shows_colour = false;
  bool is_link = false;  ///< one that outlived what it leads to would keep nothing
};

/// Sharpness in steps of a factor of two. Finer differences between copies come from compression, whose block
/// edges even count as detail; then the larger file is the better witness.
int16_t SharpnessStep(double sharpness) {
  return static_cast<int16_t>(sharpness > 0 ? std::lround(std::log2(sharpness)) : -100);
}

Merit MeritOf(const DedupEntry& e) {
  return {e.width * e.height,
          e.bytes,
          static_cast<int32_t>(std::min(e.width, e.height)),
          e.notes.fidelity,
          SharpnessStep(e.notes.sharpness),
          e.notes.shows_colour != 0,
          e.is_link};
}

/// The criterion that decides between two images. What leaves it open is their order in the listing.
KeepReason Better(const Merit& a, const Merit& b, bool& a_is_better, bool a_is_first) {
  if (a.pixels != b.pixels) return a_is_better = a.pixels > b.pixels, KeepReason::kResolution;
  if (a.short_side != b.short_side) return a_is_better = a.short_side > b.short_side, KeepReason::kResolution;
  if (a.shows_colour != b.shows_colour) return a_is_better = a.shows_colour, KeepReason::kColour;
  if (a.fidelity != b.fidelity) return a_is_better = a.fidelity > b.fidelity, KeepReason::kCompression;
  if (a.sharpness != b.sharpness) return a_is_better = a.sharpness > b.sharpness, KeepReason::kSharpness;
  if (a.bytes != b.bytes) return a_is_better = a.bytes > b.bytes, KeepReason::kSize;
  if (a.is_link != b.is_link) return a_is_better = !a.is_link, KeepReason::kPath;
  return a_is_better = a_is_first, KeepReason::kPath;
}

/// A rank that is kept, and one that is sorted.
constexpr size_t kRankBytes = 2 * sizeof(uint32_t);

/// Whose memory the reduce holds for a while.
struct Held {
  MemoryManager& memory;
  const StopFlag& stop;
};

/// The merits of all entries while `use` looks at them.
Status WithMerits(const DedupTable& entries, const Held& held, size_t more_bytes,
                  const std::function<void(std::span<const Merit>)>& use) {
  Lease lease = TRY(held.memory.Acquire({entries.size() * (sizeof(Merit) + more_bytes), 0}, held.stop));
  PoolArray<Merit> merits(entries.size());
  size_t next = 0;
  const Status read = entries.ForEach([&](const DedupEntry& entry) {
    merits[next++] = MeritOf(entry);
    return Status();
  });
  if (read) use(merits.span());
  return read;
}

/// The place of each entry, the best first.
Result<std::vector<uint32_t>> RankAll(const DedupTable& entries, const Held& held) {
  std::vector<uint32_t> rank(entries.size());
  const Status ranked = WithMerits(entries, held, kRankBytes, [&](std::span<const Merit> merits) {
    PoolArray<uint32_t> best_first(merits.size());
    for (uint32_t i = 0; i < merits.size(); ++i) best_first[i] = i;
    std::sort(best_first.begin(), best_first.end(), [&](uint32_t a, uint32_t b) {
      bool better = false;
      Better(merits[a], merits[b], better, a < b);
      return better;
    });
    for (uint32_t place = 0; place < merits.size(); ++place) rank[best_first[place]] = place;
  });
  return ranked ? Result<std::vector<uint32_t>>(std::move(rank)) : ranked.error();
}

/// Sets the reasons: the least telling criterion by which a keeper beats all its members.
Status FindReasons(const DedupTable& entries, const Held& held, DuplicateGroups& found) {
  if (found.groups.empty()) return {};
  return WithMerits(entries, held, 0, [&](std::span<const Merit> merits) {
    for (DuplicateGroups::Group& group : found.groups) {
      group.reason = KeepReason::kResolution;
      for (const DuplicateGroups::Member& member : found.MembersOf(group)) {
        bool better = false;
        group.reason =
            std::max(group.reason, Better(merits[group.keeper], merits[member.index], better, true));
      }
    }
  });
}

/// What two images share that are the same for sure: pixels, or bytes where the pixels are not known. Equal
/// bytes have equal pixels, so nothing is lost by looking at the pixels alone.
struct Sameness {
  ContentDigest what;
  uint32_t rank = 0;
  uint32_t index = 0;
};

bool IsComparedByLook(const DedupEntry& entry, bool by_look) {
  return by_look && entry.notes.telling();
}

void AddGroup(uint32_t keeper, size_t first, DuplicateGroups& found) {
  std::sort(found.members.begin() + static_cast<std::ptrdiff_t>(first), found.members.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  found.groups.push_back({keeper, KeepReason::kPath, first, found.members.size() - first});
}

/// Groups of the same ones among those whose looks say nothing.
/// @param others  how many these are.
Status GroupBySameness(const DedupTable& entries, bool by_look, size_t others, std::span<const uint32_t> rank,
                       const Held& held, DuplicateGroups& found) {
  if (others == 0) return {};
  Lease lease = TRY(held.memory.Acquire({others * sizeof(Sameness), rank.size_bytes()}, held.stop));
  PoolArray<Sameness> same(others);
  uint32_t index = 0;
  size_t next = 0;
  const Status read = entries.ForEach([&](const DedupEntry& e) {
    if (!IsComparedByLook(e, by_look))
      same[next++] = {e.notes.pixels != ContentDigest{} ? e.notes.pixels : e.content, rank[index], index};
    ++index;
    return Status();
  });
  if (!read) return read;
  std::sort(same.begin(), same.end(), [](const Sameness& a, const Sameness& b) {
    return a.what != b.what ? a.what < b.what : a.rank < b.rank;
  });
  for (size_t first = 0; first < others;) {
    size_t end = first + 1;
    const size_t members = found.members.size();
    for (; end < others && same[end].what == same[first].what; ++end)
      found.members.push_back({same[end].index, false, 0, {}});
    if (end - first > 1) AddGroup(same[first].index, members, found);
    first = end;
  }
  return {};
}

/// How those are grouped whose looks are compared, by a number of each: its hash, or its vector's row.
template <typename Measure>
struct SimilaritySearch {
  std::function<uint64_t(const DedupEntry&)> key;
  std::function<Footprint(size_t count)> bytes;
  /// @param rows  of the entries that the keys are of
  std::function<Result<std::vector<KeeperGroup<Measure>>>(RankedKeys, std::span<const uint32_t> rows)> group;
  /// What is told of a member by its measure, beside its index.
  std::function<DuplicateGroups::Member(Measure)> describe;
};

template <typename Measure>
Status GroupByLook(const DedupTable& entries, size_t compared, std::vector<uint32_t> rank,
                   const SimilaritySearch<Measure>& search, const Held& held, DuplicateGroups& found) {
  if (compared == 0) return {};
  const Footprint own = {compared * sizeof(uint32_t), rank.size() * sizeof(uint32_t)};
  Lease lease = TRY(held.memory.Acquire(search.bytes(compared) + own, held.stop));
  PoolArray<uint32_t> rows(compared);
  RankedKeys looks(compared);
  uint32_t row = 0;
  size_t next = 0;
  const Status read = entries.ForEach([&](const DedupEntry& entry) {
    if (IsComparedByLook(entry, true)) {
      looks.keys[next] = search.key(entry);
      looks.order[next] = rank[row];
      rows[next++] = row;
    }
    ++row;
    return Status();
  });
  if (!read) return read;
  rank = {};
  const std::vector<KeeperGroup<Measure>> similar = TRY(search.group(std::move(looks), rows.span()));
  for (const KeeperGroup<Measure>& group : similar) {
    const size_t first = found.members.size();
    for (const auto& member : group.members) {
      found.members.push_back(search.describe(member.measure));
      found.members.back().index = rows[member.index];
      found.members.back().by_look = true;
    }
    AddGroup(rows[group.keeper], first, found);
  }
  return {};
}

template <typename Measure>
Result<DuplicateGroups> Find(const DedupTable& entries, bool by_look, const SimilaritySearch<Measure>& search,
                             const Held& held) {
  DuplicateGroups found;
  size_t compared = 0;
  const Status counted = entries.ForEach([&](const DedupEntry& entry) {
    compared += IsComparedByLook(entry, by_look) ? 1 : 0;
    return Status();
  });
  if (!counted) return counted.error();
  {
    std::vector<uint32_t> rank = TRY(RankAll(entries, held));
    TRY(GroupBySameness(entries, by_look, entries.size() - compared, rank, held, found));
    TRY(GroupByLook(entries, compared, std::move(rank), search, held, found));
  }
  std::sort(found.groups.begin(), found.groups.end(),
            [](const auto& a, const auto& b) { return a.keeper < b.keeper; });
  TRY(FindReasons(entries, held, found));
  return found;
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

Result<DuplicateGroups> FindDuplicates(const DedupTable& entries, bool by_hash, int max_distance, int threads,
                                       MemoryManager& memory, const StopFlag& stop) {
  SimilaritySearch<int> search;
  search.key = [](const DedupEntry& entry) { return entry.hash; };
  search.bytes = [&](size_t count) {
    return Footprint{GroupByHammingBytes(count, max_distance, threads), 0};
  };
  search.group = [&](RankedKeys hashes, std::span<const uint32_t>) {
    return GroupByHamming(std::move(hashes), max_distance, threads, stop);
  };
  search.describe = [](int bits) { return DuplicateGroups::Member{.distance = static_cast<double>(bits)}; };
  return Find(entries, by_hash, search, {memory, stop});
}

size_t GroupingBytes(uint64_t entries, bool by_hash, int max_distance, int threads) {
  const size_t searching =
      by_hash ? GroupByHammingBytes(entries, max_distance, threads) + entries * 2 * sizeof(uint32_t) : 0;
  return std::max(searching, entries * (sizeof(Merit) + kRankBytes));
}

Result<std::vector<uint32_t>> FindCandidates(const DedupTable& entries, int max_distance,
                                             MemoryManager& memory, const StopFlag& stop) {
  Lease lease = TRY(memory.Acquire({VerifyingBytes(entries.size(), max_distance), 0}, stop));
  PoolArray<uint64_t> hashes(entries.size());
  PoolArray<uint32_t> rows(entries.size());
  PoolArray<ContentDigest> contents(entries.size());
  size_t compared = 0;
  uint32_t row = 0;
  const Status read = entries.ForEach([&](const DedupEntry& entry) {
    if (IsComparedByLook(entry, true)) {
      hashes[compared] = entry.hash;
      contents[compared] = entry.content;
      rows[compared++] = row;
    }
    ++row;
    return Status();
  });
  if (!read) return read.error();
  std::vector<uint32_t> candidates;
  const auto differs = [&](uint32_t item, uint32_t other) { return contents[item] != contents[other]; };
  TRY(WithNeighbours(hashes.span().first(compared), max_distance, differs, stop,
                     [&](uint32_t item) { candidates.push_back(rows[item]); }));
  return candidates;
}

Result<DuplicateGroups> FindVerified(const DedupTable& entries, int max_distance, SecondLooker& looker,
                                     int threads, MemoryManager& memory, const StopFlag& stop) {
  const int asking = looker.Threads(threads);
  SimilaritySearch<VerifiedMeasure> search;
  search.key = [](const DedupEntry& entry) { return entry.hash; };
  search.bytes = [&](size_t count) {
    return Footprint{VerifiedGroupingBytes(count, max_distance), 0} + looker.Held(asking);
  };
  search.group = [&](RankedKeys hashes, std::span<const uint32_t> rows) {
    looker.Prepare(asking);
    const auto by_row = [&](int thread, uint32_t keeper, uint32_t other) {
      return looker.Look(thread, rows[keeper], rows[other]);
    };
    return GroupVerified(std::move(hashes), max_distance, by_row, asking, stop);
  };
  search.describe = [&](const VerifiedMeasure& measure) {
    const double distance =
        looker.measures_distance() ? measure.look.difference : static_cast<double>(measure.distance);
    return DuplicateGroups::Member{.distance = distance, .look = measure.look};
  };
  return Find(entries, true, search, {memory, stop});
}

size_t VerifyingBytes(uint64_t entries, int max_distance) {
  // Candidates are sought among contents, and then grouped by ranks.
  return std::max(VerifiedGroupingBytes(entries, max_distance) +
                      entries * std::max(sizeof(ContentDigest), 2 * sizeof(uint32_t)),
                  entries * (sizeof(Merit) + kRankBytes));
}

Result<DuplicateGroups> FindSimilarVectors(const DedupTable& entries, const VectorFile& vectors,
                                           double min_similarity, int threads, MemoryManager& memory,
                                           const StopFlag& stop) {
  const int dimension = vectors.dimension();
  const VectorRows look{dimension, [&](uint64_t first, uint64_t count, const auto& see) {
                          return vectors.View(first, count, see);
                        }};
  SimilaritySearch<float> search;
  search.key = [](const DedupEntry& entry) { return entry.vector_row; };
  search.bytes = [&](size_t count) {
    return Footprint{GroupByCosineBytes(count, dimension, threads), SearchWindowBytes(dimension, threads)};
  };
  search.group = [&](RankedKeys rows, std::span<const uint32_t>) {
    return GroupByCosine(look, std::move(rows), static_cast<float>(min_similarity), threads, stop);
  };
  search.describe = [](float cosine) {
    return DuplicateGroups::Member{.distance = 1 - static_cast<double>(cosine)};
  };
  return Find(entries, true, search, {memory, stop});
}

}  // namespace imgmill
