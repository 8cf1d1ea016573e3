// Connected components, by whatever finds neighbours: each item looks once for those behind it.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/try.h"
#include "imgmill/similarity/grouping.h"
#include "similarity/found_neighbours.h"
#include "similarity/link_forest.h"
#include "similarity/measure_order.h"

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
        forest_(classes.count()) {}

  static size_t Bytes(size_t items) { return LinkForest<Measure>::Bytes(items); }

  Result<std::vector<Group>> Run() {
    for (size_t limit = Search::kFirstBlock; FillBlock(limit);
         limit = std::min(limit * 2, search_.largest_block())) {
      found_.Clear(block_.size());
      TRY(search_.Find(block_, found_));
      TRY(LinkNeighbours());
      // All their pairs are known: nobody has to find them again.
      for (const uint32_t candidate : block_) classes_.Take(candidate);
      search_.DropTaken();
    }
    return Groups();
  }

 private:
  bool FillBlock(size_t limit) {
    block_.clear();
    for (; next_ < classes_.count() && block_.size() < limit; ++next_) block_.push_back(next_);
    return !block_.empty();
  }

  Status LinkNeighbours() {
    found_.Sort();
    for (size_t i = 0; i < block_.size(); ++i) {
      const uint32_t candidate = block_[i];
      hits_.clear();
      const auto add = [&](uint32_t other, Measure measure) {
        if (other <= candidate || forest_.Joined(candidate, other)) return;
        if (allows_ && !allows_(classes_.items(candidate).front(), classes_.items(other).front())) return;
        hits_.push_back({candidate, other, measure});
      };
      const bool complete = found_.complete(i);
      found_.Of(i, [&](uint32_t other, Measure measure) {
        if (complete) add(other, measure);
      });
      if (!complete) TRY(search_.FindAll(i, add));
      std::sort(hits_.begin(), hits_.end(), [](const auto& a, const auto& b) {
        if (IsNearer(a.measure, b.measure)) return true;
        return !IsNearer(b.measure, a.measure) && a.to < b.to;
      });
      for (const auto& hit : hits_) forest_.Join(hit.from, hit.to, hit.measure);
    }
    return {};
  }

  std::vector<Group> Groups() {
    std::vector<Group> groups;
    std::vector<bool> grouped(classes_.count());
    forest_.ForEachTree([&](uint32_t root, const auto& links) {
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
  LinkForest<Measure> forest_;  // of classes
  std::vector<typename LinkForest<Measure>::Link> hits_;
};

}  // namespace imgmill
