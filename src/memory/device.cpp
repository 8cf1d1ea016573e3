// Devices in host memory: the host itself, and parts of it with a pool, a cap and a switch that breaks them.
#include "imgmill/memory/device.h"

#include <algorithm>
#include <utility>

#include "imgmill/memory/out_of_memory.h"

namespace imgmill {

HostBackedDevice::HostBackedDevice(std::string name, size_t cap) : pool_(std::move(name), cap) {}

std::string HostBackedDevice::name() const {
  return pool_.name();
}

namespace {

DeviceStats StatsOf(const Pool& of) {
  const PoolStats pool = of.Stats();
  DeviceStats stats;
  stats.allocated = pool.charged - pool.cached;
  stats.reserved = pool.charged;
  stats.free = pool.cap - std::min(pool.cap, pool.charged);
  stats.total = pool.cap;
  stats.peak_allocated = pool.peak_live;
  stats.peak_held = pool.peak_charged;
  stats.out_of_memory_count = pool.refusals;
  return stats;
}

}  // namespace

DeviceStats HostBackedDevice::Stats() const {
  return StatsOf(pool_);
}

void HostBackedDevice::ResetPeak() {
  pool_.ResetPeak();
}

size_t HostBackedDevice::EmptyCache() noexcept {
  return pool_.ClearCache();
}

Status HostBackedDevice::Synchronize() noexcept {
  return {};
}

Status HostBackedDevice::Canary() noexcept {
  if (lost_.load()) return Error{Stage::kCompute, Code::kDeviceLost, pool_.name() + " no longer answers"};
  try {
    Pool::Free(pool_.Allocate(64));
  } catch (const std::bad_alloc&) {
    // Full is not lost: the canary only asks whether the device answers.
  }
  return {};
}

void HostBackedDevice::Lose() {
  lost_.store(true);
}

namespace {

class HostDevice final : public Device {
 public:
  explicit HostDevice(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  bool host_backed() const override { return true; }
  DeviceStats Stats() const override { return StatsOf(HostPool()); }
  void ResetPeak() override { HostPool().ResetPeak(); }
  size_t EmptyCache() noexcept override { return HostPool().ClearCache(); }
  Status Synchronize() noexcept override { return {}; }  // CPU work is done when its call returns
  Status Canary() noexcept override { return {}; }       // whoever asks is running on it
  Pool* pool() override { return &HostPool(); }

 private:
  const std::string name_;
};

}  // namespace

std::unique_ptr<Device> MakeHostDevice(std::string name) {
  return std::make_unique<HostDevice>(std::move(name));
}

}  // namespace imgmill
