// A card made of host memory, with all that makes a real one hard: a driver's context that takes memory of
// its own, a neighbour who takes and gives back, statistics that lie, and errors with texts of their own.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "imgmill/memory/device.h"

namespace imgmill::engine_test {

/// To the MemoryManager it is an accelerator: its memory is no part of the host's budget. Its pool hands out
/// what neither the neighbour nor the context has, and no more than Wake allows, as LibTorch's allocator
/// does.
class StandInCard final : public Device {
 public:
  struct Facts {
    size_t total = 0;
    size_t context = 0;    ///< what making the context takes
    size_t forecast = 0;   ///< what the driver is expected to take, before anyone has seen it
    bool tells = true;     ///< whether it says what is free
    size_t lie = 0;        ///< so much more than is free is said to be
    bool enforces = true;  ///< whether Wake's limit holds
  };

  StandInCard(std::string name, Facts facts) : facts_(facts), pool_(std::move(name), 0) {}

  std::string name() const override { return pool_.name(); }
  bool host_backed() const override { return false; }
  Pool* pool() override { return &pool_; }

  DeviceStats Stats() const override {
    const PoolStats pool = pool_.Stats();
    DeviceStats stats;
    stats.known = facts_.tells;
    stats.capped = facts_.enforces;
    stats.context = awake_ ? facts_.context : facts_.forecast;
    stats.allocated = pool.charged - pool.cached;
    stats.reserved = pool.charged;
    stats.peak_allocated = pool.peak_live;
    stats.peak_held = awake_ ? facts_.context + pool.peak_charged : 0;
    stats.total = facts_.total;
    const size_t taken = neighbour_ + pool.charged + (awake_ ? facts_.context : 0);
    stats.free = facts_.total - std::min(facts_.total, taken) + facts_.lie;
    stats.out_of_memory_count = pool.refusals;
    return stats;
  }
  void ResetPeak() override {}  // one run's peak is wanted here

  Status Wake(size_t most) noexcept override {
    ++wakings_;
    const std::lock_guard lock(mutex_);
    const size_t free = facts_.total - std::min(facts_.total, neighbour_.load());
    if (!wake_error_.empty()) return Error{Stage::kCompute, Code::kModelError, wake_error_};
    if (free < facts_.context || most < facts_.context)
      return Error{Stage::kCompute, Code::kOutOfMemory, "the context does not fit"};
    awake_ = true;
    most_ = facts_.enforces ? most : SIZE_MAX;
    Fit();
    return {};
  }
  size_t EmptyCache() noexcept override { return pool_.ClearCache(); }
  Status Synchronize() noexcept override { return {}; }
  Status Canary() noexcept override {
    if (lost_) return Error{Stage::kCompute, Code::kDeviceLost, "an illegal memory access was encountered"};
    return {};
  }

  /// The neighbour holds so much from now on, as far as it is free.
  void SetNeighbour(size_t bytes) {
    const std::lock_guard lock(mutex_);
    neighbour_ = bytes;
    Fit();
  }
  void SetWakeError(std::string text) {
    const std::lock_guard lock(mutex_);
    wake_error_ = std::move(text);
  }
  void Lose() { lost_ = true; }
  int wakings() const { return wakings_; }
  bool awake() const { return awake_; }

 private:
  void Fit() {
    if (!awake_) return;
    const size_t others = neighbour_ + facts_.context;
    pool_.SetCap(
        std::min(facts_.total - std::min(facts_.total, others), most_ - std::min(most_, facts_.context)));
  }

  const Facts facts_;
  Pool pool_;
  std::mutex mutex_;
  size_t most_ = 0;
  std::string wake_error_;
  std::atomic<size_t> neighbour_{0};
  std::atomic<bool> awake_{false};
  std::atomic<bool> lost_{false};
  std::atomic<int> wakings_{0};
};

}  // namespace imgmill::engine_test
