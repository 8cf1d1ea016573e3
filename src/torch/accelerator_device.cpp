// Statistics and levers of an accelerator's caching allocator. No header of CUDA or any other vendor is
// needed.
#include "torch/accelerator_device.h"

#include <algorithm>

#include "base/try.h"
#include "imgmill/base/byte_size.h"
#include "networks/edge.h"
#include "torch/allocator_cap.h"

namespace imgmill {
namespace {

/// The allocator, if this backend's has statistics; MPS's, for one, has none.
c10::DeviceAllocator* AllocatorOf(c10::Device device) {
  return dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
}

/// Free and total bytes as the driver says. Older LibTorch lacks the question, and some backends the answer.
template <typename Allocator>
bool DriverSays(Allocator& allocator, c10::DeviceIndex index, DeviceStats& stats) {
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

/// What CUDA's context takes beside all tensors, as long as nobody has measured it: 400 to 520 MiB on cards
/// with many cores and drivers since 525.
constexpr size_t kContext = 512 * kMiB;
/// Kernels of LibTorch, cuBLAS and cuDNN are loaded when they are first called, and stay.
constexpr size_t kModules = 128 * kMiB;
/// What is measured beyond these was not the context, but others on the card.
constexpr size_t kLeastContext = 64 * kMiB;
constexpr size_t kMostContext = 2048 * kMiB;
constexpr std::chrono::milliseconds kBetweenLooks{500};

size_t Bytes(int64_t count) {
  return count > 0 ? static_cast<size_t>(count) : 0;
}

}  // namespace

AcceleratorDevice::AcceleratorDevice(c10::Device device)
    : device_(device),
      card_(device.is_cuda() ? DriverCard::Find(device.index()) : nullptr),
      context_(card_ != nullptr ? kContext + kModules : 0) {}

DeviceStats AcceleratorDevice::Stats() const {
  DeviceStats stats;
  stats.known = false;
  stats.context = context_;
  stats.capped = capped_;
  if (!awake_) {
    // LibTorch would make the context to answer.
    if (card_ == nullptr) return stats;
    const std::optional<DriverMemory> driver = card_->Ask();
    if (!driver) return stats;
    stats.free = driver->free;
    stats.total = driver->total;
    stats.known = true;
    return stats;
  }
  Status asked = AtEdge(Stage::kCompute, [&]() -> Status {
    c10::DeviceAllocator* allocator = AllocatorOf(device_);
    if (allocator == nullptr) return {};
    const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    const auto seen = allocator->getDeviceStats(device_.index());
    stats.allocated = Bytes(seen.allocated_bytes[all].current);
    stats.reserved = Bytes(seen.reserved_bytes[all].current);
    stats.peak_allocated = Bytes(seen.allocated_bytes[all].peak);
    stats.peak_held = stats.context + std::max(peak_reserved_.load(), Bytes(seen.reserved_bytes[all].peak));
    stats.out_of_memory_count = Bytes(seen.num_ooms);
    stats.known = DriverSays(*allocator, device_.index(), stats);
    return {};
  });
  if (!asked) stats.known = false;  // a lost device answers nothing; the canary will tell
  return stats;
}

void AcceleratorDevice::ResetPeak() {
  if (!awake_) return;
  LookAtContext();
  const size_t peak = Stats().peak_held;
  const size_t reserved = peak - std::min(peak, context_.load());
  if (reserved > peak_reserved_) peak_reserved_ = reserved;
  Status reset = AtEdge(Stage::kCompute, [&]() -> Status {
    if (c10::DeviceAllocator* allocator = AllocatorOf(device_)) allocator->resetPeakStats(device_.index());
    return {};
  });
  static_cast<void>(reset);  // no peak is lost that Stats could still read
}

/// The context grows as kernels are loaded: where the driver tells what is ours, that is the figure.
void AcceleratorDevice::LookAtContext() {
  if (card_ == nullptr) return;
  const std::lock_guard lock(look_mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - last_look_ < kBetweenLooks) return;
  last_look_ = now;
  const std::optional<DriverMemory> driver = card_->Ask();
  const size_t reserved = Stats().reserved;
  if (driver && driver->own && *driver->own > reserved)
    context_ = std::max(context_.load(), *driver->own - reserved);
}

Status AcceleratorDevice::Wake(size_t most) noexcept {
  return AtEdge(Stage::kCompute, [&]() -> Status {
    if (awake_) return {};
    if (card_ != nullptr) {
      TRY(MakeContextWithin(most));
    }
    TRY(TryOut());
    awake_ = true;
    return {};
  });
}

Status AcceleratorDevice::MakeContextWithin(size_t most) {
  const std::optional<DriverMemory> before = card_->Ask();
  TRY(card_->MakeContext());
  const std::optional<DriverMemory> after = card_->Ask();
  size_t taken = 0;
  if (after && after->own) {
    taken = *after->own;
  } else if (before && after && before->free > after->free) {
    taken = before->free - after->free;  // or others took or gave back some meanwhile
  }
  if (taken < kLeastContext || taken > kMostContext) taken = kContext;
  context_ = taken + kModules;
  if (most < context_) {
    card_->DropContext();
    return Error{Stage::kCompute, Code::kOutOfMemory,
                 "the driver's context takes " + FormatByteSize(context_) + " by itself"};
  }
  if (after && most < after->total) {
    const double share = static_cast<double>(most - context_) / static_cast<double>(after->total);
    const std::optional<double> in_force = CapAllocator(share);
    capped_ = in_force && *in_force <= share;
  }
  return {};
}

size_t AcceleratorDevice::EmptyCache() noexcept {
  size_t given_back = 0;
  if (!awake_) return 0;
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
  if (!awake_) return {};
  return AtEdge(Stage::kCompute, [&]() -> Status {
    at::accelerator::synchronizeDevice(device_.index());
    return {};
  });
}

/// Sends a few numbers there and back.
Status AcceleratorDevice::TryOut() const {
  const c10::InferenceMode inference;
  const torch::Tensor sent = torch::arange(16, torch::kFloat32);
  if (!torch::equal(sent.to(device_).to(torch::kCPU), sent)) {
    return Error{Stage::kCompute, Code::kDeviceLost, name() + " gives back other values than it was sent"};
  }
  return {};
}

Status AcceleratorDevice::Canary() noexcept {
  if (!awake_) return {};
  Status alive = AtEdge(Stage::kCompute, [&] { return TryOut(); });
  if (alive || alive.error().code == Code::kOutOfMemory) return {};  // full is not lost
  Error error = alive.error();
  error.code = Code::kDeviceLost;
  return error;
}

}  // namespace imgmill
