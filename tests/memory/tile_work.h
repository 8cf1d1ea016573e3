// Work for the ladder to run: tiles of a known size, on a device of a known cap, counted as they are done.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "imgmill/memory/ladder.h"
#include "imgmill/memory/out_of_memory.h"
#include "memory_fixture.h"

namespace imgmill::memory_test {

/// Items of tile x tile x `bytes_per_pixel` bytes, a micro-batch at a time, all of a batch held at once.
/// Counts how often each item was computed.
class TileWork : public LadderWork {
 public:
  TileWork(MemoryManager& manager, int items, int micro_batch, int tile, size_t bytes_per_pixel)
      : computed_(static_cast<size_t>(items)),
        manager_(manager),
        micro_batch_(micro_batch),
        tile_(tile),
        bytes_per_pixel_(bytes_per_pixel) {}

  Status Run(const Attempt& attempt) override {
    attempts.push_back(attempt);
    if (before) before(attempt);
    Pool* const pool =
        attempt.place.IsDevice() ? manager_.device(attempt.place.device()).pool() : &HostPool();
    const PoolScope scope(*pool);
    while (finished_ < computed_.size()) {
      const size_t batch = std::min(static_cast<size_t>(attempt.micro_batch), computed_.size() - finished_);
      const auto side = static_cast<size_t>(attempt.tile == 0 ? tile_if_untiled : attempt.tile);
      std::vector<Buffer> held;
      try {
        for (size_t i = 0; i < batch; ++i) {
          held.emplace_back(side * side * bytes_per_pixel_);
          held.back().data()[0] = 1;
        }
      } catch (const OutOfMemory&) {
        if (refused) refused();
        throw;
      }
      if (while_held) while_held();
      for (size_t i = 0; i < batch; ++i) ++computed_[finished_ + i];
      finished_ += batch;
    }
    return {};
  }
  void LetGo() override { let_go_after.push_back(attempts.size()); }
  int planned_micro_batch() const override { return micro_batch_; }
  int planned_tile() const override { return tile_; }
  int smallest_tile() const override { return smallest; }
  bool has_cpu_rung() const override { return cpu_rung; }

  bool EachOnce() const {
    return std::all_of(computed_.begin(), computed_.end(), [](int times) { return times == 1; });
  }
  size_t finished() const { return finished_; }

  int smallest = 0;
  bool cpu_rung = true;
  int tile_if_untiled = 1024;
  std::function<void(const Attempt&)> before;
  std::function<void()> refused;
  std::function<void()> while_held;
  std::vector<Attempt> attempts;
  std::vector<size_t> let_go_after;  ///< attempts that were made before each LetGo

 private:
  std::vector<int> computed_;
  MemoryManager& manager_;
  const int micro_batch_;
  const int tile_;
  const size_t bytes_per_pixel_;
  size_t finished_ = 0;
};

/// A manager with 256 MiB of room and one device of its own memory.
struct OneDevice {
  explicit OneDevice(size_t cap) : manager(MustCreate(WithRoom(256 * kMiB))) {
    auto owned = std::make_unique<HostBackedDevice>("cpu:0", cap);
    device = owned.get();
    manager->AddDevice(std::move(owned));
  }
  ~OneDevice() {
    const PoolStats stats = device->pool()->Stats();
    CHECK(stats.live == 0);
    CHECK(stats.allocations == stats.frees);
  }
  PoolStats pool() const { return device->pool()->Stats(); }

  std::unique_ptr<MemoryManager> manager;
  HostBackedDevice* device = nullptr;
  const StopFlag stop;
};

}  // namespace imgmill::memory_test
