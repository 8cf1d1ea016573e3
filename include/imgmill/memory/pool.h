// A pool: an allocator over mmap'd pages that charges what the process holds, refuses beyond its cap, and can
// be emptied. The host has one; each host-backed device (`cpu:0`) has one of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace imgmill {

/// Numbers of one pool, all in bytes unless they count something.
struct PoolStats {
  size_t cap = 0;  ///< more than this is never charged
  size_t charged =
      0;            ///< pages mapped for blocks, in use or cached, plus small blocks: what the process holds
  size_t live = 0;  ///< blocks in use, as they were asked for
  size_t cached = 0;         ///< freed pages kept for reuse; part of `charged`
  size_t peak_charged = 0;   ///< highest `charged` since the start or ResetPeak
  size_t peak_live = 0;      ///< highest `live` since the start or ResetPeak
  uint64_t allocations = 0;  ///< blocks handed out
  uint64_t frees = 0;        ///< blocks given back
  uint64_t refusals = 0;     ///< allocations that threw OutOfMemory
  uint64_t maps = 0;         ///< calls of mmap
  uint64_t clears = 0;       ///< calls of ClearCache
  double clear_ms = 0;       ///< time spent in them
};

/// Thread-safe. Blocks are 64-byte aligned. Blocks under 32 KiB come from malloc (and are charged as live);
/// larger ones are whole pages, best fit among freed page runs, split and coalesced, so that a freed block
/// serves any smaller one and little is charged beyond what is live.
class Pool {
 public:
  Pool(std::string name, size_t cap);
  ~Pool();  ///< All blocks must have been freed.
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// A block of `bytes`, uninitialised. Empties the cache before it refuses.
  /// @throws OutOfMemory if the cap (or the kernel) does not allow it. 0 bytes gives a valid block.
  void* Allocate(size_t bytes);

  /// Gives a block back to the pool it came from, whichever that is. nullptr is fine.
  static void Free(void* block) noexcept;

  /// Unmaps all freed pages. @return bytes given back to the kernel.
  size_t ClearCache() noexcept;

  /// A new cap; trims the cache when more than that is charged. Live blocks are never taken away.
  void SetCap(size_t bytes);

  PoolStats Stats() const;
  void ResetPeak();
  const std::string& name() const noexcept;

  /// For tests: from now on, refuse the k-th allocation (1 is the next) and the `count - 1` after it.
  /// 0 switches this off.
  void RefuseAllocation(uint64_t k, uint64_t count = 1);
  /// For tests: refuse each allocation with this probability, from a seeded generator. 0 switches this off.
  void RefuseAtRandom(double probability, uint64_t seed);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The pool that allocations of this thread are charged to: the host's, unless a PoolScope says otherwise.
/// cv::Mat, image buffers and LibTorch's CPU tensors all ask this.
Pool& CurrentPool();

/// While it lives, allocations of this thread are charged to `pool` (the pool of a host-backed device).
class PoolScope {
 public:
  explicit PoolScope(Pool& pool);
  ~PoolScope();
  PoolScope(const PoolScope&) = delete;
  PoolScope& operator=(const PoolScope&) = delete;

 private:
  Pool* previous_;
};

/// While it lives, counts what this thread takes from pools and gives back to them. May be nested; the outer
/// ones count along.
class PoolMeter {
 public:
  PoolMeter();
  ~PoolMeter();
  PoolMeter(const PoolMeter&) = delete;
  PoolMeter& operator=(const PoolMeter&) = delete;

  /// Most bytes held at once since the start, whole pages as the pools charge them.
  size_t peak() const { return peak_; }

  /// For pools: tells the thread's meters. `bytes` is negative for what is given back.
  static void Count(int64_t bytes) noexcept;

 private:
  PoolMeter* outer_;
  int64_t held_ = 0;
  size_t peak_ = 0;
};

/// The host's pool: exists from first use to the end of the process, uncapped until a MemoryManager sets its
/// cap.
Pool& HostPool();

/// An owned, uninitialised, 64-byte aligned run of bytes from a pool.
class Buffer {
 public:
  Buffer() = default;
  /// @throws OutOfMemory
  explicit Buffer(size_t bytes) : Buffer(CurrentPool(), bytes) {}
  Buffer(Pool& pool, size_t bytes) : data_(static_cast<uint8_t*>(pool.Allocate(bytes))), size_(bytes) {}

  uint8_t* data() noexcept { return data_.get(); }
  const uint8_t* data() const noexcept { return data_.get(); }
  size_t size() const noexcept { return size_; }
  explicit operator bool() const noexcept { return data_ != nullptr; }

 private:
  struct Freer {
    void operator()(uint8_t* block) const noexcept { Pool::Free(block); }
  };
  std::unique_ptr<uint8_t, Freer> data_;
  size_t size_ = 0;
};

}  // namespace imgmill
