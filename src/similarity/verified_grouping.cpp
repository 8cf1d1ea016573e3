// Keepers take what is near them by hash and passes a second look.
#include <algorithm>
#include <atomic>

#include "base/try.h"
#include "imgmill/similarity/grouping.h"
#include "imgmill/similarity/hamming.h"
#include "similarity/best_first.h"
#include "similarity/hamming_index.h"
#include "similarity/measure_order.h"
#include "similarity/posed_neighbours.h"
#include "similarity/verified_components.h"
#include "similarity/verified_pairs.h"

namespace imgmill {
namespace {

template <typename Hash>
class VerifiedGrouping {
 public:
  VerifiedGrouping(const RankedKeysOf<Hash>& hashes, const PosedHashesOf<Hash>& posed, int radius,
                   const Verify& verify, int threads, const StopFlag& stop, const OnRefused& refused,
                   bool cliques)
      : hashes_(hashes.keys.span()),
        order_(hashes.order.span()),
        refused_(refused),
        cliques_(cliques),
        threads_(threads),
        stop_(stop),
        queries_(hashes_, posed),
        looks_(hashes_, queries_, radius, verify, threads, stop),
        neighbours_(queries_, HammingIndex<Hash>(hashes_, radius), hashes_.size(), threads, stop),
        best_first_(BestFirst(order_)),
        near_(hashes_.size()),
        near_mark_of_(hashes_.size()),
        near_block_(hashes_.size()),
        taken_(hashes_.size()),
        pairs_(kPairs),
        ahead_(neighbours_.Most(hashes_.size())) {
    taken_.Fill(false);
    near_block_.Fill(0);
    near_mark_of_.Fill(0);
  }

  Result<std::vector<VerifiedGroup>> Run() {
    while (ahead_next_ < ahead_count_ || next_ < best_first_.size()) {
      TRY(CheckHashStop(stop_));
      TRY(AskForBlock());
      TRY(Settle());
    }
    for (VerifiedGroup& group : groups_) std::sort(group.members.begin(), group.members.end());
    std::sort(groups_.begin(), groups_.end());
    return std::move(groups_);
  }

  static size_t Bytes(size_t n, size_t poses, int threads) {
    return n * (4 * sizeof(uint32_t) + sizeof(bool)) + kPairs * sizeof(LookedPair) +
           PosedNeighbours<Hash>::Most(n) * sizeof(uint32_t) +
           PosedNeighbours<Hash>::Bytes(n, poses, threads);
  }

 private:
  static constexpr size_t kPairs = 4096;
  /// Candidates whose neighbours are looked for together.
  static constexpr size_t kFewestAhead = 64;

  bool IsBetter(uint32_t a, uint32_t b) const {
    return order_[a] != order_[b] ? order_[a] < order_[b] : a < b;
  }

  /// Pairs of the next keepers, as long as it is certain that these are keepers: none is near one that was
  /// added before it.
  Status AskForBlock() {
    used_ = 0;
    ++block_;
    while (ahead_next_ < ahead_count_ || TRY(LookAhead())) {
      const uint32_t keeper = ahead_[ahead_next_];
      if (taken_[keeper]) {
        ++taken_ahead_;
        NextAhead();
        continue;
      }
      if (near_block_[keeper] == block_) return {};
      const std::span<const uint32_t> found = TRY(NearOfNext());
      if (used_ > 0 && used_ + found.size() > kPairs) return {};
      taken_[keeper] = true;
      for (const uint32_t other : found) {
        if (used_ == kPairs) TRY(Settle());  // it alone has more than there is room for
        near_block_[other] = block_;
        pairs_[used_++] = {keeper, other, LookVerdict::Kind::kNotLooked, {}};
      }
      NextAhead();
    }
    return {};
  }

  /// Finds the neighbours of the next candidates, on all threads. What is near does not hang on what is taken
  /// meanwhile, so they are looked for once, whatever blocks the candidates come into.
  /// @return whether there is any
  Result<bool> LookAhead() {
    // Where most were taken by one another, their searches were for nothing.
    if (ahead_count_ > 0)
      limit_ = taken_ahead_ * 2 > ahead_count_ ? std::max(limit_ / 4, kFewestAhead)
                                               : std::min(limit_ * 2, ahead_.size());
    ahead_next_ = ahead_count_ = taken_ahead_ = 0;
    for (; next_ < best_first_.size() && ahead_count_ < limit_; ++next_) {
      const uint32_t item = best_first_[next_];
      if (taken_[item]) continue;
      ahead_[ahead_count_++] = item;
    }
    TRY(neighbours_.Find(ahead_.span().first(ahead_count_), [&](uint32_t place, uint32_t other) {
      return other != ahead_[place] && !taken_[other];
    }));
    return ahead_count_ > 0;
  }

  void NextAhead() {
    ++ahead_next_;
    near_known_ = false;
  }

  /// What the next candidate is near and is not taken, ascending; for cliques the best first.
  Result<std::span<const uint32_t>> NearOfNext() {
    if (!near_known_) {
      near_known_ = true;
      near_count_ = 0;
      const uint32_t candidate = ahead_[ahead_next_];
      ++near_mark_;
      TRY(neighbours_.Each(ahead_next_, [&](uint32_t other) {
        // Poses find some twice.
        if (other != candidate && near_mark_of_[other] != near_mark_) near_[near_count_++] = other;
        near_mark_of_[other] = near_mark_;
      }));
      const std::span<uint32_t> near = near_.span().first(near_count_);
      std::sort(near.begin(), near.end(),
                [&](uint32_t a, uint32_t b) { return cliques_ ? IsBetter(a, b) : a < b; });
    }
    const auto left =
        std::remove_if(near_.begin(), near_.begin() + near_count_, [&](uint32_t i) { return taken_[i]; });
    near_count_ = static_cast<size_t>(left - near_.begin());
    return std::span<const uint32_t>(near_.data(), near_count_);
  }

  /// Verifies the pairs, and lets keepers take what is theirs, in order.
  Status Settle() {
    TRY(looks_.Look(pairs_.span().first(used_)));
    for (const LookedPair& pair : pairs_.span().first(used_)) {
      if (taken_[pair.other]) continue;
      TellRefused(pair, refused_);
      if (pair.verdict != LookVerdict::Kind::kAlike) continue;
      if (groups_.empty() || groups_.back().keeper != pair.keeper) {
        groups_.push_back({pair.keeper, {}, {}});
        kinds_.clear();
      }
      if (cliques_ && !TRY(JoinsClique(pair))) continue;
      taken_[pair.other] = true;
      groups_.back().members.push_back({pair.other, pair.measure});
    }
    used_ = 0;
    return {};
  }

  /// Whether one that is like the keeper is like all that it has taken: those that are the same count once.
  Result<bool> JoinsClique(const LookedPair& pair) {
    VerifiedGroup& group = groups_.back();
    VerifiedGroup::Pair weakest{pair.keeper, pair.other, pair.measure};
    const auto same = [](const VerifiedMeasure& measure) { return measure == VerifiedMeasure(); };
    bool is_another = !same(pair.measure);
    // A few at first: most that do not belong are turned away by those.
    size_t some = static_cast<size_t>(threads_);
    for (size_t i = 0; i < kinds_.size() && is_another; i += with_kinds_.size(), some *= 2) {
      with_kinds_.clear();
      for (size_t k = i; k < std::min({kinds_.size(), i + some, i + kPairs}); ++k)
        with_kinds_.push_back({kinds_[k], pair.other, {}, {}});
      TRY(looks_.Look(with_kinds_));
      for (size_t k = 0; k < with_kinds_.size() && is_another; ++k) {
        const LookedPair& each = with_kinds_[k];
        if (each.verdict != LookVerdict::Kind::kAlike) return false;
        if (IsNearer(weakest.measure, each.measure)) weakest = {each.keeper, each.other, each.measure};
        is_another = !same(each.measure);
      }
    }
    if (is_another) kinds_.push_back(pair.other);
    NoteWeakest(group, weakest);
    return true;
  }

  const std::span<const Hash> hashes_;
  const std::span<const uint32_t> order_;
  const OnRefused& refused_;
  const bool cliques_;
  const int threads_;
  const StopFlag& stop_;
  const PosedQueries<Hash> queries_;
  const PairLooks<Hash> looks_;
  PosedNeighbours<Hash> neighbours_;
  const PoolArray<uint32_t> best_first_;
  PoolArray<uint32_t> near_;          ///< what the next candidate is near, once that is known
  PoolArray<uint32_t> near_mark_of_;  ///< the last candidate that was near the item, by number
  PoolArray<uint32_t> near_block_;    ///< the last block of which a keeper is near the item
  PoolArray<bool> taken_;
  PoolArray<LookedPair> pairs_;
  size_t used_ = 0;    ///< pairs
  uint32_t next_ = 0;  ///< of best_first_
  uint32_t block_ = 0;
  size_t near_count_ = 0;
  uint32_t near_mark_ = 0;
  bool near_known_ = false;
  PoolArray<uint32_t> ahead_;  ///< candidates whose neighbours are found, best first
  size_t limit_ = kFewestAhead, ahead_count_ = 0, ahead_next_ = 0, taken_ahead_ = 0;
  std::vector<VerifiedGroup> groups_;
  std::vector<uint32_t> kinds_;  ///< of the last group's members, one of each that are the same
  std::vector<LookedPair> with_kinds_;
};

template <typename Hash>
Status VisitWithNeighbours(std::span<const Hash> hashes, const PosedHashesOf<Hash>& posed, int radius,
                           const std::function<bool(uint32_t item, uint32_t other)>& differs, int threads,
                           const StopFlag& stop,
                           const std::function<void(uint32_t item, bool counts)>& visit) {
  const auto together = static_cast<uint32_t>(QueryBlock<Hash>::Most(hashes.size()));
  const PosedQueries<Hash> queries(hashes, posed);
  const HammingIndex<Hash> index(hashes, radius);
  const auto count = static_cast<uint32_t>(hashes.size());
  constexpr uint8_t kNear = 1, kCounts = 2;
  PoolArray<uint8_t> with(count);
  with.Fill(0);
  const auto mark = [&](uint32_t item, uint8_t as) {
    const std::atomic_ref marks(with[item]);
    // Mostly it is marked: nothing is written then, which others would wait for.
    if ((marks.load(std::memory_order_relaxed) & as) != as) marks.fetch_or(as, std::memory_order_relaxed);
  };
  QueryBlock<Hash> block(together * queries.poses());
  for (uint32_t first = 0, some; first < count; first += some) {
    TRY(CheckHashStop(stop));
    some = std::min(together, count - first);
    const std::span<const Hash> asked = queries.Of(first, some);
    std::ranges::copy(asked, block.queries.begin());
    index.QueryOnThreads(block, asked.size(), threads, [&](int, size_t place, uint32_t other, int) {
      const uint32_t item = first + static_cast<uint32_t>(place / queries.poses());
      if (other == item) return true;
      const bool counts = differs(item, other);
      const uint8_t as = counts ? kNear | kCounts : kNear;
      mark(item, as);
      // A pose of one may be near where no pose of the other is.
      if (posed.poses > 0) mark(other, as);
      return posed.poses > 0 || !counts;
    });
  }
  TRY(CheckHashStop(stop));
  for (uint32_t item = 0; item < count; ++item) {
    if (with[item] != 0) visit(item, (with[item] & kCounts) != 0);
  }
  return {};
}

template <typename Hash>
Result<std::vector<VerifiedGroup>> GroupVerifiedBy(const RankedKeysOf<Hash>& hashes,
                                                   const PosedHashesOf<Hash>& posed, int radius,
                                                   const Verify& verify, int threads, const StopFlag& stop,
                                                   const OnRefused& refused, GroupBy by) {
  if (by == GroupBy::kComponent)
    return VerifiedComponents(hashes, posed, radius, verify, threads, stop, refused).Run();
  return VerifiedGrouping(hashes, posed, radius, verify, threads, stop, refused, by == GroupBy::kClique)
      .Run();
}

}  // namespace

Status WithNeighbours(std::span<const uint64_t> hashes, const PosedHashes& posed, int radius,
                      const std::function<bool(uint32_t item, uint32_t other)>& differs, int threads,
                      const StopFlag& stop, const std::function<void(uint32_t item, bool counts)>& visit) {
  return VisitWithNeighbours(hashes, posed, radius, differs, threads, stop, visit);
}
Status WithNeighbours(std::span<const Hash256> hashes, const PosedHashesOf<Hash256>& posed, int radius,
                      const std::function<bool(uint32_t item, uint32_t other)>& differs, int threads,
                      const StopFlag& stop, const std::function<void(uint32_t item, bool counts)>& visit) {
  return VisitWithNeighbours(hashes, posed, radius, differs, threads, stop, visit);
}

Result<std::vector<VerifiedGroup>> GroupVerified(RankedKeys hashes, const PosedHashes& posed, int radius,
                                                 const Verify& verify, int threads, const StopFlag& stop,
                                                 const OnRefused& refused, GroupBy by) {
  return GroupVerifiedBy(hashes, posed, radius, verify, threads, stop, refused, by);
}
Result<std::vector<VerifiedGroup>> GroupVerified(RankedKeysOf<Hash256> hashes,
                                                 const PosedHashesOf<Hash256>& posed, int radius,
                                                 const Verify& verify, int threads, const StopFlag& stop,
                                                 const OnRefused& refused, GroupBy by) {
  return GroupVerifiedBy(hashes, posed, radius, verify, threads, stop, refused, by);
}

template <typename Hash>
size_t VerifiedGroupingBytes(size_t n, size_t poses, int radius, int threads, GroupBy by) {
  const size_t grouping = by == GroupBy::kComponent ? VerifiedComponents<Hash>::Bytes(n, poses, threads)
                                                    : VerifiedGrouping<Hash>::Bytes(n, poses, threads);
  return RankedKeysOf<Hash>::Bytes(n) + PosedHashesOf<Hash>::Bytes(n, poses) +
         HammingIndexBytes<Hash>(n, radius) + grouping;
}
template size_t VerifiedGroupingBytes<uint64_t>(size_t n, size_t poses, int radius, int threads, GroupBy by);
template size_t VerifiedGroupingBytes<Hash256>(size_t n, size_t poses, int radius, int threads, GroupBy by);

}  // namespace imgmill
