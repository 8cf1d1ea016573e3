// Known pairs first, then a search for the rest, which tells known hashes of their new neighbours.
#include "imgmill/similarity/neighbours.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "base/try.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/hamming.h"
#include "similarity/hamming_index.h"

namespace imgmill {
namespace {

enum class State : uint8_t {
  kNew,    ///< to be searched for; a known hash may have it for its first neighbour
  kLost,   ///< its neighbour is gone, so that it is searched for, too
  kKnown,  ///< as it is in `near`, but for new ones
};

/// Tables are not worth making for fewer queries than this.
constexpr size_t kFewQueries = 1024;

class NeighbourSearch {
 public:
  NeighbourSearch(std::span<const uint64_t> hashes, int radius, int threads, std::span<uint64_t> near)
      : hashes_(hashes), radius_(radius), threads_(threads), near_(near), states_(hashes.size()) {
    states_.Fill(State::kNew);
    std::ranges::copy(hashes, near.begin());
  }

  Status Recall(const KnownNeighbours& known) {
    size_t at = 0;
    return known([&](uint64_t hash, uint64_t near) {
      while (at < hashes_.size() && hashes_[at] < hash) ++at;
      if (at == hashes_.size() || hashes_[at] != hash) return;
      any_known_ = true;
      const bool there = std::ranges::binary_search(hashes_, near);
      states_[at] = there ? State::kKnown : State::kLost;
      if (there) near_[at] = near;
    });
  }

  Result<size_t> Search(const StopFlag& stop) {
    const auto asked = static_cast<size_t>(
        std::ranges::count_if(states_, [](State state) { return state != State::kKnown; }));
    if (asked == 0) return asked;
    const size_t most = QueryBlock<uint64_t>::Most(hashes_.size());
    QueryBlock<uint64_t> block(most);
    PoolArray<uint32_t> places(most);
    const HammingIndex<uint64_t> index(hashes_, radius_, Plan(asked));
    for (uint32_t next = 0; next < hashes_.size();) {
      if (stop.StopRequested())
        return Error{Stage::kReduce, Code::kInterrupted, "stopped while comparing hashes"};
      size_t count = 0;
      for (; next < hashes_.size() && count < most; ++next) {
        if (states_[next] == State::kKnown) continue;
        block.queries[count] = hashes_[next];
        places[count++] = next;
      }
      index.QueryOnThreads(block, count, threads_,
                           [&](int, size_t place, uint32_t other, int) { return Hit(places[place], other); });
    }
    return asked;
  }

 private:
  IndexPlan Plan(size_t asked) const {
    return asked < kFewQueries ? IndexPlan{0, {radius_}, 0} : IndexPlan::Choose(hashes_.size(), radius_);
  }

  /// @return whether to look for more
  bool Hit(uint32_t item, uint32_t other) {
    if (other == item) return true;
    SetIfNone(item, other);
    if (states_[item] != State::kNew || !any_known_) return false;
    if (states_[other] == State::kKnown) SetIfNone(other, item);
    return true;
  }
  void SetIfNone(uint32_t item, uint32_t other) {
    const std::atomic_ref near(near_[item]);
    if (near.load(std::memory_order_relaxed) == hashes_[item])
      near.store(hashes_[other], std::memory_order_relaxed);
  }

  const std::span<const uint64_t> hashes_;
  const int radius_;
  const int threads_;
  const std::span<uint64_t> near_;
  PoolArray<State> states_;
  bool any_known_ = false;
};

}  // namespace

Result<size_t> FindNeighbours(std::span<const uint64_t> hashes, int radius, const KnownNeighbours& known,
                              int threads, const StopFlag& stop, std::span<uint64_t> near) {
  NeighbourSearch search(hashes, radius, threads, near);
  TRY(search.Recall(known));
  return search.Search(stop);
}

size_t NeighbourBytes(size_t hashes, int radius) {
  const size_t most = QueryBlock<uint64_t>::Most(hashes);
  return hashes * sizeof(State) + HammingIndexBytes<uint64_t>(hashes, radius) +
         QueryBlock<uint64_t>::Bytes(most) + most * sizeof(uint32_t);
}

}  // namespace imgmill
