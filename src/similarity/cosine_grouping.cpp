// Finds neighbours by comparing a block of candidates with every row that is left.
#include <cassert>

#include "similarity/dot_queries.h"
#include "similarity/keeper_grouping.h"
#include "similarity/left_rows.h"
#include "similarity/row_pair.h"

namespace imgmill {
namespace {

class CosineSearch {
 public:
  using Measure = float;
  static constexpr float kEqual = 1;
  static constexpr size_t kFirstBlock = 16;
  static constexpr size_t kLargestBlock = 256;
  static size_t largest_block() { return kLargestBlock; }
  static constexpr size_t kHitsHeld = 32768;

  CosineSearch(const RowClasses& classes, const VectorRows& rows, float least, int threads,
               const StopFlag& stop)
      : classes_(classes),
        rows_(rows),
        least_(least),
        threads_(threads),
        stop_(stop),
        dimension_(static_cast<size_t>(rows.dimension)),
        left_(classes, rows, stop),
        queries_(kLargestBlock, dimension_),
        pairs_(rows) {}

  Status MayGoOn() const { return CheckVectorStop(stop_); }

  template <typename Add>
  Status Find(std::span<const uint32_t> block, const Add& add) {
    for (size_t i = 0; i < block.size(); ++i) {
      Status looked =
          rows_.look(classes_.key(block[i]), 1, [&](const float* vector) { queries_.Put(i, vector); });
      if (!looked) return looked;
    }
    return left_.ForEach(threads_,
                         [&](int thread, std::span<const uint32_t> ids, const float* const* vectors) {
                           float dots[kRowsTogether * kLargestBlock];
                           queries_.DotsWith(vectors, ids.size(), 0, block.size(), dots);
                           for (size_t at = 0; at < ids.size() * block.size(); ++at) {
                             if (!(dots[at] >= least_)) continue;
                             const uint32_t class_id = ids[at / block.size()];
                             const size_t i = at % block.size();
                             if (class_id != block[i])
                               add(thread, {static_cast<uint32_t>(i), class_id, std::min(dots[at], 1.0f)});
                           }
                         });
  }

  template <typename Visit>
  Status FindAll(size_t candidate, const Visit& visit) {
    return left_.ForEach(1, [&](int, std::span<const uint32_t> ids, const float* const* vectors) {
      float dots[kRowsTogether];
      queries_.DotsWith(vectors, ids.size(), candidate, 1, dots);
      for (size_t r = 0; r < ids.size(); ++r) {
        if (dots[r] >= least_) visit(ids[r], std::min(dots[r], 1.0f));
      }
    });
  }

  Result<std::optional<float>> Between(uint32_t a, uint32_t b) {
    return pairs_.CosineWithin(classes_.key(a), classes_.key(b), least_);
  }

  void DropTaken() { left_.DropTaken(); }

 private:
  const RowClasses& classes_;
  const VectorRows& rows_;
  const float least_;
  const int threads_;
  const StopFlag& stop_;
  const size_t dimension_;
  LeftRows left_;
  DotQueries queries_;  // the block's vectors
  RowPairs pairs_;
};

}  // namespace

Result<std::vector<CosineGroup>> GroupByCosine(const VectorRows& rows, RankedKeys items, float least,
                                               int threads, const StopFlag& stop, const PairRule& allows,
                                               GroupBy by) {
  assert(threads >= 1 && rows.dimension > 0);
  RowClasses classes(items.keys.span(), items.order.span(), allows != nullptr);
  items = {};
  CosineSearch search(classes, rows, least, threads, stop);
  return GroupBySearch(classes, search, threads, allows, by);
}

size_t GroupByCosineBytes(size_t n, int dimension, int threads, GroupBy by) {
  const size_t searching =
      LeftRows::Bytes(n) + DotQueries::Bytes(CosineSearch::kLargestBlock, static_cast<size_t>(dimension)) +
      RowPairs::Bytes(dimension) + FoundNeighbours<float>::Bytes(threads, CosineSearch::kHitsHeld) +
      GroupBySearchBytes(n, by);
  return RowClasses::Bytes(n) + std::max(RankedKeys::Bytes(n), searching);
}

std::vector<CosineGroup> GroupByCosineScalar(std::span<const float> vectors, int dimension,
                                             std::span<const uint32_t> order, float least) {
  const auto n = static_cast<size_t>(dimension);
  return GroupByPlainLoops<float>(order, [&](uint32_t keeper, uint32_t other) -> std::optional<float> {
    const float dot = DotScalar(&vectors[keeper * n], &vectors[other * n], n);
    return dot >= least ? std::optional(std::min(dot, 1.0f)) : std::nullopt;
  });
}

}  // namespace imgmill
