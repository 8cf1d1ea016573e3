// Finds neighbours by comparing a block of candidates, each in all its poses, with every row that is left.
#include <cassert>

#include "imgmill/similarity/posed_cosine.h"
#include "similarity/dot_queries.h"
#include "similarity/keeper_grouping.h"
#include "similarity/left_rows.h"

namespace imgmill {
namespace {

class PosedSearch {
 public:
  using Measure = PosedCosine;
  static constexpr Measure kEqual = {1, 0};
  static constexpr size_t kFirstBlock = 16;
  /// Vectors of candidates that are compared at once.
  static constexpr size_t kQueries = 256;
  static constexpr size_t kHitsHeld = 32768;
  size_t largest_block() const { return kQueries / poses_; }

  PosedSearch(const RowClasses& classes, const VectorRows& rows, const PosedRows& posed,
              std::span<const uint64_t> posed_rows, float least, int threads, const StopFlag& stop)
      : classes_(classes),
        rows_(rows),
        posed_(posed),
        posed_rows_(posed_rows),
        least_(least),
        threads_(threads),
        stop_(stop),
        dimension_(static_cast<size_t>(rows.dimension)),
        poses_(1 + posed.others),
        left_(classes, rows, stop),
        queries_(kQueries, dimension_),
        better_(poses_, dimension_) {}

  Status MayGoOn() const { return CheckVectorStop(stop_); }

  template <typename Add>
  Status Find(std::span<const uint32_t> block, const Add& add) {
    for (size_t i = 0; i < block.size(); ++i) TRY(Load(block[i], queries_, i * poses_));
    return left_.ForEach(threads_,
                         [&](int thread, std::span<const uint32_t> ids, const float* const* vectors) {
                           float dots[kRowsTogether * kQueries];
                           queries_.DotsWith(vectors, ids.size(), 0, block.size() * poses_, dots);
                           for (size_t at = 0; at < ids.size() * block.size(); ++at) {
                             const Measure best = Best(dots + at * poses_);
                             const uint32_t class_id = ids[at / block.size()];
                             const size_t i = at % block.size();
                             if (best.cosine >= least_ && class_id != block[i])
                               add(thread, {static_cast<uint32_t>(i), class_id, best});
                           }
                         });
  }

  template <typename Visit>
  Status FindAll(size_t candidate, const Visit& visit) {
    return left_.ForEach(1, [&](int, std::span<const uint32_t> ids, const float* const* vectors) {
      float dots[kRowsTogether * kMostPoses];
      queries_.DotsWith(vectors, ids.size(), candidate * poses_, poses_, dots);
      for (size_t r = 0; r < ids.size(); ++r) {
        const Measure best = Best(dots + r * poses_);
        if (best.cosine >= least_) visit(ids[r], best);
      }
    });
  }

  /// The better one's poses: classes are numbered best first.
  Result<std::optional<Measure>> Between(uint32_t a, uint32_t b) {
    TRY(Load(std::min(a, b), better_, 0));
    Measure best;
    TRY(rows_.look(classes_.key(std::max(a, b)), 1, [&](const float* vector) {
      float dots[kMostPoses];
      better_.DotsWith(&vector, 1, 0, poses_, dots);
      best = Best(dots);
    }));
    return best.cosine >= least_ ? std::optional(best) : std::nullopt;
  }

  void DropTaken() { left_.DropTaken(); }

  static size_t Bytes(size_t items, size_t poses, int dimension) {
    const auto n = static_cast<size_t>(dimension);
    return LeftRows::Bytes(items) + DotQueries::Bytes(kQueries, n) + DotQueries::Bytes(poses, n);
  }

 private:
  /// A class's vector, and those of its poses behind it.
  Status Load(uint32_t class_id, DotQueries& to, size_t place) const {
    TRY(rows_.look(classes_.key(class_id), 1, [&](const float* vector) { to.Put(place, vector); }));
    const uint32_t item = classes_.items(class_id).front();
    return posed_.look(posed_rows_[item], 1, [&](const float* vectors) {
      for (size_t i = 0; i < posed_.others; ++i) to.Put(place + 1 + i, vectors + i * dimension_);
    });
  }

  /// Of equal ones the first.
  Measure Best(const float* dots) const {
    const float* const best = std::max_element(dots, dots + poses_);
    return {std::min(*best, 1.0f), static_cast<uint32_t>(best - dots)};
  }

  const RowClasses& classes_;
  const VectorRows& rows_;
  const PosedRows& posed_;
  const std::span<const uint64_t> posed_rows_;
  const float least_;
  const int threads_;
  const StopFlag& stop_;
  const size_t dimension_;
  const size_t poses_;  // of each
  LeftRows left_;
  DotQueries queries_;  // the block's poses
  DotQueries better_;   // those of one class
};

}  // namespace

Result<std::vector<PosedCosineGroup>> GroupByPosedCosine(const VectorRows& rows, const PosedRows& posed,
                                                         PosedKeys items, float least, int threads,
                                                         const StopFlag& stop, const PairRule& allows,
                                                         GroupBy by) {
  assert(threads >= 1 && rows.dimension > 0 && posed.others < kMostPoses);
  RowClasses classes(items.own.keys.span(), items.own.order.span(), allows != nullptr);
  items.own = {};
  PosedSearch search(classes, rows, posed, items.posed.span(), least, threads, stop);
  return GroupBySearch(classes, search, threads, allows, by);
}

size_t GroupByPosedCosineBytes(size_t n, size_t others, int dimension, int threads, GroupBy by) {
  const size_t searching = PosedSearch::Bytes(n, 1 + others, dimension) +
                           FoundNeighbours<PosedCosine>::Bytes(threads, PosedSearch::kHitsHeld) +
                           (by == GroupBy::kComponent ? ShortestLinks<PosedCosine>::Bytes(n) : 0);
  return RowClasses::Bytes(n) + n * sizeof(uint64_t) + std::max(RankedKeys::Bytes(n), searching);
}

}  // namespace imgmill
