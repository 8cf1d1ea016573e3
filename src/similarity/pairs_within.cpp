// All pairs within a radius, found by asking the index for each hash's later neighbours, block by block.
#include <algorithm>
#include <cassert>

#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/hamming.h"
#include "similarity/hamming_index.h"
#include "similarity/search_threads.h"

namespace imgmill {
namespace {

constexpr size_t kPairsBeyondOneQuery = 65536;

// One thread's share of a block: the pairs of the hashes first..last-1, as far as its buffer goes.
template <typename Hash>
class Worker {
 public:
  explicit Worker(size_t n) : pairs_(n + kPairsBeyondOneQuery) {}

  // @return the first hash whose pairs no longer fitted, or `last`.
  size_t Search(const HammingIndex<Hash>& index, std::span<const Hash> hashes, size_t first, size_t last) {
    count_ = 0;
    for (size_t a = first; a < last;) {
      const size_t together = std::min(HammingIndex<Hash>::kTogether, last - a);
      if (Add(index, hashes, a, together)) {
        a += together;
        continue;
      }
      // Not of all these; of the first ones there may be room yet.
      for (const size_t end = a + together; a < end; ++a) {
        if (!Add(index, hashes, a, 1)) return a;
      }
    }
    return last;
  }

  std::span<const HammingPair> pairs() const { return {pairs_.data(), count_}; }

 private:
  // Those of a few hashes, in order, or none.
  bool Add(const HammingIndex<Hash>& index, std::span<const Hash> hashes, size_t first, size_t together) {
    const size_t before = count_;
    bool fits = true;
    index.QueryAll(hashes.subspan(first, together), static_cast<uint32_t>(first + 1),
                   [&](size_t place, uint32_t b, int distance) {
                     const auto a = static_cast<uint32_t>(first + place);
                     if (b <= a) return true;
                     fits = fits && count_ < pairs_.size();
                     if (fits) pairs_[count_++] = {a, b, distance};
                     return fits;
                   });
    if (!fits) count_ = before;
    std::sort(pairs_.data() + before, pairs_.data() + count_);
    return fits;
  }

  PoolArray<HammingPair> pairs_;
  size_t count_ = 0;
};

template <typename Hash>
std::vector<HammingPair> PairsByLoops(std::span<const Hash> hashes, int radius) {
  std::vector<HammingPair> pairs;
  for (size_t a = 0; a < hashes.size(); ++a) {
    for (size_t b = a + 1; b < hashes.size(); ++b) {
      const int distance = BitsApart(hashes[a], hashes[b]);
      if (distance <= radius) pairs.push_back({static_cast<uint32_t>(a), static_cast<uint32_t>(b), distance});
    }
  }
  return pairs;
}

template <typename Hash>
Status FindPairs(std::span<const Hash> hashes, int radius, int threads, const StopFlag& stop,
                 const std::function<void(std::span<const HammingPair>)>& sink) {
  assert(radius >= 0 && radius <= static_cast<int>(64 * kWordsOf<Hash>) && threads >= 1);
  const size_t n = hashes.size();
  const HammingIndex<Hash> index(hashes, radius);
  std::vector<Worker<Hash>> workers;
  for (int t = 0; t < threads; ++t) workers.emplace_back(n);
  std::vector<size_t> reached(workers.size());

  size_t share = 256;
  for (size_t first = 0; first < n;) {
    if (stop.StopRequested())
      return Error{Stage::kReduce, Code::kInterrupted, "stopped while comparing hashes"};
    OnThreads(threads, [&](int t) {
      const size_t from = std::min(n, first + static_cast<size_t>(t) * share);
      reached[static_cast<size_t>(t)] =
          workers[static_cast<size_t>(t)].Search(index, hashes, from, std::min(n, from + share));
    });
    // A full buffer ends the block there: what later threads found is found again. Smaller shares make that
    // rare.
    bool all_fitted = true;
    size_t next = first;
    for (size_t t = 0; t < workers.size() && all_fitted; ++t) {
      const auto pairs = workers[t].pairs();
      if (!pairs.empty()) sink(pairs);
      all_fitted = reached[t] == std::min(n, next + share);
      next = reached[t];
    }
    first = next;
    share = all_fitted ? std::min<size_t>(share * 2, 8192) : std::max<size_t>(share / 2, 1);
  }
  return {};
}

}  // namespace

std::vector<HammingPair> PairsWithinScalar(std::span<const uint64_t> hashes, int radius) {
  return PairsByLoops(hashes, radius);
}
std::vector<HammingPair> PairsWithinScalar(std::span<const Hash256> hashes, int radius) {
  return PairsByLoops(hashes, radius);
}

Status PairsWithin(std::span<const uint64_t> hashes, int radius, int threads, const StopFlag& stop,
                   const std::function<void(std::span<const HammingPair>)>& sink) {
  return FindPairs(hashes, radius, threads, stop, sink);
}
Status PairsWithin(std::span<const Hash256> hashes, int radius, int threads, const StopFlag& stop,
                   const std::function<void(std::span<const HammingPair>)>& sink) {
  return FindPairs(hashes, radius, threads, stop, sink);
}

template <typename Hash>
size_t HammingIndexBytes(size_t n, int radius) {
  return HammingIndex<Hash>::Bytes(n, radius);
}
template size_t HammingIndexBytes<uint64_t>(size_t n, int radius);
template size_t HammingIndexBytes<Hash256>(size_t n, int radius);

}  // namespace imgmill
