// Finds neighbours by an index of the hashes, which is made again once most of them are taken.
#include <cassert>

#include "imgmill/similarity/hamming.h"
#include "similarity/hamming_index.h"
#include "similarity/keeper_grouping.h"
#include "similarity/search_stop.h"

namespace imgmill {
namespace {

// Below this many hashes an index is not worth making again.
constexpr size_t kSmallestReindex = 4096;

template <typename Hash>
class HammingSearch {
 public:
  using Measure = int;
  static constexpr int kEqual = 0;
  static constexpr size_t kFirstBlock = 64;
  size_t largest_block() const { return asked_.queries.size(); }
  static constexpr size_t kHitsHeld = 65536;

  HammingSearch(const ItemClasses<Hash>& classes, int radius, int threads, const StopFlag& stop)
      : classes_(classes),
        radius_(radius),
        threads_(threads),
        stop_(stop),
        asked_(QueryBlock<Hash>::Most(classes.count())) {
    Reindex();
  }

  Status MayGoOn() const { return CheckHashStop(stop_); }

  template <typename Add>
  Status Find(std::span<const uint32_t> block, const Add& add) {
    TRY(MayGoOn());
    block_ = block;
    for (size_t i = 0; i < block.size(); ++i) asked_.queries[i] = classes_.key(block[i]);
    index_->QueryOnThreads(asked_, block.size(), threads_,
                           [&](int thread, size_t place, uint32_t other, int distance) {
                             if (stop_.StopRequested()) return false;
                             return other == block[place] || classes_.taken(other) ||
                                    add(thread, {static_cast<uint32_t>(place), other, distance});
                           });
    return MayGoOn();
  }

  template <typename Visit>
  Status FindAll(size_t candidate, const Visit& visit) {
    index_->Query(classes_.key(block_[candidate]), [&](uint32_t other, int distance) {
      visit(other, distance);
      return true;
    });
    return {};
  }

  Result<std::optional<int>> Between(uint32_t a, uint32_t b) const {
    const int distance = BitsApart(classes_.key(a), classes_.key(b));
    return distance <= radius_ ? std::optional(distance) : std::nullopt;
  }

  // Whoever is taken is passed over by every search; an index without them is faster.
  void DropTaken() {
    if (indexed_count_ > kSmallestReindex && classes_.left() * 2 < indexed_count_) Reindex();
  }

 private:
  void Reindex() {
    index_.reset();
    indexed_count_ = classes_.left();
    const typename HammingIndex<Hash>::Hashes left = [&](const auto& see) {
      for (uint32_t c = 0; c < classes_.count(); ++c) {
        if (!classes_.taken(c)) see(classes_.key(c), c);
      }
    };
    index_.emplace(indexed_count_, left, radius_);
  }

  const ItemClasses<Hash>& classes_;
  const int radius_;
  const int threads_;
  const StopFlag& stop_;
  size_t indexed_count_ = 0;
  std::optional<HammingIndex<Hash>> index_;
  std::span<const uint32_t> block_;
  QueryBlock<Hash> asked_;
};

}  // namespace

template <typename Hash>
Result<std::vector<HammingGroup>> GroupByHamming(RankedKeysOf<Hash> hashes, int radius, int threads,
                                                 const StopFlag& stop, const PairRule& allows, GroupBy by) {
  assert(radius >= 0 && radius <= static_cast<int>(64 * kWordsOf<Hash>) && threads >= 1);
  ItemClasses<Hash> classes(hashes.keys.span(), hashes.order.span(), allows != nullptr);
  hashes = {};
  HammingSearch<Hash> search(classes, radius, threads, stop);
  return GroupBySearch(classes, search, threads, allows, by);
}

template <typename Hash>
size_t GroupByHammingBytes(size_t n, int radius, int threads, GroupBy by) {
  const size_t searching = HammingIndexBytes<Hash>(n, radius) +
                           FoundNeighbours<int>::Bytes(threads, HammingSearch<Hash>::kHitsHeld) +
                           QueryBlock<Hash>::Bytes(QueryBlock<Hash>::Most(n)) + GroupBySearchBytes(n, by);
  return ItemClasses<Hash>::Bytes(n) + std::max(RankedKeysOf<Hash>::Bytes(n), searching);
}

template Result<std::vector<HammingGroup>> GroupByHamming(RankedKeysOf<uint64_t>, int, int, const StopFlag&,
                                                          const PairRule&, GroupBy);
template Result<std::vector<HammingGroup>> GroupByHamming(RankedKeysOf<Hash256>, int, int, const StopFlag&,
                                                          const PairRule&, GroupBy);
template size_t GroupByHammingBytes<uint64_t>(size_t n, int radius, int threads, GroupBy by);
template size_t GroupByHammingBytes<Hash256>(size_t n, int radius, int threads, GroupBy by);

namespace {

template <typename Hash>
std::vector<HammingGroup> GroupByLoops(std::span<const Hash> hashes, std::span<const uint32_t> order,
                                       int radius) {
  return GroupByPlainLoops<int>(order, [&](uint32_t keeper, uint32_t other) -> std::optional<int> {
    const int distance = BitsApart(hashes[keeper], hashes[other]);
    return distance <= radius ? std::optional(distance) : std::nullopt;
  });
}

}  // namespace

std::vector<HammingGroup> GroupByHammingScalar(std::span<const uint64_t> hashes,
                                               std::span<const uint32_t> order, int radius) {
  return GroupByLoops(hashes, order, radius);
}
std::vector<HammingGroup> GroupByHammingScalar(std::span<const Hash256> hashes,
                                               std::span<const uint32_t> order, int radius) {
  return GroupByLoops(hashes, order, radius);
}

}  // namespace imgmill
