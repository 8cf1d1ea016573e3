// A block of candidates asks the lists that are nearest to it; each list is read once a block.
#include "imgmill/similarity/ivf_grouping.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "similarity/keeper_grouping.h"
#include "similarity/list_file.h"
#include "similarity/list_scratch.h"
#include "similarity/row_pair.h"
#include "similarity/row_windows.h"
#include "similarity/search_stop.h"

namespace imgmill {
namespace {

/// Twice the square root of the vectors: then those of a few lists are about as many as there are lists, and
/// neither the search for lists nor that in them dominates.
size_t ListCount(size_t vectors) {
  const auto root = static_cast<size_t>(std::sqrt(static_cast<double>(vectors)));
  return std::clamp<size_t>(2 * root, 1, std::max<size_t>(1, vectors));
}
/// Of a list, in the sample that the centroids are trained on.
constexpr size_t kTrainedOn = 32;
size_t TrainingSize(size_t vectors) {
  return std::min(vectors, kTrainedOn * ListCount(vectors));
}

/// How recall is measured: on so many vectors, and so many pairs of each.
constexpr size_t kProbed = 256, kPairsOfProbed = 64;
/// Where all pairs of the sample lie in one list, not all others do.
constexpr size_t kFewestProbes = 8;

class IvfSearch {
 public:
  using Measure = float;
  static constexpr float kEqual = 1;
  static constexpr size_t kFirstBlock = 256;
  /// Each list that a block asks is read once, so large blocks read less.
  size_t largest_block() const { return LargestBlock(classes_.count()); }
  static constexpr size_t kHitsHeld = 65536;

  IvfSearch(const RowClasses& classes, const VectorRows& rows, float least, int threads, const StopFlag& stop)
      : classes_(classes),
        rows_(rows),
        least_(least),
        threads_(threads),
        stop_(stop),
        dimension_(static_cast<size_t>(rows.dimension)),
        pairs_(rows) {}

  /// Makes the lists, and finds out how many of them are to be asked.
  Status Prepare(IvfReport& report) {
    report = {};
    const size_t n = classes_.count();
    if (n == 0) return {};
    PoolArray<uint32_t> by_row(n);
    std::iota(by_row.begin(), by_row.end(), uint32_t{0});
    std::sort(by_row.begin(), by_row.end(), [&](uint32_t a, uint32_t b) {
      return classes_.key(a) != classes_.key(b) ? classes_.key(a) < classes_.key(b) : a < b;
    });
    TRY(Train(by_row.span()));
    TRY(ChooseProbes(by_row.span(), report));
    TRY(lists_.Fill(
        rows_, by_row.span(), [this](uint32_t id) { return classes_.key(id); }, *centroids_, threads_,
        stop_));
    const size_t block = largest_block();
    queries_ = PoolArray<float>(block * dimension_);
    asked_ = PoolArray<uint32_t>(block * probes_);
    askers_ = PoolArray<uint32_t>(block * probes_);
    first_asker_ = PoolArray<uint32_t>(centroids_->count() + 1);
    for (int t = 0; t < threads_; ++t) scratch_.emplace_back(centroids_->count(), rows_.dimension);
    return {};
  }

  Status MayGoOn() const { return CheckVectorStop(stop_); }

  template <typename Add>
  Status Find(std::span<const uint32_t> block, const Add& add) {
    TRY(AskLists(block));
    SortAskers(block.size());
    std::mutex mutex;
    size_t list = 0, place = 0;
    Status failed;
    // The next piece of a list that anyone asks.
    const auto take = [&]() -> Piece {
      const std::lock_guard lock(mutex);
      if (failed) failed = MayGoOn();
      for (; failed && list < centroids_->count(); ++list) {
        place = std::max<size_t>(place, lists_.begin_of(list));
        if (askers_of(list).empty() || place >= lists_.end_of(list)) continue;
        const Piece piece = PieceAt(list, place);
        place += piece.count;
        return piece;
      }
      return {};
    };
    OnThreads(threads_, [&](int thread) {
      for (Piece piece = take(); piece.count > 0; piece = take()) {
        const Status searched = Search(piece, block, thread, add);
        if (searched) continue;
        const std::lock_guard lock(mutex);
        if (failed) failed = searched;
      }
    });
    return failed;
  }

  template <typename Visit>
  Status FindAll(size_t candidate, const Visit& visit) {
    ListScratch& own = scratch_.front();
    own.queries.Put(0, Query(candidate));
    const auto see = [&](std::span<const uint32_t> ids, const float* const* vectors) {
      own.queries.DotsWith(vectors, ids.size(), 0, 1, own.dots.data());
      for (size_t r = 0; r < ids.size(); ++r) {
        if (own.dots[r] >= least_) visit(ids[r], std::min(own.dots[r], 1.0f));
      }
    };
    for (const size_t list : asked_.span().subspan(candidate * probes_, probes_)) {
      for (Piece piece = PieceAt(list, lists_.begin_of(list)); piece.count > 0;
           piece = PieceAt(list, piece.first + piece.count)) {
        TRY(lists_.View(piece.first, piece.count, [&](const float* stored) { ForLeft(piece, stored, see); }));
      }
    }
    return {};
  }

  Result<std::optional<float>> Between(uint32_t a, uint32_t b) {
    return pairs_.CosineWithin(classes_.key(a), classes_.key(b), least_);
  }

  void DropTaken() {}  // they are passed over: a list's pieces stay where they are

  static size_t Bytes(size_t n, int dimension, int threads) {
    const size_t lists = ListCount(n), vector = static_cast<size_t>(dimension) * sizeof(float);
    const size_t training =
        TrainingSize(n) * sizeof(uint64_t) + Centroids::Bytes(TrainingSize(n), lists, dimension, threads);
    const size_t centroids = DotQueries::Bytes(lists, static_cast<size_t>(dimension));
    const size_t probing = n * sizeof(SearchRow) + (kProbed + 1) * vector +
                           SearchQueryBytes(kProbed, dimension) + centroids + 2 * lists * sizeof(float);
    const size_t block = LargestBlock(n);
    const size_t searching = ListFile::Bytes(n, lists, threads) + centroids +
                             block * (vector + 2 * MostProbes(lists) * sizeof(uint32_t)) +
                             (lists + 1) * sizeof(uint32_t) +
                             static_cast<size_t>(threads) * ListScratch::Bytes(lists, dimension) +
                             FoundNeighbours<float>::Bytes(threads, kHitsHeld);
    return n * sizeof(uint32_t) + std::max({training, probing, searching});
  }

 private:
  /// Of a list.
  struct Piece {
    size_t list = 0, first = 0, count = 0;
  };

  /// From a place of that list on, as much as is looked at together; empty at its end.
  Piece PieceAt(size_t list, size_t place) const {
    return {list, place, std::min<size_t>(WindowRows(rows_.dimension), lists_.end_of(list) - place)};
  }

  /// No smaller than the first, and a small part of all: so much of the memory hangs on it.
  static size_t LargestBlock(size_t n) { return std::clamp<size_t>(n / 32, kFirstBlock, 16384); }
  static size_t MostProbes(size_t lists) { return std::min<size_t>(lists, 128); }

  Status Train(std::span<const uint32_t> by_row) {
    PoolArray<uint64_t> sample(TrainingSize(by_row.size()));
    for (size_t i = 0; i < sample.size(); ++i)
      sample[i] = classes_.key(by_row[i * by_row.size() / sample.size()]);
    Centroids trained =
        TRY(Centroids::Train(rows_, sample.span(), ListCount(by_row.size()), threads_, stop_));
    centroids_.emplace(std::move(trained));
    return {};
  }

  /// So many that nearly all pairs of a sample are found, as an exact search knows them.
  Status ChooseProbes(std::span<const uint32_t> by_row, IvfReport& report) {
    const size_t lists = report.lists = centroids_->count();
    const size_t sample = report.sample = std::min(kProbed, by_row.size());
    PoolArray<float> queries(sample * dimension_);
    std::vector<uint32_t> selves(sample);
    for (size_t i = 0; i < sample; ++i) {
      selves[i] = by_row[i * by_row.size() / sample];
      TRY(CopyRow(selves[i], queries.data() + i * dimension_));
    }
    std::vector<std::vector<Neighbour>> nearest;
    {
      PoolArray<SearchRow> all(by_row.size());
      for (size_t i = 0; i < all.size(); ++i) all[i] = {classes_.key(by_row[i]), by_row[i]};
      nearest = TRY(NearestByCosine(rows_, all.span(), queries.span(), selves, kPairsOfProbed, least_,
                                    threads_, stop_));
    }
    // How many of the pairs are found in the list at each place of those that a query asks.
    std::vector<size_t> found_at(lists);
    PoolArray<float> dots(2 * lists), vector(dimension_);
    for (size_t i = 0; i < sample; ++i) {
      const float* const query = queries.data() + i * dimension_;
      centroids_->DotsWith(&query, 1, dots.data());
      for (const Neighbour& near : nearest[i]) {
        TRY(MayGoOn());
        TRY(CopyRow(near.id, vector.data()));
        const float* const its = vector.data();
        centroids_->DotsWith(&its, 1, dots.data() + lists);
        ++found_at[centroids_->PlaceOf(centroids_->ListOf(dots.data() + lists), dots.data())];
        ++report.pairs;
      }
    }
    for (probes_ = 0; probes_ < MostProbes(lists); ++probes_) {
      if (probes_ >= kFewestProbes && report.recall() >= IvfReport::kWantedRecall) break;
      report.found += found_at[probes_];
    }
    report.probes = probes_;
    return {};
  }

  Status CopyRow(uint32_t id, float* to) const {
    return rows_.look(classes_.key(id), 1, [&](const float* vector) { std::copy_n(vector, dimension_, to); });
  }

  /// Reads the vectors of the block, and finds the lists that each is nearest to.
  Status AskLists(std::span<const uint32_t> block) {
    std::atomic<size_t> next = 0;
    std::vector<Status> ends(static_cast<size_t>(threads_));
    OnThreads(threads_, [&](int thread) {
      Status& end = ends[static_cast<size_t>(thread)];
      float* const dots = scratch_[static_cast<size_t>(thread)].dots.data();
      for (size_t first; end && (first = next.fetch_add(kRowsTogether)) < block.size();) {
        const size_t count = std::min(kRowsTogether, block.size() - first);
        const float* vectors[kRowsTogether];
        for (size_t r = 0; r < count && end; ++r) {
          vectors[r] = Query(first + r);
          end = lists_.Read(block[first + r], Query(first + r));
        }
        if (!end) return;
        centroids_->DotsWith(vectors, count, dots);
        for (size_t r = 0; r < count; ++r)
          centroids_->NearestLists(dots + r * centroids_->count(),
                                   asked_.span().subspan((first + r) * probes_, probes_));
      }
    });
    for (const Status& end : ends) {
      if (!end) return end;
    }
    return {};
  }

  /// Candidates by the list that they ask, from the lists that each asks.
  void SortAskers(size_t candidates) {
    first_asker_.Fill(0);
    const std::span<const uint32_t> asked = asked_.span().first(candidates * probes_);
    for (const uint32_t list : asked) ++first_asker_[list];
    for (size_t list = 1; list < first_asker_.size(); ++list) first_asker_[list] += first_asker_[list - 1];
    for (size_t i = asked.size(); i-- > 0;)
      askers_[--first_asker_[asked[i]]] = static_cast<uint32_t>(i / probes_);
  }
  /// Places in the block.
  std::span<const uint32_t> askers_of(size_t list) const {
    return askers_.span().subspan(first_asker_[list], first_asker_[list + 1] - first_asker_[list]);
  }

  /// Compares a piece with all that ask its list.
  template <typename Add>
  Status Search(const Piece& piece, std::span<const uint32_t> block, int thread, const Add& add) {
    ListScratch& own = scratch_[static_cast<size_t>(thread)];
    std::span<const uint32_t> some;
    const auto see = [&](std::span<const uint32_t> ids, const float* const* vectors) {
      own.queries.DotsWith(vectors, ids.size(), 0, some.size(), own.dots.data());
      for (size_t at = 0; at < ids.size() * some.size(); ++at) {
        if (!(own.dots[at] >= least_)) continue;
        const uint32_t id = ids[at / some.size()], candidate = some[at % some.size()];
        if (id != block[candidate]) add(thread, {candidate, id, std::min(own.dots[at], 1.0f)});
      }
    };
    return lists_.View(piece.first, piece.count, [&](const float* stored) {
      for (std::span<const uint32_t> left = askers_of(piece.list); !left.empty();) {
        some = left.first(std::min(ListScratch::kQueriesTogether, left.size()));
        left = left.subspan(some.size());
        for (size_t q = 0; q < some.size(); ++q) own.queries.Put(q, Query(some[q]));
        ForLeft(piece, stored, see);
      }
    });
  }

  /// visit(classes, vectors) for those of a piece that are not taken, a few at a time.
  /// @param stored  the piece's vectors
  template <typename Visit>
  void ForLeft(const Piece& piece, const float* stored, const Visit& visit) const {
    uint32_t ids[kRowsTogether];
    const float* vectors[kRowsTogether];
    size_t held = 0;
    for (size_t i = 0; i < piece.count; ++i) {
      const uint32_t id = lists_.elements()[piece.first + i];
      if (classes_.taken(id)) continue;
      ids[held] = id;
      vectors[held++] = stored + i * dimension_;
      if (held < kRowsTogether) continue;
      visit(std::span<const uint32_t>(ids), vectors);
      held = 0;
    }
    if (held > 0) visit(std::span<const uint32_t>(ids).first(held), vectors);
  }

  float* Query(size_t candidate) { return queries_.data() + candidate * dimension_; }

  const RowClasses& classes_;
  const VectorRows& rows_;
  const float least_;
  const int threads_;
  const StopFlag& stop_;
  const size_t dimension_;
  std::optional<Centroids> centroids_;
  ListFile lists_;
  size_t probes_ = 0;
  PoolArray<float> queries_;         // the block's vectors
  PoolArray<uint32_t> asked_;        // probes_ lists of each of the block
  PoolArray<uint32_t> askers_;       // of all lists, those of one after another's
  PoolArray<uint32_t> first_asker_;  // of each list, and their end
  std::vector<ListScratch> scratch_;
  RowPairs pairs_;
};

}  // namespace

Result<std::vector<CosineGroup>> GroupByIvf(const VectorRows& rows, RankedKeys items, float least,
                                            int threads, const StopFlag& stop, const PairRule& allows,
                                            IvfReport& report, GroupBy by) {
  assert(threads >= 1 && rows.dimension > 0);
  RowClasses classes(items.keys.span(), items.order.span(), allows != nullptr);
  items = {};
  IvfSearch search(classes, rows, least, threads, stop);
  TRY(search.Prepare(report));
  return GroupBySearch(classes, search, threads, allows, by);
}

size_t GroupByIvfBytes(size_t n, int dimension, int threads, GroupBy by) {
  return RowClasses::Bytes(n) +
         std::max(RankedKeys::Bytes(n), IvfSearch::Bytes(n, dimension, threads) + GroupBySearchBytes(n, by));
}

}  // namespace imgmill
