// Keepers take what is near them by hash and passes a second look.
#include <algorithm>
#include <atomic>

#include "base/try.h"
#include "imgmill/similarity/grouping.h"
#include "imgmill/similarity/hamming.h"
#include "similarity/hamming_index.h"
#include "similarity/search_threads.h"

namespace imgmill {
namespace {

Status CheckStop(const StopFlag& stop) {
  if (!stop.StopRequested()) return {};
  return Error{Stage::kReduce, Code::kInterrupted, "stopped while grouping hashes"};
}

/// Finds what is near an item in any pose.
template <typename Hash>
class PosedIndex {
 public:
  PosedIndex(std::span<const Hash> hashes, const PosedHashesOf<Hash>& posed, int radius)
      : hashes_(hashes), posed_(posed), index_(hashes, radius) {}

  std::span<const Hash> PosesOf(uint32_t item) const {
    return posed_.poses > 0 ? posed_.of(item) : hashes_.subspan(item, 1);
  }
  /// One may come once for each pose.
  template <typename Visit>
  void ForEachNear(uint32_t item, const Visit& visit) const {
    index_.QueryAll(PosesOf(item), 0, [&](size_t, uint32_t other, int) {
      if (other != item) visit(other);
      return true;
    });
  }
  /// The same of as many items as are asked about together: visit(item, other). Without poses one that
  /// returns false ends the search for the item's.
  template <typename Visit>
  void ForEachNear(uint32_t first, uint32_t end, const Visit& visit) const {
    if (posed_.poses > 0) {
      for (uint32_t item = first; item < end; ++item)
        ForEachNear(item, [&](uint32_t other) { visit(item, other); });
      return;
    }
    index_.QueryAll(hashes_.subspan(first, end - first), 0, [&](size_t place, uint32_t other, int) {
      const uint32_t item = first + static_cast<uint32_t>(place);
      return other == item || visit(item, other);
    });
  }

 private:
  const std::span<const Hash> hashes_;
  const PosedHashesOf<Hash>& posed_;
  const HammingIndex<Hash> index_;
};

template <typename Hash>
class VerifiedGrouping {
 public:
  VerifiedGrouping(const RankedKeysOf<Hash>& hashes, const PosedHashesOf<Hash>& posed, int radius,
                   const Verify& verify, int threads, const StopFlag& stop)
      : hashes_(hashes.keys.span()),
        radius_(radius),
        verify_(verify),
        threads_(threads),
        stop_(stop),
        index_(hashes_, posed, radius),
        best_first_(hashes_.size()),
        near_(hashes_.size()),
        near_keeper_(hashes_.size()),
        near_block_(hashes_.size()),
        taken_(hashes_.size()),
        pairs_(kPairs) {
    taken_.Fill(false);
    near_block_.Fill(0);
    near_keeper_.Fill(0);
    for (uint32_t i = 0; i < best_first_.size(); ++i) best_first_[i] = i;
    std::sort(best_first_.begin(), best_first_.end(), [&](uint32_t a, uint32_t b) {
      return hashes.order[a] != hashes.order[b] ? hashes.order[a] < hashes.order[b] : a < b;
    });
  }

  Result<std::vector<VerifiedGroup>> Run() {
    while (next_ < best_first_.size()) {
      TRY(CheckStop(stop_));
      TRY(AskForBlock());
      TRY(Settle());
    }
    std::sort(groups_.begin(), groups_.end());
    return std::move(groups_);
  }

  static size_t Bytes(size_t n) { return n * (4 * sizeof(uint32_t) + sizeof(bool)) + kPairs * sizeof(Pair); }

 private:
  struct Pair {
    uint32_t keeper = 0, other = 0;
    bool verified = false;
    VerifiedMeasure measure;
  };
  static constexpr size_t kPairs = 4096;

  /// Pairs of the next keepers, as long as it is certain that these are keepers: none is near one that was
  /// added before it.
  Status AskForBlock() {
    used_ = 0;
    ++block_;
    for (; next_ < best_first_.size(); ++next_) {
      const uint32_t keeper = best_first_[next_];
      if (taken_[keeper]) continue;
      if (near_block_[keeper] == block_) return {};
      size_t found = 0;
      index_.ForEachNear(keeper, [&](uint32_t other) {
        // Marked by the keeper's place, from 1, since poses find some twice.
        if (!taken_[other] && near_keeper_[other] != next_ + 1) near_[found++] = other;
        near_keeper_[other] = next_ + 1;
      });
      if (used_ > 0 && used_ + found > kPairs) return {};
      taken_[keeper] = true;
      std::sort(near_.begin(), near_.begin() + found);
      for (size_t i = 0; i < found; ++i) {
        if (used_ == kPairs) TRY(Settle());  // it alone has more than there is room for
        near_block_[near_[i]] = block_;
        pairs_[used_++] = {keeper, near_[i], false, {}};
      }
    }
    return {};
  }

  /// Verifies the pairs, and lets keepers take what is theirs, in order.
  Status Settle() {
    TRY(VerifyPairs());
    for (const Pair& pair : pairs_.span().first(used_)) {
      if (!pair.verified || taken_[pair.other]) continue;
      taken_[pair.other] = true;
      if (groups_.empty() || groups_.back().keeper != pair.keeper) groups_.push_back({pair.keeper, {}});
      groups_.back().members.push_back({pair.other, pair.measure});
    }
    used_ = 0;
    return {};
  }

  Status VerifyPairs() {
    const size_t count = used_;
    const int threads = std::clamp(static_cast<int>(count), 1, threads_);
    std::vector<Status> ends(static_cast<size_t>(threads));
    OnThreads(threads, [&](int t) {
      Status& end = ends[static_cast<size_t>(t)];
      for (auto i = static_cast<size_t>(t); i < count && end; i += static_cast<size_t>(threads)) {
        end = CheckStop(stop_);
        if (end) end = VerifyPair(t, pairs_[i]);
      }
    });
    for (const Status& end : ends) {
      if (!end) return end;
    }
    return {};
  }

  /// In each pose that is near, the nearest first.
  Status VerifyPair(int thread, Pair& pair) const {
    const std::span<const Hash> poses = index_.PosesOf(pair.keeper);
    for (int distance = 0; distance <= radius_ && !pair.verified; ++distance) {
      for (uint32_t pose = 0; pose < poses.size() && !pair.verified; ++pose) {
        if (BitsApart(poses[pose], hashes_[pair.other]) != distance) continue;
        const std::optional<SecondLook> look = TRY(verify_(thread, pair.keeper, pair.other, pose));
        if (!look) continue;
        pair.verified = true;
        pair.measure = {distance, pose, *look};
      }
    }
    return {};
  }

  const std::span<const Hash> hashes_;
  const int radius_;
  const Verify& verify_;
  const int threads_;
  const StopFlag& stop_;
  const PosedIndex<Hash> index_;
  PoolArray<uint32_t> best_first_, near_;
  PoolArray<uint32_t> near_keeper_;  ///< the place, from 1, of the last keeper that the item is near
  PoolArray<uint32_t> near_block_;   ///< the last block of which a keeper is near the item
  PoolArray<bool> taken_;
  PoolArray<Pair> pairs_;
  size_t used_ = 0;    ///< pairs
  uint32_t next_ = 0;  ///< of best_first_
  uint32_t block_ = 0;
  std::vector<VerifiedGroup> groups_;
};

template <typename Hash>
Status VisitWithNeighbours(std::span<const Hash> hashes, const PosedHashesOf<Hash>& posed, int radius,
                           const std::function<bool(uint32_t item, uint32_t other)>& differs, int threads,
                           const StopFlag& stop, const std::function<void(uint32_t item)>& visit) {
  constexpr uint32_t kTogether = HammingIndex<Hash>::kTogether;
  const PosedIndex<Hash> index(hashes, posed, radius);
  const auto count = static_cast<uint32_t>(hashes.size());
  PoolArray<uint8_t> with(count);
  with.Fill(0);
  const auto mark = [&](uint32_t item) { std::atomic_ref(with[item]).store(1, std::memory_order_relaxed); };
  std::atomic<uint64_t> next{0};
  OnThreads(threads, [&](int) {
    for (uint64_t from; !stop.StopRequested() && (from = next.fetch_add(kTogether)) < count;) {
      const auto first = static_cast<uint32_t>(from);
      index.ForEachNear(first, std::min(count, first + kTogether), [&](uint32_t item, uint32_t other) {
        if (!differs(item, other)) return true;
        mark(item);
        // A pose of one may be near where no pose of the other is.
        if (posed.poses > 0) mark(other);
        return false;
      });
    }
  });
  TRY(CheckStop(stop));
  for (uint32_t item = 0; item < count; ++item) {
    if (with[item] != 0) visit(item);
  }
  return {};
}

}  // namespace

Status WithNeighbours(std::span<const uint64_t> hashes, const PosedHashes& posed, int radius,
                      const std::function<bool(uint32_t item, uint32_t other)>& differs, int threads,
                      const StopFlag& stop, const std::function<void(uint32_t item)>& visit) {
  return VisitWithNeighbours(hashes, posed, radius, differs, threads, stop, visit);
}
Status WithNeighbours(std::span<const Hash256> hashes, const PosedHashesOf<Hash256>& posed, int radius,
                      const std::function<bool(uint32_t item, uint32_t other)>& differs, int threads,
                      const StopFlag& stop, const std::function<void(uint32_t item)>& visit) {
  return VisitWithNeighbours(hashes, posed, radius, differs, threads, stop, visit);
}

Result<std::vector<VerifiedGroup>> GroupVerified(RankedKeys hashes, const PosedHashes& posed, int radius,
                                                 const Verify& verify, int threads, const StopFlag& stop) {
  return VerifiedGrouping(hashes, posed, radius, verify, threads, stop).Run();
}
Result<std::vector<VerifiedGroup>> GroupVerified(RankedKeysOf<Hash256> hashes,
                                                 const PosedHashesOf<Hash256>& posed, int radius,
                                                 const Verify& verify, int threads, const StopFlag& stop) {
  return VerifiedGrouping(hashes, posed, radius, verify, threads, stop).Run();
}

template <typename Hash>
size_t VerifiedGroupingBytes(size_t n, size_t poses, int radius) {
  return RankedKeysOf<Hash>::Bytes(n) + PosedHashesOf<Hash>::Bytes(n, poses) +
         HammingIndexBytes<Hash>(n, radius) + VerifiedGrouping<Hash>::Bytes(n);
}
template size_t VerifiedGroupingBytes<uint64_t>(size_t n, size_t poses, int radius);
template size_t VerifiedGroupingBytes<Hash256>(size_t n, size_t poses, int radius);

}  // namespace imgmill
