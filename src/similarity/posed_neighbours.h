// The neighbours of many items at once, each of which is looked for in all its poses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "base/try.h"
#include "similarity/found_neighbours.h"
#include "similarity/hamming_index.h"
#include "similarity/search_stop.h"
#include "similarity/verified_pairs.h"

namespace imgmill {

template <typename Hash>
class PosedNeighbours {
 public:
  /// @param index  of whatever is to be found, by ids
  /// @throws OutOfMemory
  PosedNeighbours(const PosedQueries<Hash>& queries, HammingIndex<Hash> index, size_t items, int threads,
                  const StopFlag& stop)
      : queries_(queries),
        index_(std::move(index)),
        most_(Most(items)),
        threads_(threads),
        stop_(stop),
        asked_(most_ * queries.poses()),
        found_(threads, kHitsHeld) {}

  /// Of the current pool, beside the index.
  static size_t Bytes(size_t items, size_t poses, int threads) {
    return QueryBlock<Hash>::Bytes(Most(items) * std::max<size_t>(1, poses)) +
           FoundNeighbours<int>::Bytes(threads, kHitsHeld);
  }

  /// How many items may be asked about together.
  static size_t Most(size_t items) { return QueryBlock<Hash>::Most(items); }

  /// Finds what these items are near, on all threads.
  /// @param items  held until the next ones
  /// @param wants  wants(place in `items`, id): whether it counts. Asked by all threads at once
  template <typename Wants>
  Status Find(std::span<const uint32_t> items, const Wants& wants) {
    items_ = items;
    const size_t poses = queries_.poses();
    for (size_t i = 0; i < items.size(); ++i)
      std::ranges::copy(queries_.Of(items[i]), asked_.queries.data() + i * poses);
    found_.Clear(items.size());
    index_.QueryOnThreads(asked_, items.size() * poses, threads_,
                          [&](int thread, size_t query, uint32_t id, int distance) {
                            if (stop_.StopRequested()) return false;
                            const auto place = static_cast<uint32_t>(query / poses);
                            return !wants(place, id) || found_.Add(thread, {place, id, distance});
                          });
    found_.Sort();
    return CheckHashStop(stop_);
  }

  /// visit(id) for what the item at that place is near: more than once where several poses are, and perhaps
  /// for what does not count, too. Places in ascending order, each once.
  template <typename Visit>
  Status Each(size_t place, const Visit& visit) {
    TRY(CheckHashStop(stop_));
    const auto find_all = [&]() -> Status {
      index_.QueryAll(queries_.Of(items_[place]), 0, [&](size_t, uint32_t id, int) {
        visit(id);
        return true;
      });
      return {};
    };
    return found_.Each(place, find_all, [&](uint32_t id, int) { visit(id); });
  }

 private:
  static constexpr size_t kHitsHeld = 65536;  // by each thread

  const PosedQueries<Hash>& queries_;
  const HammingIndex<Hash> index_;
  const size_t most_;
  const int threads_;
  const StopFlag& stop_;
  QueryBlock<Hash> asked_;
  FoundNeighbours<int> found_;
  std::span<const uint32_t> items_;
};

}  // namespace imgmill
