// The neighbours that threads find for a block of candidates.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// The neighbours that were found for a block of candidates, as far as there is room for them.
template <typename Measure>
class FoundNeighbours {
 public:
  struct Hit {
    uint32_t candidate = 0;  ///< place in the block
    uint32_t class_id = 0;
    Measure measure = {};
  };

  /// @param held  what one thread has room for.
  FoundNeighbours(int threads, size_t held) : used_(static_cast<size_t>(threads)) {
    for (int t = 0; t < threads; ++t) hits_.emplace_back(held);
  }

  static size_t Bytes(int threads, size_t held) { return static_cast<size_t>(threads) * held * sizeof(Hit); }

  /// For the next block.
  void Clear(size_t candidates) {
    incomplete_.assign(candidates, 0);
    std::fill(used_.begin(), used_.end(), size_t{0});
  }

  /// Each thread with its own number. False where there is no room: the candidate then asks again when its
  /// turn comes, and its hits here are worth nothing.
  bool Add(int thread, const Hit& hit) {
    const auto t = static_cast<size_t>(thread);
    if (used_[t] == hits_[t].size()) {
      std::atomic_ref(incomplete_[hit.candidate]).store(1, std::memory_order_relaxed);
      return false;
    }
    hits_[t][used_[t]++] = hit;
    return true;
  }

  /// To be called when all have been added. Then `Each` for candidates in their order.
  void Sort() {
    const auto by_candidate = [](const Hit& a, const Hit& b) { return a.candidate < b.candidate; };
    unread_.clear();
    for (size_t t = 0; t < hits_.size(); ++t) {
      const std::span<Hit> used = hits_[t].span().first(used_[t]);
      if (!std::is_sorted(used.begin(), used.end(), by_candidate)) {
        std::sort(used.begin(), used.end(), by_candidate);
      }
      unread_.push_back(used);
    }
  }
  /// visit(class, measure) for all neighbours of a candidate, by another search where there was no room.
  template <typename FindAll, typename Visit>
  Status Each(size_t candidate, const FindAll& find_all, const Visit& visit) {
    const bool whole = complete(candidate);
    Of(candidate, [&](uint32_t class_id, const Measure& measure) {
      if (whole) visit(class_id, measure);
    });
    return whole ? Status() : find_all();
  }

 private:
  bool complete(size_t candidate) const { return incomplete_[candidate] == 0; }

  template <typename Visit>
  void Of(size_t candidate, const Visit& visit) {
    for (std::span<const Hit>& hits : unread_) {
      for (; !hits.empty() && hits.front().candidate <= candidate; hits = hits.subspan(1)) {
        if (hits.front().candidate == candidate) visit(hits.front().class_id, hits.front().measure);
      }
    }
  }

  std::vector<PoolArray<Hit>> hits_;  // by thread
  std::vector<size_t> used_;
  std::vector<std::span<const Hit>> unread_;
  std::vector<int> incomplete_;
};

}  // namespace imgmill
