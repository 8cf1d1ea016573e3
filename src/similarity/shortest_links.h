// The links by which components hang together at their nearest, found without holding all pairs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>

#include "imgmill/memory/pool_array.h"
#include "similarity/link_forest.h"
#include "similarity/measure_order.h"

namespace imgmill {

/// Of all links that are offered, those of the spanning forest that Kruskal's algorithm makes: the nearest
/// first, of equals those of the best items. They are the same whatever the order in which links are offered.
///
/// A link that is no nearer than all on a way between its ends is of no use, now or later. So only the forest
/// of what was offered so far is held, and those that would improve it.
template <typename Measure>
class ShortestLinks {
 public:
  using Link = ItemLink<Measure>;

  /// @param items  numbered best first. @throws OutOfMemory
  explicit ShortestLinks(size_t items) : above_(items), by_(items), links_(2 * items) { Separate(); }
  /// Of the current pool.
  static size_t Bytes(size_t items) { return items * 2 * (sizeof(uint32_t) + sizeof(Link)); }

  /// Whether it is nearer than a link on the way between its ends, or there is no way. Threads may ask at
  /// once, while nothing is offered.
  bool Helps(const Link& link) const {
    // Links above an item are ever later ones of the forest, the farther up the longer.
    uint32_t from = link.from, to = link.to, longest = 0;
    while (from != to) {
      const bool from_ends = above_[from] == from, to_ends = above_[to] == to;
      if (from_ends && to_ends) return true;
      uint32_t& lower = to_ends || (!from_ends && by_[from] < by_[to]) ? from : to;
      longest = by_[lower];
      lower = above_[lower];
    }
    return IsShorter(link, links_[longest]);
  }

  /// From the better item to the other one.
  void Offer(const Link& link) {
    if (!Helps(link)) return;
    if (count_ == links_.size()) Settle();
    links_[count_++] = link;
  }

  /// Now and then, that Helps may know of what was offered.
  void SettleSome() {
    if (count_ - settled_ > settled_ / 4) Settle();
  }

  /// As LinkForest's. Nothing is offered after it.
  template <typename Tree>
  void ForEachTree(const Tree& tree) {
    Settle();
    VisitTrees(links_.span(), count_, above_.size(), tree);
  }

 private:
  static bool IsShorter(const Link& a, const Link& b) {
    if (IsNearer(a.measure, b.measure)) return true;
    if (IsNearer(b.measure, a.measure)) return false;
    return a.from != b.from ? a.from < b.from : a.to < b.to;
  }

  void Separate() {
    std::iota(above_.begin(), above_.end(), uint32_t{0});
    by_.Fill(1);
  }

  /// The trees are low, for the smaller one comes below the larger one: no way is made shorter, since Helps
  /// needs it.
  uint32_t Root(uint32_t item) const {
    while (above_[item] != item) item = above_[item];
    return item;
  }

  void Settle() {
    std::sort(links_.begin(), links_.begin() + count_, IsShorter);
    Separate();
    settled_ = 0;
    for (size_t i = 0; i < count_; ++i) {
      uint32_t one = Root(links_[i].from), another = Root(links_[i].to);
      if (one == another) continue;
      if (by_[one] < by_[another]) std::swap(one, another);
      by_[one] += by_[another];
      above_[another] = one;
      by_[another] = static_cast<uint32_t>(settled_);
      links_[settled_++] = links_[i];
    }
    count_ = settled_;
  }

  PoolArray<uint32_t> above_;  // an item of the same tree; the root's is its own
  PoolArray<uint32_t> by_;     // by which link it came below that; of a root, how many items its tree has
  PoolArray<Link> links_;      // the forest's, shortest first, then those offered since
  size_t settled_ = 0, count_ = 0;
};

}  // namespace imgmill
