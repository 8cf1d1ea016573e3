// Memory of a real accelerator: a card filled to the brim, fragmentation, prediction, and what clearing
// costs. Does nothing on a machine without one; scripts/gpu-check.sh runs it on one that has.
#include <chrono>
#include <thread>

#include "networks/edge.h"
#include "torch/accelerator_house.h"
#include "torch/small_network.h"
#include "torch/torch_headers.h"

using namespace imgmill;

namespace {

torch::Tensor Take(size_t bytes) {
  const auto options = torch::TensorOptions(*at::accelerator::getAccelerator()).dtype(torch::kUInt8);
  return torch::empty({static_cast<int64_t>(bytes)}, options);
}

/// Wants bytes of the device; on the CPU it needs none.
class Wanting final : public LadderWork {
 public:
  explicit Wanting(size_t bytes) : bytes_(bytes) {}
  Status Run(const Attempt& attempt) override {
    if (attempt.place == kCpuRung) return {};
    return AtEdge(Stage::kCompute, [&]() -> Status {
      Take(bytes_).fill_(1);
      return {};
    });
  }

 private:
  const size_t bytes_;
};

/// Blocks of the device until it has no more than `left` free, or gives no more.
std::vector<torch::Tensor> Fill(Device& device, size_t block, size_t left) {
  std::vector<torch::Tensor> held;
  while (device.Stats().free > left + block) {
    const Status taken = AtEdge(Stage::kCompute, [&]() -> Status {
      held.push_back(Take(block));
      return {};
    });
    if (!taken) break;  // the limit leaves a reserve free
  }
  return held;
}

double Seconds(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("accelerator: more than the budget is refused where memory is handed out, however much is free") {
  constexpr size_t kBudget = size_t{1} << 30;
  const auto house = WithAccelerator(kBudget);
  if (!house) return;
  Device& device = house->manager->device(0);
  const DeviceStats before = device.Stats();
  MESSAGE("context " << (before.context >> 20) << " MiB, of a budget of " << (kBudget >> 20));
  if (!before.capped) {
    MESSAGE("SKIPPED: another test has told LibTorch its limit in this process, or it takes none");
    return;
  }
  constexpr size_t kBlock = size_t{16} << 20;
  std::vector<torch::Tensor> held;
  bool refused = false;
  while (!refused && held.size() * kBlock < 2 * kBudget) {
    const Status taken = AtEdge(Stage::kCompute, [&]() -> Status {
      held.push_back(Take(kBlock));
      return {};
    });
    refused = !taken;
    if (refused) CHECK(taken.error().code == Code::kOutOfMemory);
  }
  const DeviceStats full = device.Stats();
  CHECK(refused);
  CHECK(full.free > kBlock);
  CHECK(full.peak_held <= kBudget);
  MESSAGE("a limit: " << held.size() * kBlock / (1 << 20) << " MiB taken, " << (full.peak_held >> 20)
                      << " MiB held of " << (kBudget >> 20));
  CHECK(held.size() * kBlock + 2 * kBlock + before.context > kBudget);  // and nearly all of it can be had
}

TEST_CASE("accelerator: on a card that others hold, work waits for them, and else goes to the CPU") {
  const auto house = WithAccelerator();
  if (!house) return;
  Device& device = house->manager->device(0);
  const size_t block = device.Stats().free / 32;
  std::vector<torch::Tensor> held = Fill(device, block, block / 2);
  const StopFlag stop;
  Wanting more(2 * block);
  const LadderOutcome nowhere = house->manager->Guarded(more, WorkPlace::Device(0), stop);
  CHECK(nowhere.status.ok());
  CHECK(nowhere.rung == Rung::kCpu);
  CHECK_FALSE(nowhere.device_lost);
  // Freed step by step from another thread, as another process would; the cache gives it to nobody by itself.
  std::thread others([&] {
    for (int i = 0; i < 4; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      held.pop_back();
    }
  });
  const LadderOutcome waited = house->manager->Guarded(more, WorkPlace::Device(0), stop);
  others.join();
  CHECK(waited.status.ok());
  MESSAGE("a filled card, let go in steps: " << ToString(waited.rung) << " after " << waited.attempts
                                             << " attempts");
  held.clear();
  device.EmptyCache();
  const LadderOutcome easy = house->manager->Guarded(more, WorkPlace::Device(0), stop);
  CHECK(easy.rung == Rung::kNone);
}

TEST_CASE("accelerator: a fragmented cache is emptied, and the same size then fits") {
  const auto house = WithAccelerator();
  if (!house) return;
  Device& device = house->manager->device(0);
  const size_t block = device.Stats().free / 64;
  std::vector<torch::Tensor> held = Fill(device, block, block);
  for (size_t i = 0; i < held.size(); i += 2) held[i] = torch::Tensor();
  const DeviceStats before = device.Stats();
  CHECK(before.reserved > before.allocated);
  // No single freed block holds this, all of them do.
  Wanting large(block * 4);
  const StopFlag stop;
  const LadderOutcome outcome = house->manager->Guarded(large, WorkPlace::Device(0), stop);
  CHECK(outcome.status.ok());
  MESSAGE("fragmented, " << ((before.reserved - before.allocated) >> 20)
                         << " MiB cached in pieces: " << ToString(outcome.rung));
  CHECK(outcome.rung <= Rung::kSameSize);
}

TEST_CASE("accelerator: two small probes and a few peaks predict other shapes") {
  const auto house = WithAccelerator();
  if (!house) return;
  const WeightFolder folder;
  const auto model = Load(*house, SmallCompact(folder, 64, 10, 4, true, ""));
  Device& device = house->manager->device(0);
  const auto peak_of = [&](int n, int height, int width) {
    std::vector<float> picture(static_cast<size_t>(n) * 3 * static_cast<size_t>(height * width), 0.5f);
    std::vector<float> output(picture.size() * 16);
    device.EmptyCache();
    device.ResetPeak();
    const size_t held = device.Stats().allocated;
    REQUIRE(model->Forward(picture.data(), output.data(), n, height, width, WorkPlace::Device(0)).ok());
    return device.Stats().peak_allocated - held;
  };
  peak_of(1, 64, 64);  // weights and workspaces that stay
  CostModel costs;
  costs.Observe({1, 64, 64}, peak_of(1, 64, 64));
  costs.Observe({1, 128, 128}, peak_of(1, 128, 128));
  costs.Observe({2, 320, 240}, peak_of(2, 320, 240));
  double worst_low = 0, worst_high = 0;
  for (const BatchShape shape :
       {BatchShape{1, 200, 333}, {4, 128, 128}, {1, 512, 512}, {3, 333, 500}, {1, 1066, 1600}, {8, 64, 64}}) {
    const auto actual = static_cast<double>(
        peak_of(static_cast<int>(shape.n), static_cast<int>(shape.height), static_cast<int>(shape.width)));
    const double error = static_cast<double>(costs.Predict(shape)) / actual - 1;
    worst_low = std::min(worst_low, error);
    worst_high = std::max(worst_high, error);
    costs.Observe(shape, static_cast<size_t>(actual));
  }
  MESSAGE("prediction error of shapes not seen before: " << 100 * worst_low << " to " << 100 * worst_high
                                                         << " %");
  for (const BatchShape shape : {BatchShape{1, 240, 320}, {2, 512, 512}, {1, 800, 1200}}) {
    const auto actual = static_cast<double>(
        peak_of(static_cast<int>(shape.n), static_cast<int>(shape.height), static_cast<int>(shape.width)));
    const double error = static_cast<double>(costs.Predict(shape)) / actual - 1;
    MESSAGE("prediction error after warm-up: " << 100 * error << " %");
    CHECK(error > -0.02);
  }
}

TEST_CASE("accelerator: what emptying the cache after each batch costs") {
  const auto house = WithAccelerator();
  if (!house) return;
  const WeightFolder folder;
  const auto model = Load(*house, SmallCompact(folder, 64, 18, 4, true, ""));
  Device& device = house->manager->device(0);
  std::vector<float> picture(3 * 4 * 256 * 256, 0.5f), output(picture.size() * 16);
  const auto batches = [&](bool clear) {
    for (int i = 0; i < 20; ++i) {
      REQUIRE(model->Forward(picture.data(), output.data(), 4, 256, 256, WorkPlace::Device(0)).ok());
      if (clear) device.EmptyCache();
    }
  };
  batches(false);
  const double never = Seconds([&] { batches(false); });
  const double every = Seconds([&] { batches(true); });
  MESSAGE("20 batches of 4x256x256: " << never << " s keeping the cache, " << every
                                      << " s emptying it each time");
  CHECK(every > 0);
}
