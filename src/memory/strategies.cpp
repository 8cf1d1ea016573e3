// The strategies that come with the program, and their names.
#include "imgmill/memory/strategies.h"

#include <algorithm>

namespace imgmill {
namespace {

/// Most of a run's time that `auto` spends on clearing after batches. Faulting the pages in again costs four
/// to eight times as much as unmapping them (2.6 and 0.43 us a page of 4 KiB on a virtual machine), so that
/// this is about 1 % in all.
constexpr double kClearingShare = 0.002;

bool SameShape(const BatchShape& x, const BatchShape& y) {
  return x.n == y.n && x.height == y.height && x.width == y.width;
}

/// After each batch, unless the next one has the same shape and takes the very blocks; not so often that it
/// would cost more than about 1 % of the run.
class AutoCache final : public CacheStrategy {
 public:
  std::string_view name() const override { return "auto"; }
  bool ClearAfter(const BatchMoment& moment) const override {
    const bool reused = moment.next && SameShape(moment.done, *moment.next);
    return moment.crossed || (!reused && moment.clear_ms <= kClearingShare * moment.run_ms);
  }
};

/// After each batch, always: for machines that are shared closely.
class EveryCache final : public CacheStrategy {
 public:
  std::string_view name() const override { return "every"; }
  bool ClearAfter(const BatchMoment&) const override { return true; }
};

/// Only when a pool would refuse otherwise.
class NeverCache final : public CacheStrategy {
 public:
  std::string_view name() const override { return "never"; }
  bool ClearAfter(const BatchMoment&) const override { return false; }
};

/// Only when usage crosses the threshold: for many shapes in turn on a machine of one's own.
class PressureCache final : public CacheStrategy {
 public:
  std::string_view name() const override { return "pressure"; }
  bool ClearAfter(const BatchMoment& moment) const override { return moment.crossed; }
};

/// As many as are wanted, halved until they leave half of the room to the images that feed them.
class FittingBatches final : public BatchSizing {
 public:
  std::string_view name() const override { return "fit"; }
  int InFlight(const SizingQuestion& question) const override {
    int count = std::max(1, question.wanted);
    while (count > 1 && static_cast<size_t>(count) * question.batch_bytes > question.room / 2) count /= 2;
    return count;
  }
};

/// One at a time: the least memory, and a device that waits between batches.
class SingleBatch final : public BatchSizing {
 public:
  std::string_view name() const override { return "single"; }
  int InFlight(const SizingQuestion&) const override { return 1; }
};

template <typename Strategy, typename... Kinds>
std::unique_ptr<Strategy> MakeByName(const std::string& name) {
  std::unique_ptr<Strategy> made;
  const auto offer = [&](std::unique_ptr<Strategy> one) {
    if (one->name() == name) made = std::move(one);
  };
  (offer(std::make_unique<Kinds>()), ...);
  return made;
}

template <typename... Kinds>
std::vector<std::string> NamesOf() {
  return {std::string(Kinds().name())...};
}

}  // namespace

std::unique_ptr<CacheStrategy> MakeCacheStrategy(const std::string& name) {
  return MakeByName<CacheStrategy, AutoCache, EveryCache, NeverCache, PressureCache>(name);
}

std::vector<std::string> CacheStrategyNames() {
  return NamesOf<AutoCache, EveryCache, NeverCache, PressureCache>();
}

std::unique_ptr<BatchSizing> MakeBatchSizing(const std::string& name) {
  return MakeByName<BatchSizing, FittingBatches, SingleBatch>(name);
}

std::vector<std::string> BatchSizingNames() {
  return NamesOf<FittingBatches, SingleBatch>();
}

}  // namespace imgmill
