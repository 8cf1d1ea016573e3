// The compute stage: groups, padding, rungs and lost devices, with a model simple enough to check by hand.
#include "imgmill/stream/device_lane.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "imgmill/memory/out_of_memory.h"

using namespace imgmill;

namespace {

/// Enlarges twice by repeating pixels. Takes its working memory from the device's pool, as LibTorch does, so
/// that a device of small cap really refuses.
class RepeatingModel final : public UpscaleModel {
 public:
  RepeatingModel(MemoryManager& memory, size_t bytes_a_pixel)
      : memory_(memory), bytes_a_pixel_(bytes_a_pixel) {
    info_.architecture = "repeat";
    info_.scale = 2;
    info_.receptive_radius = 0;
  }
  const ModelInfo& info() const override { return info_; }
  NumericsPlan Plan(const std::string&) const override { return {}; }
  size_t ForwardBytes(int n, int height, int width, int) const override {
    return bytes_a_pixel_ * static_cast<size_t>(n) * static_cast<size_t>(height) * static_cast<size_t>(width);
  }
  Status Forward(const float* input, float* output, int n, int height, int width, int device) override {
    try {
      Pool& pool = device < 0 ? HostPool() : *memory_.device(device).pool();
      Buffer work(pool, ForwardBytes(n, height, width, device));
      for (int plane = 0; plane < 3 * n; ++plane) {
        for (int y = 0; y < 2 * height; ++y) {
          for (int x = 0; x < 2 * width; ++x) *output++ = input[(plane * height + y / 2) * width + x / 2];
        }
      }
    } catch (const OutOfMemory& refusal) {
      return Error{Stage::kCompute, Code::kOutOfMemory, refusal.what()};
    }
    largest_batch_ = std::max(largest_batch_.load(), n);
    pixels_done_ += static_cast<int64_t>(n) * height * width;
    return {};
  }

  std::atomic<int> largest_batch_{0};
  std::atomic<int64_t> pixels_done_{0};

 private:
  MemoryManager& memory_;
  size_t bytes_a_pixel_;
  ModelInfo info_;
};

struct Picture {
  Picture(int height, int width) : in(static_cast<size_t>(3 * height * width)), out(in.size() * 4) {
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 97);
    job.input = in.data();
    job.output = out.data();
    job.height = height;
    job.width = width;
    job.own_height = height;
    job.own_width = width;
  }
  bool Right() const {
    for (int plane = 0; plane < 3; ++plane) {
      for (int y = 0; y < 2 * job.height; ++y) {
        for (int x = 0; x < 2 * job.width; ++x) {
          const int64_t source = (int64_t{plane} * job.height + y / 2) * job.width + x / 2;
          const int64_t target = (int64_t{plane} * 2 * job.height + y) * 2 * job.width + x;
          if (out[static_cast<size_t>(target)] != in[static_cast<size_t>(source)]) return false;
        }
      }
    }
    return true;
  }
  std::vector<float> in, out;
  TileJob job;
};

std::unique_ptr<MemoryManager> Manager() {
  MemoryOptions options;
  options.host_budget = size_t{1} << 30;
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create(options);
  REQUIRE_MESSAGE(manager.ok(), (manager ? "" : manager.error().message));
  return *std::move(manager);
}

NumericsPlan PlanOf(int tile, int micro_batch) {
  NumericsPlan plan;
  plan.kernels = "test";
  plan.tile = tile;
  plan.micro_batch = micro_batch;
  return plan;
}

}  // namespace

TEST_CASE("tiles of many workers are grouped by shape, and short groups do not wait for ever") {
  auto manager = Manager();
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 64 << 20), 64 << 20);
  RepeatingModel model(*manager, 16);
  StopFlag stop;
  auto lane = DeviceLane::Open(model, PlanOf(64, 4), 64, *manager, stop);
  REQUIRE(lane.ok());
  std::vector<std::jthread> workers;
  std::atomic<int> right{0};
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, worker] {
      for (int image = 0; image < 10; ++image) {
        const DeviceLane::Visit visit(**lane);
        Picture a(16 + worker % 2, 20), b(8, 8);
        std::vector<TileJob> jobs = {a.job, b.job};
        if ((*lane)->Run(jobs) && a.Right() && b.Right()) ++right;
      }
    });
  }
  workers.clear();
  CHECK(right == 40);
  CHECK(model.largest_batch_ == 4);  // short groups are padded: the plan's batch is the only one
}

TEST_CASE("a device too small for the batch ends with the right picture by smaller batches and tiles") {
  auto manager = Manager();
  // One 64x64 tile of 1 KiB a pixel takes 4 MiB: with 1.5 MiB only a quarter tile fits.
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 3 << 19), 3 << 19);
  RepeatingModel model(*manager, 1024);
  StopFlag stop;
  auto lane = DeviceLane::Open(model, PlanOf(128, 2), 128, *manager, stop);
  REQUIRE(lane.ok());
  const DeviceLane::Visit visit(**lane);
  Picture picture(128, 128);
  std::vector<TileJob> jobs = {picture.job};
  const Status ran = (*lane)->Run(jobs);
  REQUIRE_MESSAGE(ran.ok(), (ran ? "" : ran.error().message));
  CHECK(picture.Right());
  CHECK(jobs[0].rung >= Rung::kHalfTile);
}

TEST_CASE("a lost device hands its work to the CPU, and the pictures are right") {
  auto manager = Manager();
  auto device = std::make_unique<HostBackedDevice>("cpu:0", 1 << 20);
  HostBackedDevice* handle = device.get();
  manager->AddDevice(std::move(device), 1 << 20);
  RepeatingModel model(*manager, 1024);  // does not fit the device, so the ladder asks the canary
  StopFlag stop;
  auto lane = DeviceLane::Open(model, PlanOf(64, 1), 64, *manager, stop);
  REQUIRE(lane.ok());
  handle->Lose();
  const DeviceLane::Visit visit(**lane);
  for (int i = 0; i < 3; ++i) {
    Picture picture(64, 64);
    std::vector<TileJob> jobs = {picture.job};
    REQUIRE((*lane)->Run(jobs).ok());
    CHECK(picture.Right());
    CHECK(jobs[0].rung == Rung::kCpu);
  }
  CHECK(manager->DeviceLost(0));
}

TEST_CASE("two devices of different size share one queue and lose nothing") {
  auto manager = Manager();
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 64 << 20), 64 << 20);
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:1", 8 << 20), 8 << 20);
  RepeatingModel model(*manager, 64);
  StopFlag stop;
  auto lane = DeviceLane::Open(model, PlanOf(64, 1), 64, *manager, stop);
  REQUIRE(lane.ok());
  const DeviceLane::Visit visit(**lane);
  std::vector<Picture> pictures;
  for (int i = 0; i < 64; ++i) pictures.emplace_back(32, 32);
  std::vector<TileJob> jobs;
  for (Picture& picture : pictures) jobs.push_back(picture.job);
  REQUIRE((*lane)->Run(jobs).ok());
  for (const Picture& picture : pictures) CHECK(picture.Right());
  CHECK(model.pixels_done_ == 64 * 32 * 32);  // nothing twice
}
