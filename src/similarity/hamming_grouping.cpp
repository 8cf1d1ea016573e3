// Finds neighbours by an index of the hashes, which is made again once most of them are taken.
#include <bit>
#include <cassert>

#include "imgmill/similarity/hamming.h"
#include "similarity/hamming_index.h"
#include "similarity/keeper_grouping.h"
#include "similarity/search_threads.h"

namespace imgmill {
namespace {

// Below this many hashes an index is not worth making again.
constexpr size_t kSmallestReindex = 4096;

class HammingSearch {
 public:
  using Measure = int;
  static constexpr int kEqual = 0;
  static constexpr size_t kFirstBlock = 64;
  static constexpr size_t kLargestBlock = 4096;
  static constexpr size_t kHitsHeld = 65536;

  HammingSearch(const ItemClasses& classes, int radius, int threads, const StopFlag& stop)
      : classes_(classes), radius_(radius), threads_(threads), stop_(stop) {
    Reindex();
  }

  Status Find(std::span<const uint32_t> block, FoundNeighbours<int>& found) {
    if (stop_.StopRequested()) {
      return Error{Stage::kReduce, Code::kInterrupted, "stopped while grouping hashes"};
    }
    block_ = block;
    const int threads = static_cast<int>(std::min<size_t>(static_cast<size_t>(threads_), block.size()));
    OnThreads(threads, [&](int t) {
      for (size_t i = static_cast<size_t>(t); i < block.size(); i += static_cast<size_t>(threads)) {
        index_->Query(classes_.key(block[i]), [&](uint32_t other, int distance) {
          return other == block[i] || classes_.taken(other) ||
                 found.Add(t, {static_cast<uint32_t>(i), other, distance});
        });
      }
    });
    return {};
  }

  template <typename Visit>
  Status FindAll(size_t candidate, const Visit& visit) {
    index_->Query(classes_.key(block_[candidate]), [&](uint32_t other, int distance) {
      visit(other, distance);
      return true;
    });
    return {};
  }

  // Whoever is taken is passed over by every search; an index without them is faster.
  void DropTaken() {
    if (indexed_count_ > kSmallestReindex && classes_.left() * 2 < indexed_count_) Reindex();
  }

 private:
  void Reindex() {
    index_.reset();
    indexed_count_ = classes_.left();
    const HammingIndex::Hashes left = [&](const auto& see) {
      for (uint32_t c = 0; c < classes_.count(); ++c) {
        if (!classes_.taken(c)) see(classes_.key(c), c);
      }
    };
    index_.emplace(indexed_count_, left, radius_);
  }

  const ItemClasses& classes_;
  const int radius_;
  const int threads_;
  const StopFlag& stop_;
  size_t indexed_count_ = 0;
  std::optional<HammingIndex> index_;
  std::span<const uint32_t> block_;
};

}  // namespace

Result<std::vector<HammingGroup>> GroupByHamming(RankedKeys hashes, int radius, int threads,
                                                 const StopFlag& stop, const PairRule& allows) {
  assert(radius >= 0 && radius <= 64 && threads >= 1);
  ItemClasses classes(hashes.keys.span(), hashes.order.span(), allows != nullptr);
  hashes = {};
  HammingSearch search(classes, radius, threads, stop);
  return KeeperGrouping<HammingSearch>(classes, search, threads, allows).Run();
}

size_t GroupByHammingBytes(size_t n, int radius, int threads) {
  const size_t searching =
      HammingIndexBytes(n, radius) + FoundNeighbours<int>::Bytes(threads, HammingSearch::kHitsHeld);
  return ItemClasses::Bytes(n) + std::max(RankedKeys::Bytes(n), searching);
}

std::vector<HammingGroup> GroupByHammingScalar(std::span<const uint64_t> hashes,
                                               std::span<const uint32_t> order, int radius) {
  return GroupByPlainLoops<int>(order, [&](uint32_t keeper, uint32_t other) -> std::optional<int> {
    const int distance = std::popcount(hashes[keeper] ^ hashes[other]);
    return distance <= radius ? std::optional(distance) : std::nullopt;
  });
}

}  // namespace imgmill
