// Groups around keepers, best first, by whatever finds neighbours: blocks of candidates look for theirs in
// parallel, then take them one candidate after another.
#pragma once

#include <algorithm>
#include <atomic>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "base/try.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/grouping.h"
#include "similarity/item_classes.h"

namespace imgmill {

/// The neighbours that were found for a block of candidates, as far as there is room for them.
template <typename Measure>
class FoundNeighbours {
 public:
  struct Hit {
    uint32_t candidate = 0;  ///< place in the block
    uint32_t class_id = 0;
    Measure measure = {};
  };

  /// @param held  what one thread has room for.
  FoundNeighbours(int threads, size_t held) : used_(static_cast<size_t>(threads)) {
    for (int t = 0; t < threads; ++t) hits_.emplace_back(held);
  }

  static size_t Bytes(int threads, size_t held) { return static_cast<size_t>(threads) * held * sizeof(Hit); }

  /// For the next block.
  void Clear(size_t candidates) {
    incomplete_.assign(candidates, 0);
    std::fill(used_.begin(), used_.end(), size_t{0});
  }

  /// Each thread with its own number. False where there is no room: the candidate then asks again when its
  /// turn comes, and its hits here are worth nothing.
  bool Add(int thread, const Hit& hit) {
    const auto t = static_cast<size_t>(thread);
    if (used_[t] == hits_[t].size()) {
      std::atomic_ref(incomplete_[hit.candidate]).store(1, std::memory_order_relaxed);
      return false;
    }
    hits_[t][used_[t]++] = hit;
    return true;
  }

  bool complete(size_t candidate) const { return incomplete_[candidate] == 0; }

  /// To be called when all have been added. Then `Of` for candidates in their order.
  void Sort() {
    const auto by_candidate = [](const Hit& a, const Hit& b) { return a.candidate < b.candidate; };
    unread_.clear();
    for (size_t t = 0; t < hits_.size(); ++t) {
      const std::span<Hit> used = hits_[t].span().first(used_[t]);
      if (!std::is_sorted(used.begin(), used.end(), by_candidate)) {
        std::sort(used.begin(), used.end(), by_candidate);
      }
      unread_.push_back(used);
    }
  }
  template <typename Visit>
  void Of(size_t candidate, const Visit& visit) {
    for (std::span<const Hit>& hits : unread_) {
      for (; !hits.empty() && hits.front().candidate <= candidate; hits = hits.subspan(1)) {
        if (hits.front().candidate == candidate) visit(hits.front().class_id, hits.front().measure);
      }
    }
  }

 private:
  std::vector<PoolArray<Hit>> hits_;  // by thread
  std::vector<size_t> used_;
  std::vector<std::span<const Hit>> unread_;
  std::vector<int> incomplete_;
};

/// Makes the groups. `Search` finds neighbours among the classes that are left, and has
///
///     using Measure;
///     static constexpr Measure kEqual;         // of items with equal keys
///     static constexpr size_t kFirstBlock, kHitsHeld;
///     size_t largest_block() const;
///     Status Find(std::span<const uint32_t> block, FoundNeighbours<Measure>& found);
///     Status FindAll(size_t candidate, visit); // of that place in the block: visit(class, measure) for each
///     void DropTaken();                        // after each block
///
/// It may tell of classes that are taken, and of the candidate itself. What it finds must not depend on the
/// block.
template <typename Classes, typename Search>
class KeeperGrouping {
 public:
  using Measure = typename Search::Measure;
  using Group = KeeperGroup<Measure>;

  /// @param allows  of items; where it is not empty, each of them is a class of its own.
  KeeperGrouping(Classes& classes, Search& search, int threads, const PairRule& allows)
      : classes_(classes), search_(search), allows_(allows), found_(threads, Search::kHitsHeld) {}

  Result<std::vector<Group>> Run() {
    constexpr size_t kSmallestBlock = 8;
    size_t limit = Search::kFirstBlock;
    while (FillBlock(limit)) {
      found_.Clear(block_.size());
      TRY(search_.Find(block_, found_));
      const size_t taken_by_others = TRY(TakeNeighbours());
      // Where most candidates went into one another's groups, their searches were for nothing.
      limit = taken_by_others * 2 > block_.size() ? std::max(limit / 4, kSmallestBlock)
                                                  : std::min(limit * 2, search_.largest_block());
      search_.DropTaken();
    }
    std::sort(groups_.begin(), groups_.end());
    return std::move(groups_);
  }

 private:
  bool FillBlock(size_t limit) {
    block_.clear();
    for (; next_ < classes_.count() && block_.size() < limit; ++next_) {
      if (!classes_.taken(next_)) block_.push_back(next_);
    }
    return !block_.empty();
  }

  /// @return how many candidates were taken by better ones of the same block
  Result<size_t> TakeNeighbours() {
    found_.Sort();
    size_t taken_by_others = 0;
    for (size_t i = 0; i < block_.size(); ++i) {
      if (classes_.taken(block_[i])) {
        ++taken_by_others;
        continue;
      }
      const std::span<const uint32_t> own = classes_.items(block_[i]);
      Group group{own.front(), {}};
      classes_.Take(block_[i]);
      for (const uint32_t item : own.subspan(1)) group.members.push_back({item, Search::kEqual});
      const auto take = [&](uint32_t other, Measure measure) {
        if (classes_.taken(other)) return;
        if (allows_ && !allows_(own.front(), classes_.items(other).front())) return;
        classes_.Take(other);
        for (const uint32_t item : classes_.items(other)) group.members.push_back({item, measure});
      };
      const bool complete = found_.complete(i);
      found_.Of(i, [&](uint32_t other, Measure measure) {
        if (complete) take(other, measure);
      });
      if (!complete) {
        TRY(search_.FindAll(i, take));
      }
      if (group.members.empty()) continue;
      std::sort(group.members.begin(), group.members.end());
      groups_.push_back(std::move(group));
    }
    return taken_by_others;
  }

  Classes& classes_;
  Search& search_;
  const PairRule& allows_;
  uint32_t next_ = 0;            // class
  std::vector<uint32_t> block_;  // classes that are candidates now
  FoundNeighbours<Measure> found_;
  std::vector<Group> groups_;
};

/// The keepers' groups by two plain loops: near(keeper, other) gives the measure of two items that may share
/// a group.
template <typename Measure, typename Near>
std::vector<KeeperGroup<Measure>> GroupByPlainLoops(std::span<const uint32_t> order, const Near& near) {
  std::vector<uint32_t> best_first(order.size());
  std::iota(best_first.begin(), best_first.end(), uint32_t{0});
  std::stable_sort(best_first.begin(), best_first.end(),
                   [&](uint32_t a, uint32_t b) { return order[a] < order[b]; });
  std::vector<bool> taken(order.size());
  std::vector<KeeperGroup<Measure>> groups;
  for (const uint32_t keeper : best_first) {
    if (taken[keeper]) continue;
    taken[keeper] = true;
    KeeperGroup<Measure> group{keeper, {}};
    for (uint32_t other = 0; other < order.size(); ++other) {
      if (taken[other]) continue;
      const std::optional<Measure> measure = near(keeper, other);
      if (!measure) continue;
      taken[other] = true;
      group.members.push_back({other, *measure});
    }
    if (!group.members.empty()) groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace imgmill
