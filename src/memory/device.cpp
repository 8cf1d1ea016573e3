// A device made of host memory: a pool with a cap, and a switch that breaks it.
#include "imgmill/memory/device.h"

#include <algorithm>
#include <utility>

#include "imgmill/memory/out_of_memory.h"

namespace imgmill {

HostBackedDevice::HostBackedDevice(std::string name, size_t cap) : pool_(std::move(name), cap) {}

std::string HostBackedDevice::name() const {
  return pool_.name();
}

DeviceStats HostBackedDevice::Stats() const {
  const PoolStats pool = pool_.Stats();
  DeviceStats stats;
  stats.allocated = pool.charged - pool.cached;
  stats.reserved = pool.charged;
  stats.free = pool.cap - std::min(pool.cap, pool.charged);
  stats.total = pool.cap;
  stats.peak_allocated = pool.peak_live;
  stats.out_of_memory_count = pool.refusals;
  return stats;
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

}  // namespace imgmill
