// Freed page runs of one pool: found by size for reuse, joined by address, unmapped on demand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace imgmill {

/// Bytes of a page of this machine.
size_t PageBytes();

/// Not thread-safe: the pool's lock guards it. Sizes and addresses are whole pages. Neighbours are joined
/// even if two calls of mmap made them, since munmap takes any range.
class FreeRuns {
 public:
  FreeRuns() = default;
  ~FreeRuns();
  FreeRuns(const FreeRuns&) = delete;
  FreeRuns& operator=(const FreeRuns&) = delete;

  /// The tail of the smallest run that has `bytes`; nullptr if none has.
  void* Take(size_t bytes) noexcept;

  /// Keeps a run for reuse. If there is no memory to note it in, it goes back to the kernel instead.
  /// @return bytes given back to the kernel, 0 as a rule
  size_t Put(void* run, size_t bytes) noexcept;

  /// Unmaps at least `bytes` if there are so many: the largest runs first, which takes the fewest calls.
  /// @return bytes given back to the kernel
  size_t Unmap(size_t bytes) noexcept;

  /// Bytes kept.
  size_t bytes() const noexcept { return bytes_; }

 private:
  using BySize = std::set<std::pair<size_t, uintptr_t>>;

  /// A run that could be neither noted nor unmapped; the list's links lie in the runs themselves.
  struct Stray {
    Stray* next;
    size_t bytes;
  };

  void Resize(std::map<uintptr_t, size_t>::iterator run, size_t bytes) noexcept;
  void Drop(std::map<uintptr_t, size_t>::iterator run) noexcept;
  size_t UnmapStrays() noexcept;

  std::map<uintptr_t, size_t> by_address_;
  BySize by_size_;
  Stray* strays_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace imgmill
