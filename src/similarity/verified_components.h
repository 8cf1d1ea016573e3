// Connected components of what is near by hash and passes a second look.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/try.h"
#include "imgmill/similarity/grouping.h"
#include "similarity/best_first.h"
#include "similarity/equal_hashes.h"
#include "similarity/hamming_index.h"
#include "similarity/link_forest.h"
#include "similarity/posed_neighbours.h"
#include "similarity/verified_pairs.h"

namespace imgmill {

/// Items are known by their ranks here, best first. Each looks once for those behind it; the pairs are looked
/// at in order of ranks, but those that others have joined meanwhile. Equal hashes are found as one, and
/// where they are joined they are passed over as one.
template <typename Hash>
class VerifiedComponents {
 public:
  VerifiedComponents(const RankedKeysOf<Hash>& hashes, const PosedHashesOf<Hash>& posed, int radius,
                     const Verify& verify, int threads, const StopFlag& stop, const OnRefused& refused)
      : hashes_(hashes.keys.span()),
        refused_(refused),
        stop_(stop),
        queries_(hashes_, posed),
        looks_(hashes_, queries_, radius, verify, threads, stop),
        items_(BestFirst(hashes.order.span())),
        equal_(hashes_, items_.span()),
        neighbours_(queries_, HammingIndex<Hash>(equal_.count(), EachSet(), radius), items_.size(), threads,
                    stop),
        rank_of_(hashes_.size()),
        pending_(hashes_.size()),
        pairs_(kPairs),
        forest_(hashes_.size()) {
    for (uint32_t rank = 0; rank < items_.size(); ++rank) rank_of_[items_[rank]] = rank;
    pending_.Fill(0);
  }

  Result<std::vector<VerifiedGroup>> Run() {
    const auto count = static_cast<uint32_t>(items_.size());
    const auto together = static_cast<uint32_t>(neighbours_.Most(count));
    for (uint32_t first = 0; first < count; first += together) {
      TRY(CheckHashStop(stop_));
      TRY(LinkBlock(first, std::min(together, count - first)));
    }
    return Groups();
  }

  static size_t Bytes(size_t n, size_t poses, int threads) {
    return n * 3 * sizeof(uint32_t) + EqualHashes<Hash>::Bytes(n) + LinkForest<VerifiedMeasure>::Bytes(n) +
           kPairs * sizeof(LookedPair) + PosedNeighbours<Hash>::Bytes(n, poses, threads);
  }

 private:
  static constexpr size_t kPairs = 4096;

  typename HammingIndex<Hash>::Hashes EachSet() const {
    return [this](const auto& see) {
      for (uint32_t set = 0; set < equal_.count(); ++set) see(hashes_[items_[equal_.first(set)]], set);
    };
  }

  /// Those of these ranks look for others.
  Status LinkBlock(uint32_t first, uint32_t some) {
    const auto joined = [&](uint32_t a, uint32_t b) { return forest_.AreJoined(a, b); };
    TRY(neighbours_.Find(items_.span().subspan(first, some), [&](uint32_t place, uint32_t set) {
      return equal_.last(set) > first + place && !equal_.AreJoined(set, first + place, joined);
    }));
    for (uint32_t i = 0; i < some; ++i) {
      // One of the pairs at hand may join it to what it is near.
      if (pending_[first + i] == batch_) TRY(Settle());
      TRY(FindNear(i, first + i));
      for (const uint32_t other : near_) {
        if (forest_.Joined(first + i, other)) continue;
        if (used_ == kPairs) TRY(Settle());
        pending_[other] = batch_;
        pairs_[used_++] = {items_[first + i], items_[other], LookVerdict::Kind::kNotLooked, {}};
      }
    }
    return Settle();
  }

  /// The ranks behind its own of all that it is near, ascending, but of many that are joined to it.
  Status FindNear(size_t place, uint32_t rank) {
    sets_.clear();
    TRY(neighbours_.Each(place, [&](uint32_t set) { sets_.push_back(set); }));
    std::sort(sets_.begin(), sets_.end());
    sets_.erase(std::unique(sets_.begin(), sets_.end()), sets_.end());  // poses find some twice
    near_.clear();
    const auto joined = [&](uint32_t a, uint32_t b) { return forest_.Joined(a, b); };
    for (const uint32_t set : sets_)
      equal_.VisitBehind(set, rank, joined, [&](uint32_t other) { near_.push_back(other); });
    std::sort(near_.begin(), near_.end());
    return {};
  }

  Status Settle() {
    TRY(looks_.Look(pairs_.span().first(used_)));
    for (const LookedPair& pair : pairs_.span().first(used_)) {
      const uint32_t rank = rank_of_[pair.keeper], other = rank_of_[pair.other];
      if (forest_.Joined(rank, other)) continue;
      TellRefused(pair, refused_);
      if (pair.verdict == LookVerdict::Kind::kAlike) forest_.Join(rank, other, pair.measure);
    }
    used_ = 0;
    ++batch_;
    return {};
  }

  std::vector<VerifiedGroup> Groups() {
    std::vector<VerifiedGroup> groups;
    forest_.ForEachTree([&](uint32_t root, const auto& links) {
      VerifiedGroup group{items_[root], {}, {}};
      for (const auto& link : links)
        group.members.push_back(
            {items_[link.to], link.measure, link.from == root ? VerifiedGroup::kKeeper : items_[link.from]});
      std::sort(group.members.begin(), group.members.end());
      groups.push_back(std::move(group));
    });
    std::sort(groups.begin(), groups.end());
    return groups;
  }

  const std::span<const Hash> hashes_;
  const OnRefused& refused_;
  const StopFlag& stop_;
  const PosedQueries<Hash> queries_;
  const PairLooks<Hash> looks_;
  const PoolArray<uint32_t> items_;  ///< best first
  EqualHashes<Hash> equal_;
  PosedNeighbours<Hash> neighbours_;  ///< sets of equal hashes
  PoolArray<uint32_t> rank_of_;       ///< of each item
  PoolArray<uint32_t> pending_;       ///< the last batch of pairs with this rank behind another
  PoolArray<LookedPair> pairs_;
  LinkForest<VerifiedMeasure> forest_;  ///< of ranks
  std::vector<uint32_t> sets_, near_;   ///< of equal hashes and ranks that the item at hand is near
  size_t used_ = 0;                     ///< pairs
  uint32_t batch_ = 1;                  ///< of pairs
};

}  // namespace imgmill
