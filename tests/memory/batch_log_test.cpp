// What is remembered of a run: records of guarded work, moments, and both within their bounds.
#include <cstdint>
#include <cstring>

#include "memory/batch_log_impl.h"
#include "memory_fixture.h"

namespace imgmill {
namespace {

using memory_test::MustCreate;

/// Takes a block and touches it.
class Touching final : public LadderWork {
 public:
  Touching(size_t bytes, bool alone) : bytes_(bytes), alone_(alone) {}
  BatchLabel label() const override { return {"touching", {1, 10, 20}, {bytes_, 0}, alone_}; }
  Status Run(const Attempt&) override {
    Buffer block(bytes_);
    std::memset(block.data(), 1, block.size());
    return {};
  }

 private:
  const size_t bytes_;
  const bool alone_;
};

TEST_CASE("guarded work is recorded with what it took, and alone with what the process grew by") {
  auto manager = MustCreate({});
  const StopFlag stop;
  Touching among(40 * kMiB, false);
  Touching alone(48 * kMiB, true);
  REQUIRE(manager->Guarded(among, kHostWork, stop).status.ok());
  REQUIRE(manager->Guarded(alone, kHostWork, stop).status.ok());
  const MemoryHistory history = manager->History();
  REQUIRE(history.batches.size() == 2);
  CHECK(history.batches_total == 2);
  const BatchRecord& first = history.batches[0];
  CHECK(first.work == "touching");
  CHECK(first.device == "host");
  CHECK(first.shape.width == 20);
  CHECK(first.predicted.total() == 40 * kMiB);
  // The block's header and the rest of its last page.
  CHECK(first.pooled_peak >= 40 * kMiB);
  CHECK(first.pooled_peak <= 40 * kMiB + 8 * kKiB);
  CHECK(first.resident_peak == 0);
  CHECK(first.duration_ms > 0);
#ifndef __SANITIZE_THREAD__
  // The kernel counts pages in batches for each thread or CPU, so that it may be some MiB off; with the work
  // before it would be 88 MiB.
  CHECK(history.batches[1].resident_peak >= 40 * kMiB);
  CHECK(history.batches[1].resident_peak <= 60 * kMiB);
#endif
  CHECK(history.batches[1].start_ms >= first.start_ms + first.duration_ms);
}

TEST_CASE("the log forgets every second dull batch, but none that took a rung") {
  BatchLog log;
  for (size_t i = 0; i < 3 * kMostBatches; ++i) {
    BatchRecord record;
    record.shape.width = static_cast<int64_t>(i);
    if (i % 100 == 0) record.rung = Rung::kHalfBatch;
    log.Add(record);
    CHECK(log.History().batches.size() <= kMostBatches);
  }
  const MemoryHistory history = log.History();
  CHECK(history.batches_total == 3 * kMostBatches);
  size_t rungs = 0;
  for (size_t i = 0; i < history.batches.size(); ++i) {
    rungs += history.batches[i].rung == Rung::kHalfBatch;
    if (i > 0) CHECK(history.batches[i].shape.width > history.batches[i - 1].shape.width);
  }
  CHECK(rungs == (3 * kMostBatches + 99) / 100);
}

TEST_CASE("moments stay few and evenly spread, peaks are exact") {
  BatchLog log;
  constexpr size_t kLooks = 50000;
  for (size_t i = 0; i < kLooks; ++i) {
    HostSample sample;
    sample.resident = i == 33333 ? 900 * kMiB : 100 * kMiB;
    log.Look(static_cast<double>(i), sample, i, 1000 * kMiB);
  }
  const MemoryHistory history = log.History();
  CHECK(history.moments.size() <= kMostMoments);
  CHECK(history.moments.size() > kMostMoments / 3);
  const double step = history.moments[1].ms - history.moments[0].ms;
  for (size_t i = 1; i < history.moments.size(); ++i)
    CHECK(history.moments[i].ms - history.moments[i - 1].ms == step);
  CHECK(history.resident.bytes == 900 * kMiB);
  CHECK(history.resident.ms == 33333);
  CHECK(history.leased.bytes == kLooks - 1);
}

TEST_CASE("a meter counts what its own thread takes, whole pages, and the outer one counts along") {
  Pool pool("metered", SIZE_MAX);
  const PoolMeter outer;
  {
    const PoolMeter inner;
    {
      const Buffer a(pool, 100 * kKiB);
      const Buffer b(pool, 60 * kKiB);
    }
    const Buffer c(pool, 64 * kKiB);
    CHECK(inner.peak() >= 160 * kKiB);
    CHECK(inner.peak() <= 172 * kKiB);
  }
  CHECK(outer.peak() >= 160 * kKiB);
}

}  // namespace
}  // namespace imgmill
