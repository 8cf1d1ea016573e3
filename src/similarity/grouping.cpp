// Groups around keepers, best first: blocks of candidates look for their neighbours in parallel, then take
// them one candidate after another.
#include "imgmill/similarity/grouping.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numeric>
#include <optional>

#include "imgmill/memory/pool_array.h"
#include "similarity/hamming_index.h"
#include "similarity/search_threads.h"

namespace imgmill {
namespace {

constexpr size_t kLargestBlock = 4096;
// Neighbours that one thread may keep of a block. Who has more is asked again when its turn comes.
constexpr size_t kNeighboursHeld = 65536;
// Below this many hashes an index is not worth making again.
constexpr size_t kSmallestReindex = 4096;

// Items with equal hashes share their fate, so the search knows them as one class.
struct Class {
  uint64_t hash = 0;
  uint32_t first = 0;  // its items are items[first] .. items[last - 1], best first
  uint32_t last = 0;
};

struct Neighbour {
  uint32_t class_id = 0;
  int distance = 0;
};

class Grouping {
 public:
  Grouping(std::span<const uint64_t> hashes, std::span<const uint32_t> order, int radius, int threads)
      : radius_(radius), items_(hashes.size()), taken_(hashes.size()), indexed_(hashes.size()) {
    MakeClasses(hashes, order);
    for (int t = 0; t < threads; ++t) found_.emplace_back(kNeighboursHeld);
    Reindex();
  }

  Result<std::vector<SimilarGroup>> Run(const StopFlag& stop) {
    size_t limit = 64;
    while (FillBlock(limit)) {
      if (stop.StopRequested()) {
        return Error{Stage::kReduce, Code::kInterrupted, "stopped while grouping hashes"};
      }
      const int threads = static_cast<int>(std::min(found_.size(), block_.size()));
      OnThreads(threads, [&](int t) { Search(static_cast<size_t>(t), static_cast<size_t>(threads)); });
      const size_t taken_by_others = Commit();
      // Where most candidates went into one another's groups, their searches were for nothing.
      limit = taken_by_others * 2 > block_.size() ? std::max<size_t>(limit / 4, found_.size())
                                                  : std::min(limit * 2, kLargestBlock);
      if (indexed_count_ > kSmallestReindex && live_ * 2 < indexed_count_) Reindex();
    }
    std::sort(groups_.begin(), groups_.end());
    return std::move(groups_);
  }

 private:
  struct Candidate {
    uint32_t class_id = 0;
    size_t thread = 0;
    size_t first = 0;  // its neighbours are found_[thread][first] .. [last - 1]
    size_t last = 0;
    bool complete = false;
  };

  void MakeClasses(std::span<const uint64_t> hashes, std::span<const uint32_t> order) {
    std::iota(items_.begin(), items_.end(), uint32_t{0});
    const auto better = [&](uint32_t a, uint32_t b) {
      return order[a] != order[b] ? order[a] < order[b] : a < b;
    };
    std::sort(items_.begin(), items_.end(), [&](uint32_t a, uint32_t b) {
      return hashes[a] != hashes[b] ? hashes[a] < hashes[b] : better(a, b);
    });
    const auto starts_class = [&](size_t i) { return i == 0 || hashes[items_[i]] != hashes[items_[i - 1]]; };
    size_t count = 0;
    for (size_t i = 0; i < items_.size(); ++i) count += starts_class(i) ? 1 : 0;
    classes_ = PoolArray<Class>(count);
    size_t c = 0;
    for (size_t i = 0; i < items_.size(); ++i) {
      if (starts_class(i)) classes_[c++] = {hashes[items_[i]], static_cast<uint32_t>(i), 0};
      classes_[c - 1].last = static_cast<uint32_t>(i + 1);
    }
    std::sort(classes_.begin(), classes_.end(),
              [&](const Class& a, const Class& b) { return better(items_[a.first], items_[b.first]); });
    taken_.Fill(0);
    live_ = count;
  }

  // Whoever is taken is skipped by every search; an index without them is faster.
  void Reindex() {
    index_.reset();
    PoolArray<uint64_t> hashes(live_);
    indexed_count_ = 0;
    for (size_t c = 0; c < classes_.size(); ++c) {
      if (taken_[c] != 0) continue;
      hashes[indexed_count_] = classes_[c].hash;
      indexed_[indexed_count_++] = static_cast<uint32_t>(c);
    }
    index_.emplace(hashes.span(), radius_);
  }

  bool FillBlock(size_t limit) {
    block_.clear();
    for (; next_ < classes_.size() && block_.size() < limit; ++next_) {
      if (taken_[next_] == 0) block_.push_back({.class_id = static_cast<uint32_t>(next_)});
    }
    return !block_.empty();
  }

  // Every thread searches for each `threads`-th candidate. taken_ does not change meanwhile.
  void Search(size_t thread, size_t threads) {
    PoolArray<Neighbour>& found = found_[thread];
    size_t used = 0;
    for (size_t i = thread; i < block_.size(); i += threads) {
      Candidate& candidate = block_[i];
      candidate.thread = thread;
      candidate.first = used;
      candidate.complete = true;
      index_->Query(classes_[candidate.class_id].hash, [&](uint32_t position, int distance) {
        const uint32_t other = indexed_[position];
        if (other == candidate.class_id || taken_[other] != 0) return true;
        if (used == found.size()) return candidate.complete = false;
        found[used++] = {other, distance};
        return true;
      });
      candidate.last = used;
    }
  }

  // @return how many candidates were taken by better ones of the same block
  size_t Commit() {
    size_t taken_by_others = 0;
    for (const Candidate& candidate : block_) {
      if (taken_[candidate.class_id] != 0) {
        ++taken_by_others;
        continue;
      }
      SimilarGroup group;
      const Class& own = classes_[candidate.class_id];
      group.keeper = items_[own.first];
      Take(group, candidate.class_id, 0, own.first + 1);
      const auto take = [&](uint32_t other, int distance) {
        if (taken_[other] == 0) Take(group, other, distance, classes_[other].first);
      };
      if (candidate.complete) {
        for (size_t i = candidate.first; i < candidate.last; ++i) {
          take(found_[candidate.thread][i].class_id, found_[candidate.thread][i].distance);
        }
      } else {
        index_->Query(own.hash, [&](uint32_t position, int distance) {
          take(indexed_[position], distance);
          return true;
        });
      }
      if (group.members.empty()) continue;
      std::sort(group.members.begin(), group.members.end());
      groups_.push_back(std::move(group));
    }
    return taken_by_others;
  }

  void Take(SimilarGroup& group, uint32_t class_id, int distance, size_t first_item) {
    taken_[class_id] = 1;
    --live_;
    for (size_t i = first_item; i < classes_[class_id].last; ++i) {
      group.members.push_back({items_[i], distance});
    }
  }

  int radius_;
  PoolArray<uint32_t> items_;    // by hash, best first among equals
  PoolArray<Class> classes_;     // best first
  PoolArray<uint8_t> taken_;     // by class
  PoolArray<uint32_t> indexed_;  // class of each position in the index
  size_t indexed_count_ = 0;
  size_t live_ = 0;  // classes not taken
  size_t next_ = 0;
  std::optional<HammingIndex> index_;
  std::vector<Candidate> block_;
  std::vector<PoolArray<Neighbour>> found_;
  std::vector<SimilarGroup> groups_;
};

}  // namespace

Result<std::vector<SimilarGroup>> GroupByHamming(std::span<const uint64_t> hashes,
                                                 std::span<const uint32_t> order, int radius, int threads,
                                                 const StopFlag& stop) {
  assert(hashes.size() == order.size() && radius >= 0 && radius <= 64 && threads >= 1);
  return Grouping(hashes, order, radius, threads).Run(stop);
}

size_t GroupByHammingBytes(size_t n, int radius, int threads) {
  return HammingIndexBytes(n, radius) + n * (2 * sizeof(uint32_t) + sizeof(Class) + 1 + sizeof(uint64_t)) +
         static_cast<size_t>(threads) * kNeighboursHeld * sizeof(Neighbour);
}

std::vector<SimilarGroup> GroupByHammingScalar(std::span<const uint64_t> hashes,
                                               std::span<const uint32_t> order, int radius) {
  std::vector<uint32_t> best_first(hashes.size());
  std::iota(best_first.begin(), best_first.end(), uint32_t{0});
  std::stable_sort(best_first.begin(), best_first.end(),
                   [&](uint32_t a, uint32_t b) { return order[a] < order[b]; });
  std::vector<bool> taken(hashes.size());
  std::vector<SimilarGroup> groups;
  for (const uint32_t keeper : best_first) {
    if (taken[keeper]) continue;
    taken[keeper] = true;
    SimilarGroup group{keeper, {}};
    for (uint32_t other = 0; other < hashes.size(); ++other) {
      const int distance = std::popcount(hashes[keeper] ^ hashes[other]);
      if (taken[other] || distance > radius) continue;
      taken[other] = true;
      group.members.push_back({other, distance});
    }
    if (!group.members.empty()) groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace imgmill
