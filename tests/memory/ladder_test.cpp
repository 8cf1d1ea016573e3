// Each rung reached by a real refused allocation on a host-backed device of small cap.
#include "imgmill/memory/ladder.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "memory/ladder_steps.h"
#include "memory_fixture.h"
#include "tile_work.h"

namespace imgmill {
namespace {

using memory_test::MustCreate;
using memory_test::OneDevice;
using memory_test::TileWork;
using memory_test::WithRoom;

TEST_CASE("work that fits needs no rung") {
  OneDevice one(8 * kMiB);
  TileWork work(*one.manager, 10, 4, 512, 4);
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK(outcome.status.ok());
  CHECK(outcome.rung == Rung::kNone);
  CHECK(outcome.attempts == 1);
  CHECK_FALSE(outcome.off_plan());
  CHECK(work.EachOnce());
}

TEST_CASE("same size: after another thread lets go, and after a single refusal") {
  OneDevice one(8 * kMiB);
  Buffer blocker(*one.device->pool(), 6 * kMiB);
  TileWork work(*one.manager, 4, 4, 512, 4);
  work.refused = [&] { std::thread([&] { blocker = {}; }).join(); };
  LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK(outcome.status.ok());
  CHECK(outcome.rung == Rung::kSameSize);
  CHECK(outcome.attempts == 2);
  CHECK_FALSE(outcome.off_plan());
  CHECK(work.EachOnce());

  for (uint64_t k = 1; k <= 8; ++k) {
    TileWork again(*one.manager, 8, 4, 512, 4);
    one.device->pool()->RefuseAllocation(k);
    outcome = one.manager->Guarded(again, WorkPlace::Device(0), one.stop);
    CHECK(outcome.rung == Rung::kSameSize);
    CHECK(again.EachOnce());
  }
  CHECK(one.manager->Info().rungs[static_cast<size_t>(Rung::kSameSize)] == 9);
}

TEST_CASE("rivals that are gone at the third refusal do not make it try the same size for ever") {
  OneDevice one(8 * kMiB);
  const TileWork work(*one.manager, 1, 1, 512, 4);
  for (int with_rivals = 0; with_rivals < 4; ++with_rivals) {
    LadderSteps steps(work, kHostWork, false);
    int tries = 1;
    while (steps.TryAgain({false, tries <= with_rivals, false}) && tries < 20) ++tries;
    CHECK(tries <= 5);
  }
}

TEST_CASE("fewer in flight: the second waits for the first instead of shrinking") {
  OneDevice one(8 * kMiB);
  TileWork first(*one.manager, 1, 1, 1024, 5);
  TileWork second(*one.manager, 1, 1, 1024, 5);
  std::atomic<bool> first_holds{false};
  std::atomic<int> refusals{0};
  first.while_held = [&] {
    first_holds = true;
    while (refusals < 3) std::this_thread::yield();
  };
  second.refused = [&] { ++refusals; };
  std::thread thread([&] { CHECK(one.manager->Guarded(first, WorkPlace::Device(0), one.stop).status.ok()); });
  while (!first_holds) std::this_thread::yield();
  const LadderOutcome outcome = one.manager->Guarded(second, WorkPlace::Device(0), one.stop);
  thread.join();
  CHECK(outcome.status.ok());
  CHECK(outcome.rung == Rung::kFewerInFlight);
  CHECK(outcome.attempts == 4);  // first try, two of the same size with pauses, then alone
  CHECK_FALSE(outcome.off_plan());
  CHECK(second.EachOnce());
  // Before it waited, since the first might have needed what it holds.
  CHECK(second.let_go_after == std::vector<size_t>{3});
  CHECK(first.let_go_after.empty());
}

TEST_CASE("half batch: halved until it fits, finished items kept") {
  OneDevice one(5 * kMiB);
  TileWork work(*one.manager, 20, 16, 512, 4);
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK(outcome.status.ok());
  CHECK(outcome.rung == Rung::kHalfBatch);
  CHECK(outcome.off_plan());
  CHECK(work.attempts.back().micro_batch == 4);  // 4 of 1 MiB in 5; 8 did not
  CHECK(work.attempts.back().tile == 512);
  CHECK(work.EachOnce());
}

TEST_CASE("what an attempt has finished before it fails is not computed again") {
  OneDevice one(8 * kMiB);
  TileWork work(*one.manager, 12, 4, 512, 4);
  Buffer blocker;
  // After the first batch somebody takes most of the device for good.
  work.while_held = [&] {
    if (work.finished() == 4) blocker = Buffer(*one.device->pool(), 3 * kMiB);
    if (work.finished() == 4) work.while_held = nullptr;
  };
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK(outcome.status.ok());
  CHECK(work.EachOnce());
  blocker = {};
}

TEST_CASE("half tile: only after the batch is 1, and never below the smallest") {
  OneDevice one(kMiB);
  TileWork work(*one.manager, 6, 2, 1024, 4);
  work.smallest = 300;
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK(outcome.status.ok());
  CHECK(outcome.rung == Rung::kHalfTile);
  CHECK(outcome.off_plan());
  CHECK(work.attempts.back().tile == 300);  // 512 needs a header more than 1 MiB
  CHECK(work.attempts.back().micro_batch == 1);
  CHECK(work.EachOnce());
}

TEST_CASE("the tile of a global architecture is never changed: the CPU comes next") {
  OneDevice one(kMiB);
  TileWork work(*one.manager, 6, 2, 1024, 4);
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK(outcome.status.ok());
  CHECK(outcome.rung == Rung::kCpu);
  CHECK(outcome.off_plan());
  CHECK(work.attempts.back().place == kCpuRung);
  CHECK(work.attempts.back().tile == 1024);
  CHECK(work.EachOnce());
  CHECK(one.manager->Info().rungs[static_cast<size_t>(Rung::kCpu)] == 1);
}

TEST_CASE("the CPU rung waits for other leases to end, and nothing new is granted meanwhile") {
  OneDevice one(kMiB);
  const size_t largest = one.manager->LargestLease();
  auto own = one.manager->TryAcquire({kMiB, 0});
  auto other = one.manager->TryAcquire({largest - 2 * kMiB, 0});
  REQUIRE(own.ok());
  REQUIRE(*other);
  Buffer held(HostPool(), largest - 2 * kMiB);
  const auto bytes = (one.manager->Info().budget - one.manager->Info().fixed) / 2;
  TileWork work(*one.manager, 1, 1, 1024, bytes / kMiB);
  work.refused = [&] {
    if (work.attempts.back().place == kCpuRung) CHECK_FALSE(*one.manager->TryAcquire({1, 0}));
    if (work.attempts.size() < 5) return;
    held = {};
    *other = {};
  };
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK_MESSAGE(outcome.status.ok(), (outcome.status.ok() ? "" : outcome.status.error().message));
  CHECK(outcome.rung == Rung::kCpu);
  CHECK(outcome.attempts == 6);
}

TEST_CASE(
    "the CPU rung lets images in beside it while the host has room, and no longer once it was refused") {
  OneDevice one(kMiB);
  struct Foretold : TileWork {
    using TileWork::TileWork;
    size_t ExpectedBytes(const Attempt&) const override { return 64 * kMiB; }
  };
  auto own = one.manager->TryAcquire({kMiB, 0});
  REQUIRE(own.ok());
  Foretold work(*one.manager, 1, 1, 1024, 64);
  std::vector<bool> granted;
  std::vector<size_t> leased;
  work.before = [&](const Attempt& attempt) {
    if (attempt.place != kCpuRung) return;
    leased.push_back(one.manager->Info().leased);
    granted.push_back(static_cast<bool>(*one.manager->TryAcquire({kMiB, 0})));
    if (granted.size() == 1) HostPool().RefuseAllocation(1);
  };
  auto other = one.manager->TryAcquire({kMiB, 0});  // a rival that may let go: the CPU is tried again
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK(outcome.status.ok());
  CHECK(outcome.rung == Rung::kCpu);
  CHECK(granted == std::vector{true, false});
  CHECK(leased == std::vector{66 * kMiB, 2 * kMiB});
  CHECK(one.manager->Info().leased == 2 * kMiB);
}

TEST_CASE("recorded failure: says what was tried and which flag would help") {
  OneDevice one(kMiB);
  TileWork work(*one.manager, 2, 2, 1024, 4096);
  work.smallest = 512;
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  REQUIRE_FALSE(outcome.status.ok());
  CHECK(outcome.rung == Rung::kRecordedFailure);
  CHECK(outcome.status.error().code == Code::kOutOfMemory);
  const std::string& message = outcome.status.error().message;
  for (const char* part :
       {"cpu:0 (1 MiB)", "nor on the CPU", "tiles of 512", "--device-memory or --memory", "--tile"}) {
    CHECK_MESSAGE(message.find(part) != std::string::npos, message);
  }
  CHECK(one.manager->Info().rungs[static_cast<size_t>(Rung::kRecordedFailure)] == 1);

  TileWork without(*one.manager, 1, 1, 0, 4096);
  without.cpu_rung = false;
  const LadderOutcome second = one.manager->Guarded(without, WorkPlace::Device(0), one.stop);
  REQUIRE_FALSE(second.status.ok());
  CHECK(second.status.error().message.find("nor on") == std::string::npos);
  CHECK(second.status.error().message.find("--tile") == std::string::npos);
  CHECK(second.status.error().message.find("--device-memory") != std::string::npos);
}

TEST_CASE("a device that shares the host's pool has no CPU rung, as that is where it is") {
  struct PlainCpu final : Device {
    std::string name() const override { return "cpu"; }
    bool host_backed() const override { return true; }
    DeviceStats Stats() const override { return {}; }
    void ResetPeak() override {}
    size_t EmptyCache() noexcept override { return 0; }
    Status Synchronize() noexcept override { return {}; }
    Status Canary() noexcept override { return {}; }
    Pool* pool() override { return &HostPool(); }
  };
  auto manager = MustCreate(WithRoom(64 * kMiB));
  const size_t largest = manager->LargestLease();
  manager->AddDevice(std::make_unique<PlainCpu>());
  CHECK(manager->LargestLease() == largest);
  CHECK(manager->DeviceRoom(0) == largest);
  TileWork work(*manager, 1, 1, 1024, 100);
  const LadderOutcome outcome = manager->Guarded(work, WorkPlace::Device(0), StopFlag());
  REQUIRE_FALSE(outcome.status.ok());
  CHECK(outcome.rung == Rung::kRecordedFailure);
  CHECK(work.attempts.back().place == WorkPlace::Device(0));
  CHECK(outcome.status.error().message.find("--memory") != std::string::npos);
}

TEST_CASE(
    "lost device: found by the canary, this and all later work continues on the CPU in the planned sizes") {
  OneDevice one(8 * kMiB);
  // The second batch finds the device gone, as its allocations fail and the canary with them.
  TileWork work(*one.manager, 12, 4, 512, 4);
  work.while_held = [&] {
    if (work.finished() == 4) {
      one.device->Lose();
      one.device->pool()->RefuseAllocation(1, 1000);
    }
  };
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK(outcome.status.ok());
  CHECK(outcome.device_lost);
  CHECK(outcome.rung == Rung::kCpu);
  CHECK(work.attempts.back().micro_batch == 4);
  CHECK(work.EachOnce());
  CHECK(one.manager->DeviceLost(0));
  CHECK(one.manager->DeviceRoom(0) == 0);
  CHECK(one.manager->Info().devices[0].lost);
  CHECK(one.manager->Info().warnings.size() == 1);

  TileWork next(*one.manager, 8, 4, 512, 4);
  const LadderOutcome later = one.manager->Guarded(next, WorkPlace::Device(0), one.stop);
  CHECK(later.status.ok());
  CHECK(later.attempts == 1);
  CHECK(later.device_lost);
  CHECK(next.attempts.front().place == kCpuRung);
  CHECK(one.manager->Info().warnings.size() == 1);

  TileWork bound(*one.manager, 1, 1, 512, 4);
  bound.cpu_rung = false;
  const LadderOutcome impossible = one.manager->Guarded(bound, WorkPlace::Device(0), one.stop);
  REQUIRE_FALSE(impossible.status.ok());
  CHECK(impossible.status.error().code == Code::kDeviceLost);
  CHECK(bound.attempts.empty());
}

TEST_CASE("host work: retried in the host's pool; a device lost below it is not the host's loss") {
  auto manager = MustCreate(WithRoom(64 * kMiB));
  const StopFlag stop;
  TileWork work(*manager, 6, 1, 512, 4);
  HostPool().RefuseAllocation(3);
  LadderOutcome outcome = manager->Guarded(work, kHostWork, stop);
  CHECK(outcome.status.ok());
  CHECK(outcome.rung == Rung::kSameSize);
  CHECK(work.EachOnce());

  struct Waiter final : LadderWork {
    Status Run(const Attempt&) override {
      return Error{Stage::kCompute, Code::kDeviceLost, "cuda:0 is gone"};
    }
  } waiter;
  outcome = manager->Guarded(waiter, kHostWork, stop);
  REQUIRE_FALSE(outcome.status.ok());
  CHECK(outcome.status.error().message == "cuda:0 is gone");
  TileWork after(*manager, 1, 1, 512, 4);
  CHECK(manager->Guarded(after, kHostWork, stop).status.ok());
  CHECK(manager->Info().warnings.empty());
}

TEST_CASE("an error that is no shortage: tried once more, then on the CPU, whose word is the last") {
  OneDevice one(8 * kMiB);
  struct Broken final : LadderWork {
    Status Run(const Attempt& attempt) override {
      if (throws) throw std::runtime_error("bug");
      places.push_back(attempt.place);
      const bool cpu = attempt.place == kCpuRung;
      if (cpu && cpu_does_it) return {};
      return Error{Stage::kCompute, Code::kModelError,
                   std::string("no such layer on ") + (cpu ? "the CPU" : "the device")};
    }
    bool has_cpu_rung() const override { return cpu_rung; }
    std::vector<WorkPlace> places;
    bool throws = false;
    bool cpu_does_it = false;
    bool cpu_rung = true;
  } broken;
  LadderOutcome outcome = one.manager->Guarded(broken, WorkPlace::Device(0), one.stop);
  REQUIRE_FALSE(outcome.status.ok());
  CHECK(outcome.status.error().code == Code::kModelError);
  CHECK(outcome.status.error().message == "no such layer on the CPU");
  CHECK(broken.places == std::vector<WorkPlace>{WorkPlace::Device(0), WorkPlace::Device(0), kCpuRung});
  CHECK_FALSE(outcome.device_lost);

  broken.cpu_does_it = true;
  outcome = one.manager->Guarded(broken, WorkPlace::Device(0), one.stop);
  CHECK(outcome.status.ok());
  CHECK(outcome.rung == Rung::kCpu);
  REQUIRE(one.manager->Info().devices[0].errors.size() == 1);
  CHECK(one.manager->Info().devices[0].errors[0].text == "no such layer on the device");
  CHECK(one.manager->Info().devices[0].errors[0].count == 4);

  broken.cpu_rung = false;
  CHECK(one.manager->Guarded(broken, WorkPlace::Device(0), one.stop).status.error().message ==
        "no such layer on the device");

  // The host's own has no second place to try.
  broken.places.clear();
  CHECK(one.manager->Guarded(broken, kHostWork, one.stop).attempts == 1);

  broken.throws = true;
  CHECK_THROWS_AS(one.manager->Guarded(broken, WorkPlace::Device(0), one.stop), std::runtime_error);
  TileWork after(*one.manager, 1, 1, 512, 4);
  CHECK(one.manager->Guarded(after, WorkPlace::Device(0), one.stop).status.ok());
}

TEST_CASE("a stop request ends the retries") {
  OneDevice one(kMiB);
  StopFlag stop;
  TileWork work(*one.manager, 1, 1, 1024, 4);
  work.refused = [&] { stop.RequestStop(); };
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), stop);
  REQUIRE_FALSE(outcome.status.ok());
  CHECK(outcome.status.error().code == Code::kInterrupted);
  CHECK(outcome.attempts == 1);
}

TEST_CASE("refusals at random, many threads: each item exactly once, nothing leaks") {
  OneDevice one(24 * kMiB);
  one.device->pool()->RefuseAtRandom(0.15, 7);
  std::atomic<int> off_plan{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        TileWork work(*one.manager, 9, 4, 512, 4);
        work.smallest = 128;
        const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
        CHECK(outcome.status.ok());
        CHECK(work.EachOnce());
        if (outcome.off_plan()) ++off_plan;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const MemoryInfo info = one.manager->Info();
  CHECK(info.rungs[static_cast<size_t>(Rung::kSameSize)] > 0);
  CHECK(one.pool().refusals > 0);
  MESSAGE("off plan: ", off_plan.load(), " of 100");
}

}  // namespace
}  // namespace imgmill
