// Groups around keepers, best first, by whatever finds neighbours: blocks of candidates look for theirs in
// parallel, then take them one candidate after another.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/try.h"
#include "imgmill/similarity/grouping.h"
#include "similarity/best_first.h"
#include "similarity/component_grouping.h"
#include "similarity/found_neighbours.h"
#include "similarity/item_classes.h"
#include "similarity/measure_order.h"

namespace imgmill {

/// Makes the groups. `Search` finds neighbours among the classes that are left, and has
///
///     using Measure;
///     static constexpr Measure kEqual;         // of items with equal keys
///     static constexpr size_t kFirstBlock, kHitsHeld;
///     size_t largest_block() const;
///     Status Find(std::span<const uint32_t> block, add);
///         // add(thread, hit) with FoundNeighbours' hits: false where that candidate needs no more of them
///     Status FindAll(size_t candidate, visit); // of that place in the block: visit(class, measure) for each
///     Result<std::optional<Measure>> Between(uint32_t a, uint32_t b);  // of classes; nothing where too far
///     void DropTaken();                        // after each block
///     Status MayGoOn() const;                  // kInterrupted when it is to stop
///
/// It may tell of classes that are taken, and of the candidate itself. What it finds must not depend on the
/// block. Taken are those that need not be found any more.
template <typename Classes, typename Search>
class KeeperGrouping {
 public:
  using Measure = typename Search::Measure;
  using Group = KeeperGroup<Measure>;

  /// @param allows  of items; where it is not empty, each of them is a class of its own.
  /// @param cliques  else a keeper takes all its neighbours
  KeeperGrouping(Classes& classes, Search& search, int threads, const PairRule& allows, bool cliques)
      : classes_(classes),
        search_(search),
        allows_(allows),
        cliques_(cliques),
        found_(threads, Search::kHitsHeld) {}

  Result<std::vector<Group>> Run() {
    constexpr size_t kSmallestBlock = 8;
    size_t limit = Search::kFirstBlock;
    while (FillBlock(limit)) {
      found_.Clear(block_.size());
      TRY(search_.Find(block_, [this](int thread, const typename FoundNeighbours<Measure>::Hit& hit) {
        return found_.Add(thread, hit);
      }));
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
      Group group{own.front(), {}, {}};
      classes_.Take(block_[i]);
      for (const uint32_t item : own.subspan(1)) group.members.push_back({item, Search::kEqual});
      const auto take = [&](uint32_t other, Measure measure) {
        if (classes_.taken(other)) return;
        if (allows_ && !allows_(own.front(), classes_.items(other).front())) return;
        if (cliques_) {
          near_.push_back({other, measure});
          return;
        }
        classes_.Take(other);
        for (const uint32_t item : classes_.items(other)) group.members.push_back({item, measure});
      };
      TRY(search_.MayGoOn());
      TRY(found_.Each(
          i, [&] { return search_.FindAll(i, take); }, take));
      if (cliques_) TRY(TakeClique(block_[i], group));
      if (group.members.empty()) continue;
      std::sort(group.members.begin(), group.members.end());
      groups_.push_back(std::move(group));
    }
    return taken_by_others;
  }

  /// Of what is near the keeper, the best first, what is near all that was taken before it.
  Status TakeClique(uint32_t keeper, Group& group) {
    const uint32_t first = classes_.items(keeper).front();
    if (!group.members.empty()) NoteWeakest(group, {first, group.members.front().index, Search::kEqual});
    std::sort(near_.begin(), near_.end());
    clique_.clear();
    for (const auto& [other, measure] : near_) {
      TRY(search_.MayGoOn());
      typename Group::Pair weakest{first, classes_.items(other).front(), measure};
      if (!TRY(IsNearAll(other, weakest))) continue;
      NoteWeakest(group, weakest);
      classes_.Take(other);
      clique_.push_back(other);
      for (const uint32_t item : classes_.items(other)) group.members.push_back({item, measure});
    }
    near_.clear();
    return {};
  }

  /// @param weakest  becomes the weakest of its pairs with those taken, if that is weaker
  Result<bool> IsNearAll(uint32_t other, typename Group::Pair& weakest) {
    for (const uint32_t taken : clique_) {
      const std::optional<Measure> measure = TRY(search_.Between(other, taken));
      if (!measure) return false;
      if (IsNearer(weakest.measure, *measure))
        weakest = {classes_.items(taken).front(), classes_.items(other).front(), *measure};
    }
    return true;
  }

  Classes& classes_;
  Search& search_;
  const PairRule& allows_;
  const bool cliques_;
  uint32_t next_ = 0;                               // class
  std::vector<uint32_t> block_;                     // classes that are candidates now
  std::vector<std::pair<uint32_t, Measure>> near_;  // classes near the keeper at hand
  std::vector<uint32_t> clique_;                    // those that it has taken
  FoundNeighbours<Measure> found_;
  std::vector<Group> groups_;
};

/// Groups of any kind, by a search for classes.
/// @param allows  as KeeperGrouping's
template <typename Classes, typename Search>
Result<std::vector<KeeperGroup<typename Search::Measure>>> GroupBySearch(Classes& classes, Search& search,
                                                                         int threads, const PairRule& allows,
                                                                         GroupBy by) {
  if (by == GroupBy::kComponent) return ComponentGrouping(classes, search, threads, allows).Run();
  return KeeperGrouping(classes, search, threads, allows, by == GroupBy::kClique).Run();
}
/// What it takes of the current pool beside classes, search and what it finds.
inline size_t GroupBySearchBytes(size_t items, GroupBy by) {
  return by == GroupBy::kComponent ? ShortestLinks<int>::Bytes(items) : 0;
}

/// The keepers' groups by two plain loops: near(keeper, other) gives the measure of two items that may share
/// a group.
template <typename Measure, typename Near>
std::vector<KeeperGroup<Measure>> GroupByPlainLoops(std::span<const uint32_t> order, const Near& near) {
  const PoolArray<uint32_t> best_first = BestFirst(order);
  std::vector<bool> taken(order.size());
  std::vector<KeeperGroup<Measure>> groups;
  for (const uint32_t keeper : best_first) {
    if (taken[keeper]) continue;
    taken[keeper] = true;
    KeeperGroup<Measure> group{keeper, {}, {}};
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
