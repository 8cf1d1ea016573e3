// Connected components and what they hang together by, by whatever finds neighbours: each item looks once for
// those behind it.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/try.h"
#include "imgmill/similarity/grouping.h"
#include "similarity/found_neighbours.h"
#include "similarity/shortest_links.h"

namespace imgmill {

/// @tparam Search  as KeeperGrouping's
template <typename Classes, typename Search>
class ComponentGrouping {
 public:
  using Measure = typename Search::Measure;
  using Group = KeeperGroup<Measure>;

  /// @param allows  of items; where it is not empty, each of them is a class of its own.
  ComponentGrouping(Classes& classes, Search& search, int threads, const PairRule& allows)
      : classes_(classes),
        search_(search),
        allows_(allows),
        found_(threads, Search::kHitsHeld),
        links_(classes.count()) {}

  static size_t Bytes(size_t items) { return ShortestLinks<Measure>::Bytes(items); }

  Result<std::vector<Group>> Run() {
    for (size_t limit = Search::kFirstBlock; FillBlock(limit);
         limit = std::min(limit * 2, search_.largest_block())) {
      found_.Clear(block_.size());
      TRY(search_.Find(block_, [this](int thread, const Hit& hit) { return Add(thread, hit); }));
      TRY(LinkNeighbours());
      // All their pairs are known: nobody has to find them again.
      for (const uint32_t candidate : block_) classes_.Take(candidate);
      search_.DropTaken();
    }
    return Groups();
  }

 private:
  using Hit = typename FoundNeighbours<Measure>::Hit;

  bool FillBlock(size_t limit) {
    block_.clear();
    for (; next_ < classes_.count() && block_.size() < limit; ++next_) block_.push_back(next_);
    return !block_.empty();
  }

  /// On all threads: among many that are all alike, most hits are of no use.
  bool Add(int thread, const Hit& hit) {
    const uint32_t candidate = block_[hit.candidate];
    return hit.class_id <= candidate || !links_.Helps({candidate, hit.class_id, hit.measure}) ||
           found_.Add(thread, hit);
  }

  Status LinkNeighbours() {
    found_.Sort();
    for (size_t i = 0; i < block_.size(); ++i) {
      const uint32_t candidate = block_[i];
      const auto add = [&](uint32_t other, Measure measure) {
        if (other <= candidate) return;
        if (allows_ && !allows_(classes_.items(candidate).front(), classes_.items(other).front())) return;
        links_.Offer({candidate, other, measure});
      };
      TRY(search_.MayGoOn());
      TRY(found_.Each(
          i, [&] { return search_.FindAll(i, add); }, add));
      links_.SettleSome();
    }
    return {};
  }

  std::vector<Group> Groups() {
    std::vector<Group> groups;
    std::vector<bool> grouped(classes_.count());
    links_.ForEachTree([&](uint32_t root, const auto& links) {
      Group group{classes_.items(root).front(), {}, {}};
      AddEqual(root, Group::kKeeper, group);
      grouped[root] = true;
      for (const auto& link : links) {
        const uint32_t item = classes_.items(link.to).front();
        const uint32_t via = link.from == root ? Group::kKeeper : classes_.items(link.from).front();
        group.members.push_back({item, link.measure, via});
        AddEqual(link.to, item, group);
        grouped[link.to] = true;
      }
      std::sort(group.members.begin(), group.members.end());
      groups.push_back(std::move(group));
    });
    for (uint32_t id = 0; id < classes_.count(); ++id) {  // those that have but their equals
      if (grouped[id] || classes_.items(id).size() < 2) continue;
      Group group{classes_.items(id).front(), {}, {}};
      AddEqual(id, Group::kKeeper, group);
      std::sort(group.members.begin(), group.members.end());
      groups.push_back(std::move(group));
    }
    std::sort(groups.begin(), groups.end());
    return groups;
  }

  void AddEqual(uint32_t id, uint32_t via, Group& group) const {
    for (const uint32_t item : classes_.items(id).subspan(1))
      group.members.push_back({item, Search::kEqual, via});
  }

  Classes& classes_;
  Search& search_;
  const PairRule& allows_;
  uint32_t next_ = 0;            // class
  std::vector<uint32_t> block_;  // classes that look for neighbours now
  FoundNeighbours<Measure> found_;
  ShortestLinks<Measure> links_;  // of classes
};

}  // namespace imgmill
