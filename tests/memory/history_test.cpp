// What the history keeps of a long run: counts of everything, clears within bounds.
#include <doctest/doctest.h>

#include <vector>

#include "memory/batch_log_impl.h"

namespace imgmill {
namespace {

BatchRecord Batch(double start_ms, Rung rung = Rung::kNone, bool failed = false) {
  BatchRecord batch;
  batch.start_ms = start_ms;
  batch.rung = rung;
  batch.failed = failed;
  return batch;
}

TEST_CASE("batches are counted by rung, also those whose records are forgotten") {
  BatchLog log;
  for (int i = 0; i < 10000; ++i) log.Add(Batch(i, i % 1000 == 7 ? Rung::kHalfTile : Rung::kNone, i == 5));
  const MemoryHistory history = log.History();
  CHECK(history.batches_total == 10000);
  CHECK(history.batches_failed == 1);
  CHECK(history.batches_by_rung[static_cast<size_t>(Rung::kNone)] == 9990);
  CHECK(history.batches_by_rung[static_cast<size_t>(Rung::kHalfTile)] == 10);
  CHECK(history.batches.size() < 5000);
}

TEST_CASE("clears stay within their bounds, evenly spread over the run") {
  BatchLog log;
  constexpr int kMany = 9000;
  for (int i = 0; i < kMany; ++i) log.Cleared({static_cast<double>(i), 0.5, 1});
  const std::vector<ClearRecord> clears = log.History().clears;
  CHECK(clears.size() <= kMostClears);
  CHECK(clears.size() > kMostClears / 2);
  for (size_t i = 1; i < clears.size(); ++i)
    CHECK(clears[i].start_ms - clears[i - 1].start_ms == clears[1].start_ms);
  CHECK(clears.back().start_ms >= kMany - clears[1].start_ms);
}

}  // namespace
}  // namespace imgmill
