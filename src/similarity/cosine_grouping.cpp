// Groups around keepers, best first: blocks of candidates are compared with all rows that are left, then take
// theirs one candidate after another.
#include <cassert>
#include <numeric>

#include "imgmill/memory/pool_array.h"
#include "similarity/row_windows.h"

namespace imgmill {
namespace {

constexpr size_t kLargestBlock = 256;
// Hits that one thread may keep of a block. A candidate that has more is compared again when its turn comes.
constexpr size_t kHitsHeld = 32768;

// Items of one row share their fate, so the search knows them as one class.
struct Class {
  uint64_t row = 0;
  uint32_t first = 0;  // its items are items[first] .. items[last - 1], best first
  uint32_t last = 0;
};

struct Hit {
  uint32_t candidate = 0;  // place in the block
  uint32_t class_id = 0;
  float similarity = 0;
};

class Grouping {
 public:
  Grouping(const VectorRows& rows, std::span<const uint64_t> row_of, std::span<const uint32_t> order,
           float least, int threads, const StopFlag& stop)
      : rows_(rows),
        least_(least),
        threads_(threads),
        stop_(stop),
        dimension_(static_cast<size_t>(rows.dimension)),
        items_(row_of.size()),
        queries_(kLargestBlock * dimension_),
        hits_(static_cast<size_t>(threads)),
        used_(static_cast<size_t>(threads)) {
    MakeClasses(row_of, order);
    for (PoolArray<Hit>& own : hits_) own = PoolArray<Hit>(kHitsHeld);
  }

  Result<std::vector<CosineGroup>> Run() {
    size_t limit = 16;
    while (FillBlock(limit)) {
      if (Status fetched = FetchQueries(); !fetched) return fetched.error();
      if (Status compared = Compare(); !compared) return compared.error();
      const size_t before = block_.size();
      Result<size_t> taken_by_others = Commit();
      if (!taken_by_others) return taken_by_others.error();
      // Where most candidates went into one another's groups, their comparisons were for nothing.
      limit =
          *taken_by_others * 2 > before ? std::max<size_t>(limit / 4, 4) : std::min(limit * 2, kLargestBlock);
      DropTaken();
    }
    std::sort(groups_.begin(), groups_.end());
    return std::move(groups_);
  }

 private:
  void MakeClasses(std::span<const uint64_t> row_of, std::span<const uint32_t> order) {
    std::iota(items_.begin(), items_.end(), uint32_t{0});
    const auto better = [&](uint32_t a, uint32_t b) {
      return order[a] != order[b] ? order[a] < order[b] : a < b;
    };
    std::sort(items_.begin(), items_.end(), [&](uint32_t a, uint32_t b) {
      return row_of[a] != row_of[b] ? row_of[a] < row_of[b] : better(a, b);
    });
    size_t count = 0;
    for (size_t i = 0; i < items_.size(); ++i) count += i == 0 || row_of[items_[i]] != row_of[items_[i - 1]];
    classes_ = PoolArray<Class>(count);
    taken_ = PoolArray<uint8_t>(count);
    taken_.Fill(0);
    best_first_ = PoolArray<uint32_t>(count);
    left_ = PoolArray<uint32_t>(count);
    size_t c = 0;
    for (size_t i = 0; i < items_.size(); ++i) {
      if (i == 0 || row_of[items_[i]] != row_of[items_[i - 1]])
        classes_[c++] = {row_of[items_[i]], static_cast<uint32_t>(i), 0};
      classes_[c - 1].last = static_cast<uint32_t>(i + 1);
    }
    std::iota(best_first_.begin(), best_first_.end(), uint32_t{0});
    std::iota(left_.begin(), left_.end(), uint32_t{0});
    left_count_ = count;
    std::sort(best_first_.begin(), best_first_.end(), [&](uint32_t a, uint32_t b) {
      return better(items_[classes_[a].first], items_[classes_[b].first]);
    });
  }

  bool FillBlock(size_t limit) {
    block_.clear();
    for (; next_ < best_first_.size() && block_.size() < limit; ++next_) {
      if (taken_[best_first_[next_]] == 0) block_.push_back(best_first_[next_]);
    }
    incomplete_.assign(block_.size(), 0);
    return !block_.empty();
  }

  Status FetchQueries() {
    for (size_t i = 0; i < block_.size(); ++i) {
      Status looked = rows_.look(classes_[block_[i]].row, 1, [&](const float* vector) {
        std::copy_n(vector, dimension_, queries_.data() + i * dimension_);
      });
      if (!looked) return looked;
    }
    return {};
  }

  Status Visit(int threads, const std::function<void(int, uint32_t, const float*)>& visit) {
    return VisitRows(
        rows_, std::span<const uint32_t>(left_.data(), left_count_), threads, stop_,
        [&](uint32_t class_id) { return classes_[class_id].row; }, visit);
  }

  Status Compare() {
    std::fill(used_.begin(), used_.end(), size_t{0});
    return Visit(threads_, [&](int thread, uint32_t class_id, const float* vector) {
      float dots[kLargestBlock];
      Dots(vector, queries_.data(), block_.size(), dimension_, dots);
      const auto t = static_cast<size_t>(thread);
      for (size_t i = 0; i < block_.size(); ++i) {
        if (!(dots[i] >= least_) || class_id == block_[i]) continue;
        if (used_[t] == kHitsHeld) {
          std::atomic_ref(incomplete_[i]).store(1, std::memory_order_relaxed);
        } else {
          hits_[t][used_[t]++] = {static_cast<uint32_t>(i), class_id, dots[i]};
        }
      }
    });
  }

  /// @return how many candidates were taken by better ones of the same block
  Result<size_t> Commit() {
    std::vector<const Hit*> place;  // of each thread's next hit
    for (size_t t = 0; t < hits_.size(); ++t) {
      std::sort(hits_[t].begin(), hits_[t].begin() + used_[t],
                [](const Hit& a, const Hit& b) { return a.candidate < b.candidate; });
      place.push_back(hits_[t].begin());
    }
    size_t taken_by_others = 0;
    for (size_t i = 0; i < block_.size(); ++i) {
      const bool taken = taken_[block_[i]] != 0;
      taken_by_others += taken ? 1 : 0;
      CosineGroup group;
      if (!taken) {
        const Class& own = classes_[block_[i]];
        group.keeper = items_[own.first];
        Take(group, block_[i], 1.0f, own.first + 1);
      }
      for (size_t t = 0; t < hits_.size(); ++t) {
        for (; place[t] != hits_[t].begin() + used_[t] && place[t]->candidate == i; ++place[t]) {
          if (!taken && incomplete_[i] == 0) TakeClass(group, place[t]->class_id, place[t]->similarity);
        }
      }
      if (taken) continue;
      if (incomplete_[i] != 0) {
        Status visited = Visit(1, [&](int, uint32_t class_id, const float* vector) {
          float dot = 0;
          Dots(vector, queries_.data() + i * dimension_, 1, dimension_, &dot);
          if (dot >= least_) TakeClass(group, class_id, dot);
        });
        if (!visited) return visited.error();
      }
      if (group.members.empty()) continue;
      std::sort(group.members.begin(), group.members.end());
      groups_.push_back(std::move(group));
    }
    return taken_by_others;
  }

  void TakeClass(CosineGroup& group, uint32_t class_id, float similarity) {
    if (taken_[class_id] == 0) Take(group, class_id, std::min(similarity, 1.0f), classes_[class_id].first);
  }

  void Take(CosineGroup& group, uint32_t class_id, float similarity, size_t first_item) {
    taken_[class_id] = 1;
    for (size_t i = first_item; i < classes_[class_id].last; ++i)
      group.members.push_back({items_[i], similarity});
  }

  void DropTaken() {
    size_t kept = 0;
    for (size_t i = 0; i < left_count_; ++i) {
      if (taken_[left_[i]] == 0) left_[kept++] = left_[i];
    }
    left_count_ = kept;
  }

  const VectorRows& rows_;
  const float least_;
  const int threads_;
  const StopFlag& stop_;
  const size_t dimension_;
  PoolArray<uint32_t> items_;       // by row, best first among equals
  PoolArray<Class> classes_;        // by row
  PoolArray<uint8_t> taken_;        // by class; keepers too
  PoolArray<uint32_t> best_first_;  // classes
  PoolArray<uint32_t> left_;        // classes not taken, by row
  size_t left_count_ = 0;
  size_t next_ = 0;              // of best_first_
  std::vector<uint32_t> block_;  // classes that are candidates now
  std::vector<int> incomplete_;  // those of them with more hits than are held
  PoolArray<float> queries_;
  std::vector<PoolArray<Hit>> hits_;  // by thread
  std::vector<size_t> used_;
  std::vector<CosineGroup> groups_;
};

}  // namespace

Result<std::vector<CosineGroup>> GroupByCosine(const VectorRows& rows, std::span<const uint64_t> row_of,
                                               std::span<const uint32_t> order, float least, int threads,
                                               const StopFlag& stop) {
  assert(row_of.size() == order.size() && threads >= 1 && rows.dimension > 0);
  return Grouping(rows, row_of, order, least, threads, stop).Run();
}

size_t GroupByCosineBytes(size_t n, int dimension, int threads) {
  return n * (3 * sizeof(uint32_t) + sizeof(Class) + 1) +
         kLargestBlock * static_cast<size_t>(dimension) * sizeof(float) +
         static_cast<size_t>(threads) * kHitsHeld * sizeof(Hit);
}

std::vector<CosineGroup> GroupByCosineScalar(std::span<const float> vectors, int dimension,
                                             std::span<const uint32_t> order, float least) {
  const auto n = static_cast<size_t>(dimension);
  std::vector<uint32_t> best_first(order.size());
  std::iota(best_first.begin(), best_first.end(), uint32_t{0});
  std::stable_sort(best_first.begin(), best_first.end(),
                   [&](uint32_t a, uint32_t b) { return order[a] < order[b]; });
  std::vector<bool> taken(order.size());
  std::vector<CosineGroup> groups;
  for (const uint32_t keeper : best_first) {
    if (taken[keeper]) continue;
    taken[keeper] = true;
    CosineGroup group{keeper, {}};
    for (uint32_t other = 0; other < order.size(); ++other) {
      if (taken[other]) continue;
      const float dot = DotScalar(&vectors[keeper * n], &vectors[other * n], n);
      if (!(dot >= least)) continue;
      taken[other] = true;
      group.members.push_back({other, std::min(dot, 1.0f)});
    }
    if (!group.members.empty()) groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace imgmill
