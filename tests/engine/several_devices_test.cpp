// Several host-backed devices of different budgets and speeds: the pictures are those of one device, each is
// computed once, and a lost device's work moves to those that are left.
#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <thread>

#include "engine/repeating_model.h"

using namespace imgmill;
using namespace imgmill::engine_test;

namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr int kSide = 32;  // of all pictures here: 1 MiB of working memory at 1 KiB a pixel

/// Devices "cpu:0", "cpu:1" ... of the given caps, a model of 1 KiB a pixel, and a scheduler.
struct Devices {
  explicit Devices(const std::vector<size_t>& caps, int micro_batch = 1)
      : manager(ManagerOf1GiB()), model(*manager, 1024) {
    for (const size_t cap : caps) {
      auto device = std::make_unique<HostBackedDevice>("cpu:" + std::to_string(handles.size()), cap);
      handles.push_back(device.get());
      manager->AddDevice(std::move(device), cap);
    }
    auto opened = BatchScheduler::Open(model, PlanOf(kSide, micro_batch), kSide, *manager, stop);
    REQUIRE(opened.ok());
    scheduler = *std::move(opened);
  }
  ~Devices() {
    scheduler.reset();
    for (HostBackedDevice* device : handles) CHECK(device->pool()->Stats().live == 0);
  }

  /// From its k-th allocation on the device is gone, as a GPU off the bus.
  void LoseAt(size_t device, uint64_t k) {
    handles[device]->pool()->RefuseAllocation(k, 1 << 20);
    handles[device]->Lose();
  }

  MemoryManager& memory() { return *manager; }

  std::unique_ptr<MemoryManager> manager;
  RepeatingModel model;
  std::vector<HostBackedDevice*> handles;
  StopFlag stop;
  std::unique_ptr<BatchScheduler> scheduler;
};

/// Runs `count` pictures, numbered from `first`, in one call. @return the lowest rung that one needed
Rung RunPictures(Devices& devices, int first, int count) {
  const BatchScheduler::Visit visit(*devices.scheduler);
  std::deque<Picture> pictures;
  std::vector<TileJob> jobs;
  for (int i = 0; i < count; ++i) jobs.push_back(pictures.emplace_back(kSide, kSide, first + i).job);
  const Status ran = devices.scheduler->Run(jobs);
  CHECK_MESSAGE(ran.ok(), (ran ? "" : ran.error().message));
  Rung lowest = Rung::kNone;
  for (int i = 0; i < count; ++i) {
    CHECK(pictures[static_cast<size_t>(i)].Right());
    lowest = std::max(lowest, jobs[static_cast<size_t>(i)].rung);
  }
  return lowest;
}

/// Whether each of the pictures was computed once, wherever that was.
bool EachOnce(const Devices& devices, int first, int count) {
  for (int picture = first; picture < first + count; ++picture) {
    int times = devices.model.Computed(kCpuRung, picture, picture + 1);
    for (int device = 0; device < static_cast<int>(devices.handles.size()); ++device)
      times += devices.model.Computed(device, picture, picture + 1);
    if (times != 1) return false;
  }
  return true;
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a fast and a slow device: the fast one does most, and the last ones are all its own") {
  Devices devices({64 * kMiB, 64 * kMiB});
  // So far apart that a busy machine does not bring them together.
  devices.model.during = [](WorkPlace place) {
    std::this_thread::sleep_for(std::chrono::milliseconds(place == WorkPlace::Device(0) ? 400 : 2));
  };
  // Each device is tried twice: in two rounds, or in more where the fast one is done before the slow one
  // wakes.
  for (int round = 0; round < 20 && devices.model.Computed(0) < 2; ++round)
    CHECK(RunPictures(devices, 2000 + 20 * round, 12) == Rung::kNone);
  CHECK(devices.model.Computed(0) == 2);
  // Four pictures take the fast one 8 ms, so that the slow one can help with none of them: unless the fast
  // one was kept from running, which is not so each time. One that is idle and takes what is there takes one
  // each time.
  int left_alone = 0;
  for (int round = 0; round < 10 && left_alone < 3; ++round) {
    const int slow_before = devices.model.Computed(0);
    CHECK(RunPictures(devices, 100 + 10 * round, 4) == Rung::kNone);
    left_alone += devices.model.Computed(0) == slow_before ? 1 : 0;
  }
  CHECK(left_alone == 3);
  // Of enough of them it does take some.
  CHECK(RunPictures(devices, 200, 600) == Rung::kNone);
  CHECK(devices.model.Computed(0, 200, 800) > 0);
  CHECK(devices.model.Computed(0, 200, 800) < 200);  // 3 if nothing else runs on the machine
  CHECK(EachOnce(devices, 200, 600));
}

TEST_CASE("a fast device that hangs does not hold up the slow one for ever") {
  Devices devices({64 * kMiB, 64 * kMiB});
  std::atomic<int> hang_ms{2};
  devices.model.during = [&](WorkPlace place) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(place == WorkPlace::Device(0) ? 30 : hang_ms.load()));
  };
  RunPictures(devices, 0, 12);
  RunPictures(devices, 20, 12);
  hang_ms = 1500;
  // One hangs on the fast device; the other would have been for it, too.
  RunPictures(devices, 100, 2);
  CHECK(devices.model.Computed(0, 100, 102) == 1);
}

TEST_CASE("one device lost in the middle: the others do its work, nothing twice, nothing off plan") {
  for (const int micro_batch : {1, 4}) {
    Devices devices({64 * kMiB, 64 * kMiB, 64 * kMiB}, micro_batch);
    devices.model.during = [](WorkPlace) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
    devices.LoseAt(1, 4);
    // As many batches of each size: the device that is lost must come to its fourth.
    const int pictures = 64 * micro_batch;
    CHECK(RunPictures(devices, 0, pictures) == Rung::kNone);
    CHECK(EachOnce(devices, 0, pictures));
    CHECK(devices.memory().DeviceLost(1));
    CHECK(devices.model.Computed(1) == 3 * micro_batch);
    CHECK(devices.model.Computed(kCpuRung) == 0);  // the CPU had no part in it
    const MemoryInfo info = devices.memory().Info();
    REQUIRE(info.warnings.size() == 1);
    CHECK(Has(info.warnings[0], "cpu:1 no longer answers: the rest of the run continues on cpu:0, cpu:2"));
    CHECK(info.rungs[static_cast<size_t>(Rung::kCpu)] == 0);
  }
}

TEST_CASE("all devices lost: the CPU does the rest, and only the rest") {
  Devices devices({64 * kMiB, 64 * kMiB});
  devices.model.during = [](WorkPlace) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
  devices.LoseAt(0, 6);
  devices.LoseAt(1, 3);
  CHECK(RunPictures(devices, 0, 40) == Rung::kCpu);
  CHECK(EachOnce(devices, 0, 40));
  CHECK(devices.model.Computed(0) == 5);
  CHECK(devices.model.Computed(1) == 2);
  CHECK(devices.model.Computed(kCpuRung) == 33);
  const MemoryInfo info = devices.memory().Info();
  REQUIRE(info.warnings.size() == 2);
  CHECK(Has(info.warnings[0], "continues on cpu:"));
  CHECK(Has(info.warnings[1], "continues on the CPU"));
}

TEST_CASE("a device whose budget cannot hold one batch leaves all of them to one that can") {
  Devices devices({kMiB / 2, 64 * kMiB});
  CHECK(RunPictures(devices, 0, 20) == Rung::kNone);
  CHECK(devices.model.Computed(1) == 20);
  CHECK(devices.handles[0]->pool()->Stats().refusals == 0);
  // If that one is lost, the small one does what it can with the plan changed: better than nobody.
  devices.LoseAt(1, 1);
  CHECK(RunPictures(devices, 100, 1) >= Rung::kHalfTile);
}

TEST_CASE(
    "what one device has no room for, as somebody else holds it, goes to another with its plan as it is") {
  Devices devices({8 * kMiB, 8 * kMiB}, 4);
  devices.model.during = [](WorkPlace) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
  {
    const Buffer neighbour(*devices.handles[0]->pool(), 6 * kMiB);  // leaves two pictures' room, not four's
    CHECK(RunPictures(devices, 0, 32) < Rung::kHalfBatch);
    CHECK(EachOnce(devices, 0, 32));
    CHECK(devices.model.Computed(0) == 0);
    CHECK(devices.handles[0]->pool()->Stats().refusals > 0);
  }
  // When it has let go, both work again.
  CHECK(RunPictures(devices, 100, 64) == Rung::kNone);
  CHECK(devices.model.Computed(0) > 0);
}

TEST_CASE("no device has room for the plan's batch: one of them goes down the ladder") {
  Devices devices({8 * kMiB, 8 * kMiB}, 4);
  const Buffer one(*devices.handles[0]->pool(), 6 * kMiB - 128 * 1024);
  const Buffer other(*devices.handles[1]->pool(), 6 * kMiB - 128 * 1024);
  CHECK(RunPictures(devices, 0, 8) == Rung::kHalfBatch);
  CHECK(EachOnce(devices, 0, 8));
  CHECK(devices.model.Computed(kCpuRung) == 0);
}

TEST_CASE("refusals at random on all devices, many workers: every picture right and computed once") {
  Devices devices({64 * kMiB, 64 * kMiB, 64 * kMiB}, 2);
  for (size_t i = 0; i < 3; ++i) devices.handles[i]->pool()->RefuseAtRandom(0.1, i);
  std::vector<std::jthread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, worker] {
      for (int round = 0; round < 8; ++round) {
        CHECK(RunPictures(devices, 1000 * worker + 10 * round, 5) < Rung::kHalfBatch);
        CHECK(EachOnce(devices, 1000 * worker + 10 * round, 5));
      }
    });
  }
}

TEST_CASE("a picture that fits nowhere is a failure of its own, and says what would help") {
  auto manager = ManagerOf1GiB();
  for (const char* name : {"cpu:0", "cpu:1"})
    manager->AddDevice(std::make_unique<HostBackedDevice>(name, kMiB), kMiB);
  RepeatingModel model(*manager, size_t{512} << 10);  // 2 GiB for the smallest part of a tile
  const StopFlag stop;
  auto scheduler = BatchScheduler::Open(model, PlanOf(128, 1), 128, *manager, stop);
  REQUIRE(scheduler.ok());
  const BatchScheduler::Visit visit(**scheduler);
  Picture large(128, 128), small(1, 2);
  std::vector<TileJob> jobs = {large.job}, next = {small.job};
  const Status ran = (*scheduler)->Run(jobs);
  REQUIRE_FALSE(ran.ok());
  CHECK(ran.error().code == Code::kTooLarge);
  for (const char* part : {"nor on the CPU", "tiles of 64", "--device-memory or --memory"})
    CHECK_MESSAGE(Has(ran.error().message, part), ran.error().message);
  CHECK(manager->Info().rungs[static_cast<size_t>(Rung::kRecordedFailure)] == 1);
  CHECK((*scheduler)->Run(next).ok());
  CHECK(small.Right());
}
