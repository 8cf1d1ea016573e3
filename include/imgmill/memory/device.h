// What a compute device is to the MemoryManager: numbers about its memory and a few levers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/memory/pool.h"

namespace imgmill {

/// Bytes unless it counts something.
struct DeviceStats {
  size_t allocated = 0;  ///< by live tensors
  size_t reserved = 0;   ///< held by the allocator, live or cached
  size_t free = 0;       ///< as the driver says; for a host-backed device its budget less what is charged
  size_t total = 0;
  size_t peak_allocated = 0;  ///< since the last ResetPeak
  /// What the driver's context takes for this process in addition to `reserved`; until the device is woken,
  /// what it will take.
  size_t context = 0;
  size_t peak_held = 0;  ///< most that this process ever held there at once: `reserved` and `context`
  uint64_t out_of_memory_count = 0;
  bool known = true;  ///< false where the backend cannot tell: conservative defaults apply
  /// Whether more than the budget is refused where memory is handed out, once the device is awake.
  bool capped = true;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;  ///< "cpu:0", "cuda:1"
  /// True for host-backed devices: their memory is the host's, under a budget of their own.
  virtual bool host_backed() const = 0;
  virtual DeviceStats Stats() const = 0;
  virtual void ResetPeak() = 0;
  /// Makes it ready for work: creates the driver's context, and ensures that no more than `most` bytes are
  /// held there in total, context included, whatever requests them. Until then it holds nothing. May be tried
  /// again after an error: kOutOfMemory where the context does not fit, any other code where there is none.
  virtual Status Wake(size_t /*most*/) noexcept { return {}; }
  /// @return bytes given back
  virtual size_t EmptyCache() noexcept = 0;
  virtual Status Synchronize() noexcept = 0;
  /// Allocates and frees a few bytes. An error means that the device is lost, not that it is full.
  virtual Status Canary() noexcept = 0;
  /// The pool that a device made of host memory allocates from; nullptr otherwise.
  virtual Pool* pool() { return nullptr; }
};

/// A device made of host memory with its own cap: exhaustion and loss can be tested anywhere.
class HostBackedDevice final : public Device {
 public:
  HostBackedDevice(std::string name, size_t cap);
  std::string name() const override;
  bool host_backed() const override { return true; }
  DeviceStats Stats() const override;
  void ResetPeak() override;
  size_t EmptyCache() noexcept override;
  Status Synchronize() noexcept override;
  Status Canary() noexcept override;
  Pool* pool() override { return &pool_; }

  /// For tests: from now on the canary fails, as on a GPU that fell off the bus.
  void Lose();

 private:
  Pool pool_;
  std::atomic<bool> lost_{false};
};

/// The host itself, seen as a device: its memory is the host pool's, it is never lost.
std::unique_ptr<Device> MakeHostDevice(std::string name);

}  // namespace imgmill
