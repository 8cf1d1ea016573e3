// Best fit with splitting and joining over freed page runs. Only noting an isolated run needs memory of its
// own; taking, splitting, joining and unmapping move nodes that exist already, so they cannot fail.
#include "memory/free_runs.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <new>

namespace imgmill {

size_t PageBytes() {
  static const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

FreeRuns::~FreeRuns() {
  Unmap(SIZE_MAX);
}

void* FreeRuns::Take(size_t bytes) noexcept {
  const auto fit = by_size_.lower_bound({bytes, 0});
  if (fit == by_size_.end()) return nullptr;
  const auto run = by_address_.find(fit->second);
  const size_t rest = run->second - bytes;
  // The tail is taken, so that what remains keeps its address and with it its node.
  const uintptr_t taken = run->first + rest;
  if (rest == 0) {
    Drop(run);
  } else {
    Resize(run, rest);
  }
  bytes_ -= bytes;
  return reinterpret_cast<void*>(taken);
}

size_t FreeRuns::Put(void* start, size_t bytes) noexcept {
  const auto address = reinterpret_cast<uintptr_t>(start);
  bytes_ += bytes;
  const auto next = by_address_.lower_bound(address);
  const bool joins_next = next != by_address_.end() && address + bytes == next->first;
  if (next != by_address_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == address) {
      size_t joined = previous->second + bytes;
      if (joins_next) {
        joined += next->second;
        Drop(next);
      }
      Resize(previous, joined);
      return 0;
    }
  }
  if (joins_next) {
    const size_t joined = next->second + bytes;
    auto size_node = by_size_.extract({next->second, next->first});
    auto node = by_address_.extract(next);
    node.key() = address;
    node.mapped() = joined;
    by_address_.insert(std::move(node));
    size_node.value() = {joined, address};
    by_size_.insert(std::move(size_node));
    return 0;
  }
  try {
    const auto noted = by_address_.emplace_hint(next, address, bytes);
    try {
      by_size_.emplace(bytes, address);
      return 0;
    } catch (const std::bad_alloc&) {
      by_address_.erase(noted);
    }
  } catch (const std::bad_alloc&) {
    // Falls through: a run that cannot be noted is given back.
  }
  if (munmap(start, bytes) == 0) {
    bytes_ -= bytes;
    return bytes;
  }
  strays_ = new (start) Stray{strays_, bytes};
  return 0;
}

size_t FreeRuns::Unmap(size_t bytes) noexcept {
  size_t unmapped = UnmapStrays();
  auto largest = by_size_.end();
  while (unmapped < bytes && largest != by_size_.begin()) {
    --largest;
    const auto [size, address] = *largest;
    const size_t wanted = bytes - unmapped;
    const size_t part = wanted >= size ? size : (wanted + PageBytes() - 1) / PageBytes() * PageBytes();
    if (munmap(reinterpret_cast<void*>(address + size - part), part) != 0) {
      // Too many mappings (vm.max_map_count): the range stays mapped and charged, but holds no memory.
      madvise(reinterpret_cast<void*>(address), size, MADV_DONTNEED);
      continue;
    }
    unmapped += part;
    bytes_ -= part;
    const auto run = by_address_.find(address);
    if (part == size) {
      Drop(run);
    } else {
      Resize(run, size - part);
    }
    largest = by_size_.end();
  }
  return unmapped;
}

void FreeRuns::Resize(std::map<uintptr_t, size_t>::iterator run, size_t bytes) noexcept {
  auto node = by_size_.extract({run->second, run->first});
  node.value() = {bytes, run->first};
  by_size_.insert(std::move(node));
  run->second = bytes;
}

void FreeRuns::Drop(std::map<uintptr_t, size_t>::iterator run) noexcept {
  by_size_.erase({run->second, run->first});
  by_address_.erase(run);
}

size_t FreeRuns::UnmapStrays() noexcept {
  size_t unmapped = 0;
  Stray* kept = nullptr;
  while (strays_ != nullptr) {
    Stray* const stray = strays_;
    strays_ = stray->next;
    const size_t bytes = stray->bytes;
    if (munmap(stray, bytes) == 0) {
      unmapped += bytes;
      bytes_ -= bytes;
    } else {
      stray->next = kept;
      kept = stray;
    }
  }
  strays_ = kept;
  return unmapped;
}

}  // namespace imgmill
