// The compute stage: groups, padding, rungs and lost devices, with a model simple enough to check by hand.
#include "imgmill/engine/batch_scheduler.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "engine/repeating_model.h"

using namespace imgmill;
using namespace imgmill::engine_test;

TEST_CASE("tiles of many workers are grouped by shape, and short groups do not wait for ever") {
  auto manager = ManagerOf1GiB();
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 64 << 20), 64 << 20);
  RepeatingModel model(*manager, 16);
  StopFlag stop;
  auto scheduler = BatchScheduler::Open(model, PlanOf(64, 4), 64, *manager, stop);
  REQUIRE(scheduler.ok());
  std::vector<std::jthread> workers;
  std::atomic<int> right{0};
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, worker] {
      for (int image = 0; image < 10; ++image) {
        const BatchScheduler::Visit visit(**scheduler);
        Picture a(16 + worker % 2, 20), b(8, 8);
        std::vector<TileJob> jobs = {a.job, b.job};
        if ((*scheduler)->Run(jobs) && a.Right() && b.Right()) ++right;
      }
    });
  }
  workers.clear();
  CHECK(right == 40);
  CHECK(model.largest_batch_ == 4);  // short groups are padded: the plan's batch is the only one
}

TEST_CASE("a device too small for the batch ends with the right picture by smaller batches and tiles") {
  auto manager = ManagerOf1GiB();
  // One 64x64 tile of 1 KiB a pixel takes 4 MiB: with 1.5 MiB only a quarter tile fits.
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 3 << 19), 3 << 19);
  RepeatingModel model(*manager, 1024);
  StopFlag stop;
  auto scheduler = BatchScheduler::Open(model, PlanOf(128, 2), 128, *manager, stop);
  REQUIRE(scheduler.ok());
  const BatchScheduler::Visit visit(**scheduler);
  Picture picture(128, 128);
  std::vector<TileJob> jobs = {picture.job};
  const Status ran = (*scheduler)->Run(jobs);
  REQUIRE_MESSAGE(ran.ok(), (ran ? "" : ran.error().message));
  CHECK(picture.Right());
  CHECK(jobs[0].rung >= Rung::kHalfTile);
}

TEST_CASE(
    "of a tile that is worked on in parts, those that are finished before a refusal are not computed again") {
  constexpr int kSide = 256;
  for (uint64_t refused = 1; refused <= 4 + 1; ++refused) {
    CAPTURE(refused);
    auto manager = ManagerOf1GiB();
    // The tile of 256x256 at 64 bytes a pixel takes 4 MiB; a part of half the side takes one.
    manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 3 << 19), 3 << 19);
    RepeatingModel model(*manager, 64);
    StopFlag stop;
    auto scheduler = BatchScheduler::Open(model, PlanOf(kSide, 1), kSide, *manager, stop);
    REQUIRE(scheduler.ok());
    Pool& pool = *manager->device(0).pool();
    // Of the four parts the second, say, finds no memory either: a quarter of the side is next.
    int forwards = 0;
    model.during = [&](WorkPlace) {
      if (++forwards == static_cast<int>(refused)) pool.RefuseAllocation(1);
    };
    const BatchScheduler::Visit visit(**scheduler);
    Picture picture(kSide, kSide);
    std::vector<TileJob> jobs = {picture.job};
    REQUIRE((*scheduler)->Run(jobs).ok());
    CHECK(picture.Right());
    CHECK(jobs[0].rung == Rung::kHalfTile);
    CHECK(model.pixels_done_ == kSide * kSide);  // no context here: each pixel once
    CHECK(forwards == (refused < 4 ? static_cast<int>(refused) + 4 * (4 - static_cast<int>(refused)) : 4));
  }
}

TEST_CASE("a lost device hands its work to the CPU, and the pictures are right") {
  auto manager = ManagerOf1GiB();
  auto device = std::make_unique<HostBackedDevice>("cpu:0", 8 << 20);
  HostBackedDevice* handle = device.get();
  manager->AddDevice(std::move(device), 8 << 20);
  RepeatingModel model(*manager, 1024);
  StopFlag stop;
  auto scheduler = BatchScheduler::Open(model, PlanOf(64, 1), 64, *manager, stop);
  REQUIRE(scheduler.ok());
  handle->Lose();
  handle->pool()->RefuseAllocation(1, 1000);  // so that the ladder asks the canary
  const BatchScheduler::Visit visit(**scheduler);
  for (int i = 0; i < 3; ++i) {
    Picture picture(64, 64);
    std::vector<TileJob> jobs = {picture.job};
    REQUIRE((*scheduler)->Run(jobs).ok());
    CHECK(picture.Right());
    CHECK(jobs[0].rung == Rung::kCpu);
  }
  CHECK(manager->DeviceLost(0));
}

TEST_CASE("two devices of different size share one queue and lose nothing") {
  auto manager = ManagerOf1GiB();
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 64 << 20), 64 << 20);
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:1", 8 << 20), 8 << 20);
  RepeatingModel model(*manager, 64);
  StopFlag stop;
  auto scheduler = BatchScheduler::Open(model, PlanOf(64, 1), 64, *manager, stop);
  REQUIRE(scheduler.ok());
  const BatchScheduler::Visit visit(**scheduler);
  std::vector<Picture> pictures;
  for (int i = 0; i < 64; ++i) pictures.emplace_back(32, 32);
  std::vector<TileJob> jobs;
  for (Picture& picture : pictures) jobs.push_back(picture.job);
  REQUIRE((*scheduler)->Run(jobs).ok());
  for (const Picture& picture : pictures) CHECK(picture.Right());
  CHECK(model.pixels_done_ == 64 * 32 * 32);  // nothing twice
}
