// Keepers take what is near them by hash and passes a second look.
#include <algorithm>
#include <bit>

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

class VerifiedGrouping {
 public:
  VerifiedGrouping(const RankedKeys& hashes, int radius, const Verify& verify, int threads,
                   const StopFlag& stop)
      : hashes_(hashes.keys.span()),
        verify_(verify),
        threads_(threads),
        stop_(stop),
        index_(hashes_, radius),
        best_first_(hashes_.size()),
        near_(hashes_.size()),
        near_block_(hashes_.size()),
        taken_(hashes_.size()),
        pairs_(kPairs) {
    taken_.Fill(false);
    near_block_.Fill(0);
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

  static size_t Bytes(size_t n) { return n * (3 * sizeof(uint32_t) + sizeof(bool)) + kPairs * sizeof(Pair); }

 private:
  struct Pair {
    uint32_t keeper = 0, other = 0;
    bool verified = false;
    SecondLook look;
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
      index_.Query(hashes_[keeper], [&](uint32_t other, int) {
        if (other != keeper && !taken_[other]) near_[found++] = other;
        return true;
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
      const int distance = std::popcount(hashes_[pair.keeper] ^ hashes_[pair.other]);
      groups_.back().members.push_back({pair.other, {distance, pair.look}});
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

  Status VerifyPair(int thread, Pair& pair) const {
    const std::optional<SecondLook> look = TRY(verify_(thread, pair.keeper, pair.other));
    pair.verified = look.has_value();
    if (look) pair.look = *look;
    return {};
  }

  const std::span<const uint64_t> hashes_;
  const Verify& verify_;
  const int threads_;
  const StopFlag& stop_;
  const HammingIndex index_;
  PoolArray<uint32_t> best_first_, near_;
  PoolArray<uint32_t> near_block_;  ///< the last block of which a keeper is near the item
  PoolArray<bool> taken_;
  PoolArray<Pair> pairs_;
  size_t used_ = 0;  ///< pairs
  size_t next_ = 0;  ///< of best_first_
  uint32_t block_ = 0;
  std::vector<VerifiedGroup> groups_;
};

}  // namespace

Status WithNeighbours(std::span<const uint64_t> hashes, int radius,
                      const std::function<bool(uint32_t item, uint32_t other)>& differs, const StopFlag& stop,
                      const std::function<void(uint32_t item)>& visit) {
  const HammingIndex index(hashes, radius);
  for (uint32_t item = 0; item < hashes.size(); ++item) {
    TRY(CheckStop(stop));
    bool found = false;
    index.Query(hashes[item], [&](uint32_t other, int) {
      found = other != item && differs(item, other);
      return !found;
    });
    if (found) visit(item);
  }
  return {};
}

Result<std::vector<VerifiedGroup>> GroupVerified(RankedKeys hashes, int radius, const Verify& verify,
                                                 int threads, const StopFlag& stop) {
  return VerifiedGrouping(hashes, radius, verify, threads, stop).Run();
}

size_t VerifiedGroupingBytes(size_t n, int radius) {
  return RankedKeys::Bytes(n) + HammingIndexBytes(n, radius) + VerifiedGrouping::Bytes(n);
}

}  // namespace imgmill
