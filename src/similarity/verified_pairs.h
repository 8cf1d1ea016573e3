// Pairs that are near by hash, in one pose or another, and what a second look says of each.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/try.h"
#include "imgmill/similarity/grouping.h"
#include "similarity/hamming_index.h"
#include "similarity/search_stop.h"
#include "similarity/search_threads.h"

namespace imgmill {

/// Hashes of items in all their poses, one item after another: each pose is a query of its own.
template <typename Hash>
class PosedQueries {
 public:
  PosedQueries(std::span<const Hash> hashes, const PosedHashesOf<Hash>& posed)
      : hashes_(posed.poses > 0 ? posed.hashes.span() : hashes), poses_(std::max<size_t>(1, posed.poses)) {}

  /// Of each item; 1 without poses.
  size_t poses() const { return poses_; }
  std::span<const Hash> Of(uint32_t item, size_t count = 1) const {
    return hashes_.subspan(item * poses_, count * poses_);
  }

 private:
  const std::span<const Hash> hashes_;
  const size_t poses_;
};

struct LookedPair {
  uint32_t keeper = 0, other = 0;
  LookVerdict::Kind verdict = LookVerdict::Kind::kNotLooked;
  VerifiedMeasure measure;
};

template <typename Hash>
class PairLooks {
 public:
  PairLooks(std::span<const Hash> hashes, const PosedQueries<Hash>& queries, int radius, const Verify& verify,
            int threads, const StopFlag& stop)
      : hashes_(hashes),
        queries_(queries),
        radius_(radius),
        verify_(verify),
        threads_(threads),
        stop_(stop) {}

  /// Looks at all of them, on all threads.
  Status Look(std::span<LookedPair> pairs) const {
    const size_t count = pairs.size();
    const int threads = std::clamp(static_cast<int>(count), 1, threads_);
    std::vector<Status> ends(static_cast<size_t>(threads));
    OnThreads(threads, [&](int t) {
      Status& end = ends[static_cast<size_t>(t)];
      for (auto i = static_cast<size_t>(t); i < count && end; i += static_cast<size_t>(threads)) {
        end = CheckHashStop(stop_);
        if (end) end = LookAt(t, pairs[i]);
      }
    });
    for (const Status& end : ends) {
      if (!end) return end;
    }
    return {};
  }

 private:
  /// In each pose that is near, the nearest first, up to one in which they are alike.
  Status LookAt(int thread, LookedPair& pair) const {
    const std::span<const Hash> poses = queries_.Of(pair.keeper);
    for (int distance = 0; distance <= radius_; ++distance) {
      for (uint32_t pose = 0; pose < poses.size(); ++pose) {
        if (BitsApart(poses[pose], hashes_[pair.other]) != distance) continue;
        const LookVerdict verdict = TRY(verify_(thread, pair.keeper, pair.other, pose));
        const bool better = verdict.kind > pair.verdict ||
                            (verdict.kind == LookVerdict::Kind::kDiffers && verdict.kind == pair.verdict &&
                             verdict.look.difference < pair.measure.look.difference);
        if (!better) continue;
        pair.verdict = verdict.kind;
        pair.measure = {distance, pose, verdict.look};
        if (verdict.alike()) return {};
      }
    }
    return {};
  }

  const std::span<const Hash> hashes_;
  const PosedQueries<Hash>& queries_;
  const int radius_;
  const Verify& verify_;
  const int threads_;
  const StopFlag& stop_;
};

/// Tells of a pair if it was refused.
inline void TellRefused(const LookedPair& pair, const OnRefused& refused) {
  const bool differs = pair.verdict == LookVerdict::Kind::kDiffers;
  if (refused && (differs || pair.verdict == LookVerdict::Kind::kNotLaid))
    refused({pair.keeper, pair.other, differs, pair.measure});
}

}  // namespace imgmill
