// Which items are joined by links, and the trees that these make: the best item of each is its root.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Items are numbered best first.
template <typename Measure>
struct ItemLink {
  uint32_t from = 0, to = 0;
  Measure measure = {};
};

/// Calls tree(root, links) for each tree of two items and more, the best root first; links lead from the
/// root to all others, an item's after the one to it.
/// @param links  the first `count` are those of trees, without circles; there is room for twice as many, and
///   their order is lost
template <typename Measure, typename Tree>
void VisitTrees(std::span<ItemLink<Measure>> links, size_t count, size_t items, const Tree& tree) {
  using Link = ItemLink<Measure>;
  for (size_t i = 0; i < count; ++i) links[count + i] = {links[i].to, links[i].from, links[i].measure};
  links = links.first(2 * count);
  std::sort(links.begin(), links.end(),
            [](const Link& a, const Link& b) { return a.from != b.from ? a.from < b.from : a.to < b.to; });
  std::vector<bool> reached(items);
  std::vector<Link> way;
  // Those of an item, but that to where it was reached from; the root is reached from itself.
  const auto follow = [&](uint32_t item, uint32_t reached_from) {
    auto link = std::lower_bound(links.begin(), links.end(), item,
                                 [](const Link& a, uint32_t wanted) { return a.from < wanted; });
    for (; link != links.end() && link->from == item; ++link) {
      if (link->to != reached_from) way.push_back(*link);
    }
  };
  for (const Link& link : links) {
    const uint32_t root = link.from;
    if (reached[root]) continue;
    reached[root] = true;
    way.clear();
    follow(root, root);
    for (size_t i = 0; i < way.size(); ++i) {
      const uint32_t item = way[i].to, from = way[i].from;
      reached[item] = true;
      follow(item, from);
    }
    tree(root, std::as_const(way));
  }
}

template <typename Measure>
class LinkForest {
 public:
  using Link = ItemLink<Measure>;

  /// @throws OutOfMemory
  explicit LinkForest(size_t items) : above_(items), links_(2 * items), measures_(items) {
    std::iota(above_.begin(), above_.end(), uint32_t{0});
  }
  /// Of the current pool.
  static size_t Bytes(size_t items) {
    return items * (sizeof(uint32_t) + 2 * sizeof(ItemLink<uint32_t>) + sizeof(Measure));
  }

  bool Joined(uint32_t a, uint32_t b) { return Root(a) == Root(b); }
  /// The same, for threads that ask at once while nothing else is done.
  bool AreJoined(uint32_t a, uint32_t b) const {
    const auto root = [this](uint32_t item) {
      while (above_[item] != item) item = above_[item];
      return item;
    };
    return root(a) == root(b);
  }
  /// Whether all are one tree.
  bool whole() const { return count_ + 1 >= above_.size(); }

  /// False where they are joined already, and no link is made.
  bool Join(uint32_t a, uint32_t b, const Measure& measure) {
    const uint32_t root_a = Root(a), root_b = Root(b);
    if (root_a == root_b) return false;
    above_[std::max(root_a, root_b)] = std::min(root_a, root_b);
    measures_[count_] = measure;
    links_[count_] = {a, b, static_cast<uint32_t>(count_)};
    ++count_;
    return true;
  }

  /// VisitTrees of its links. Nothing is joined after it.
  template <typename Tree>
  void ForEachTree(const Tree& tree) {
    std::vector<Link> measured;
    VisitTrees(links_.span(), count_, above_.size(), [&](uint32_t root, const auto& links) {
      measured.clear();
      for (const auto& link : links) measured.push_back({link.from, link.to, measures_[link.measure]});
      tree(root, std::as_const(measured));
    });
  }

 private:
  uint32_t Root(uint32_t item) {
    while (above_[item] != item) {
      above_[item] = above_[above_[item]];
      item = above_[item];
    }
    return item;
  }

  PoolArray<uint32_t> above_;  // an item of the same tree that is as good or better; the root's is its own
  PoolArray<ItemLink<uint32_t>> links_;  // with the places of their measures
  PoolArray<Measure> measures_;
  size_t count_ = 0;
};

}  // namespace imgmill
