// Items with equal hashes: a search finds them as one, and those that are joined already are passed over as
// one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>

#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Items are known by their ranks, best first.
template <typename Hash>
class EqualHashes {
 public:
  /// @param best_first  items by rank. @throws OutOfMemory
  EqualHashes(std::span<const Hash> hashes, std::span<const uint32_t> best_first) : ranks_(hashes.size()) {
    const auto hash_of = [&](uint32_t rank) -> const Hash& { return hashes[best_first[rank]]; };
    std::iota(ranks_.begin(), ranks_.end(), uint32_t{0});
    std::sort(ranks_.begin(), ranks_.end(), [&](uint32_t a, uint32_t b) {
      return hash_of(a) != hash_of(b) ? hash_of(a) < hash_of(b) : a < b;
    });
    const auto starts = [&](size_t i) { return i == 0 || hash_of(ranks_[i]) != hash_of(ranks_[i - 1]); };
    size_t count = 0;
    for (size_t i = 0; i < ranks_.size(); ++i) count += starts(i) ? 1 : 0;
    sets_ = PoolArray<Set>(count);
    size_t next = 0;
    for (uint32_t i = 0; i < ranks_.size(); ++i) {
      if (starts(i)) sets_[next++] = {i, i, 1, 0};
      sets_[next - 1].end = i + 1;
      sets_[next - 1].last = ranks_[i];
    }
  }
  static size_t Bytes(size_t n) { return n * (sizeof(uint32_t) + sizeof(Set)); }

  uint32_t count() const { return static_cast<uint32_t>(sets_.size()); }
  /// The best rank of a set, and the worst.
  uint32_t first(uint32_t set) const { return ranks_[sets_[set].begin]; }
  uint32_t last(uint32_t set) const { return sets_[set].last; }

  /// Whether a set is known to be joined to that rank as a whole.
  /// @param joined  says it of two ranks
  template <typename Joined>
  bool AreJoined(uint32_t set, uint32_t rank, const Joined& joined) const {
    const Set& its = sets_[set];
    return its.joined == its.end - its.begin && joined(rank, ranks_[its.begin]);
  }

  /// visit(other) for those of a set that are behind `rank`, but not for many that are joined to it.
  template <typename Joined, typename Visit>
  void VisitBehind(uint32_t set, uint32_t rank, const Joined& joined, const Visit& visit) {
    Set& its = sets_[set];
    const std::span<uint32_t> ranks = ranks_.span().subspan(its.begin, its.end - its.begin);
    for (uint32_t i = its.joined; i < ranks.size(); ++i) {
      if (joined(ranks[0], ranks[i])) std::swap(ranks[its.joined++], ranks[i]);
    }
    for (const uint32_t other : ranks.subspan(joined(rank, ranks[0]) ? its.joined : 0)) {
      if (other > rank) visit(other);
    }
  }

 private:
  struct Set {
    uint32_t begin = 0, end = 0;  // of ranks_
    uint32_t joined = 1;          // so many of them, from the best on, are joined to the best
    uint32_t last = 0;            // the worst rank
  };
  PoolArray<uint32_t> ranks_;  // by hash
  PoolArray<Set> sets_;
};

}  // namespace imgmill
