// Which items are joined by links, and the trees that these make: the best item of each is its root.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Items are numbered best first.
template <typename Measure>
class LinkForest {
 public:
  struct Link {
    uint32_t from = 0, to = 0;
    Measure measure = {};
  };

  /// @throws OutOfMemory
  explicit LinkForest(size_t items) : above_(items) { std::iota(above_.begin(), above_.end(), uint32_t{0}); }
  /// Of the current pool. Links are held beside it: at most one less than there are items.
  static size_t Bytes(size_t items) { return items * sizeof(uint32_t); }

  bool Joined(uint32_t a, uint32_t b) { return Root(a) == Root(b); }

  /// False where they are joined already, and no link is made.
  bool Join(uint32_t a, uint32_t b, const Measure& measure) {
    const uint32_t root_a = Root(a), root_b = Root(b);
    if (root_a == root_b) return false;
    above_[std::max(root_a, root_b)] = std::min(root_a, root_b);
    links_.push_back({a, b, measure});
    return true;
  }

  /// Calls tree(root, links) for each tree of two items and more, the best root first; links lead from the
  /// root to all others, an item's after the one to it. Nothing is joined after it.
  template <typename Tree>
  void ForEachTree(const Tree& tree) {
    const size_t count = links_.size();
    links_.reserve(2 * count);
    for (size_t i = 0; i < count; ++i) links_.push_back({links_[i].to, links_[i].from, links_[i].measure});
    const auto by_ends = [](const Link& a, const Link& b) {
      return a.from != b.from ? a.from < b.from : a.to < b.to;
    };
    std::sort(links_.begin(), links_.end(), by_ends);
    std::vector<Link> way;
    for (const Link& link : links_) {
      if (Root(link.from) != link.from) continue;
      if (!way.empty() && way.front().from == link.from) continue;
      way.clear();
      Follow(link.from, link.from, way);
      for (size_t i = 0; i < way.size(); ++i) {
        const Link reached = way[i];
        Follow(reached.to, reached.from, way);
      }
      tree(link.from, std::as_const(way));
    }
  }

 private:
  uint32_t Root(uint32_t item) {
    while (above_[item] != item) {
      above_[item] = above_[above_[item]];
      item = above_[item];
    }
    return item;
  }

  /// Adds the links of an item, but that to where it was reached from; the root is reached from itself.
  void Follow(uint32_t item, uint32_t reached_from, std::vector<Link>& way) const {
    auto link = std::lower_bound(links_.begin(), links_.end(), item,
                                 [](const Link& a, uint32_t wanted) { return a.from < wanted; });
    for (; link != links_.end() && link->from == item; ++link) {
      if (link->to != reached_from) way.push_back(*link);
    }
  }

  PoolArray<uint32_t> above_;  // an item of the same tree that is as good or better; the root's is its own
  std::vector<Link> links_;
};

}  // namespace imgmill
