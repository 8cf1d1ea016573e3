// Statistics and levers of an accelerator's caching allocator. No header of CUDA or any other vendor is
// needed.
#include "torch/accelerator_device.h"

#include "torch/edge.h"

namespace imgmill {
namespace {

/// The allocator, if this backend's has statistics; MPS's, for one, has none.
c10::DeviceAllocator* AllocatorOf(c10::Device device) {
  return dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
}

/// Free and total bytes as the driver says. Older LibTorch lacks the question, and some backends the answer.
template <typename Allocator>
bool DriverMemory(Allocator& allocator, c10::DeviceIndex index, DeviceStats& stats) {
  if constexpr (requires { allocator.getMemoryInfo(index); }) {
    try {
      std::tie(stats.free, stats.total) = allocator.getMemoryInfo(index);
      return stats.total > 0;
    } catch (const c10::Error&) {
      return false;
    }
  }
  return false;
}

size_t Bytes(int64_t count) {
  return count > 0 ? static_cast<size_t>(count) : 0;
}

}  // namespace

Result<std::unique_ptr<AcceleratorDevice>> AcceleratorDevice::Open(c10::Device device) {
  std::unique_ptr<AcceleratorDevice> opened(new AcceleratorDevice(device));
  if (Status alive = opened->Canary(); !alive) return alive.error();
  return opened;
}

DeviceStats AcceleratorDevice::Stats() const {
  DeviceStats stats;
  stats.known = false;
  Status asked = AtEdge(Stage::kCompute, [&]() -> Status {
    c10::DeviceAllocator* allocator = AllocatorOf(device_);
    if (allocator == nullptr) return {};
    const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    const auto seen = allocator->getDeviceStats(device_.index());
    stats.allocated = Bytes(seen.allocated_bytes[all].current);
    stats.reserved = Bytes(seen.reserved_bytes[all].current);
    stats.peak_allocated = Bytes(seen.allocated_bytes[all].peak);
    stats.out_of_memory_count = Bytes(seen.num_ooms);
    stats.known = DriverMemory(*allocator, device_.index(), stats);
    return {};
  });
  if (!asked) stats.known = false;  // a lost device answers nothing; the canary will tell
  return stats;
}

void AcceleratorDevice::ResetPeak() {
  Status reset = AtEdge(Stage::kCompute, [&]() -> Status {
    if (c10::DeviceAllocator* allocator = AllocatorOf(device_)) allocator->resetPeakStats(device_.index());
    return {};
  });
  static_cast<void>(reset);  // no peak is lost that Stats could still read
}

size_t AcceleratorDevice::EmptyCache() noexcept {
  size_t given_back = 0;
  Status emptied = AtEdge(Stage::kCompute, [&]() -> Status {
    c10::DeviceAllocator* allocator = AllocatorOf(device_);
    if (allocator == nullptr) return {};
    const size_t before = Stats().reserved;
    allocator->emptyCache();
    const size_t after = Stats().reserved;
    given_back = before > after ? before - after : 0;
    return {};
  });
  static_cast<void>(emptied);  // nothing given back is the answer; whether the device lives, the canary tells
  return given_back;
}

Status AcceleratorDevice::Synchronize() noexcept {
  return AtEdge(Stage::kCompute, [&]() -> Status {
    at::accelerator::synchronizeDevice(device_.index());
    return {};
  });
}

Status AcceleratorDevice::Canary() noexcept {
  Status alive = AtEdge(Stage::kCompute, [&]() -> Status {
    const c10::InferenceMode inference;
    const torch::Tensor sent = torch::arange(16, torch::kFloat32);
    if (!torch::equal(sent.to(device_).to(torch::kCPU), sent)) {
      return Error{Stage::kCompute, Code::kDeviceLost, name() + " gives back other values than it was sent"};
    }
    return {};
  });
  if (alive || alive.error().code == Code::kOutOfMemory) return {};  // full is not lost
  Error error = alive.error();
  error.code = Code::kDeviceLost;
  return error;
}

}  // namespace imgmill
