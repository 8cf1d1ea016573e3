// The pool's accounting: every byte that blocks or freed runs hold is charged, the cap is checked before any
// is taken, and the cache is kept in proportion to what is used.
#include "imgmill/memory/pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

#include "imgmill/base/byte_size.h"
#include "imgmill/memory/out_of_memory.h"
#include "memory/free_runs.h"
#include "memory/recent_peak.h"
#include "memory/refusal_notes.h"
#include "memory/refusal_plan.h"

namespace imgmill {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHeaderBytes = 64;
/// Below this a block comes from malloc: a page run would waste too much of its last page.
constexpr size_t kSmallestRun = 32 * kKiB;
/// From here on a run is likely to hold whole huge pages (2 MiB) whatever its alignment.
constexpr size_t kHugeRun = 4 * kMiB;
/// malloc aligns to 16; this much more lets any block be moved up to 64.
constexpr size_t kSmallOverhead = kHeaderBytes + kAlignment - 16;
/// How often a patient thread asks the kernel, a millisecond longer apart each time.
constexpr int kPatientTries = 8;
constexpr uint64_t kInUse = 0x6b636f6c626d696c;
constexpr uint64_t kFreed = 0x6465657266626d69;

size_t RoundUp(size_t bytes, size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

struct Pool::Impl {
  /// Lies in the 64 bytes before each block, so that Free needs no look-up.
  struct Header {
    Impl* owner;
    size_t requested;
    size_t charged;  ///< all of the block's bytes: whole pages, or what malloc was asked for
    void* origin;    ///< where its memory starts
    bool is_run;
    uint64_t mark;
  };
  static_assert(sizeof(Header) <= kHeaderBytes);

  std::string name;
  mutable std::mutex mutex;
  PoolStats stats;
  FreeRuns free_runs;
  RecentPeak recent_in_use;
  RefusalPlan refusals;
  bool orphaned = false;

  size_t InUse() const { return stats.charged - stats.cached; }

  [[noreturn]] void Refuse(std::unique_lock<std::mutex>& lock, size_t requested) {
    ++stats.refusals;
    NoteRefusal(requested <= SIZE_MAX / 2 && FitsCap(RoundUp(requested, PageBytes())));
    const size_t charged = stats.charged;
    const size_t cap = stats.cap;
    lock.unlock();
    throw OutOfMemory(name, requested, charged, cap);
  }

  /// Gives cached pages back to the kernel, the accounts included.
  size_t Unmap(size_t bytes) {
    const size_t unmapped = free_runs.Unmap(bytes);
    stats.charged -= unmapped;
    stats.cached = free_runs.bytes();
    return unmapped;
  }

  bool FitsCap(size_t bytes) const {
    return stats.charged <= stats.cap && bytes <= stats.cap - stats.charged;
  }

  /// Makes the cap allow `bytes` more, at the cache's expense. @return whether it does
  bool MakeRoom(size_t bytes) {
    if (!FitsCap(bytes) && stats.cached > 0) {
      // No sum of charged and bytes: either may be close to SIZE_MAX.
      const size_t room = stats.charged < stats.cap ? stats.cap - stats.charged : 0;
      Unmap(bytes - std::min(bytes, room) + (stats.charged > stats.cap ? stats.charged - stats.cap : 0));
    }
    return FitsCap(bytes);
  }

  /// Gives up freed runs as far as the pool, grown by `bytes`, would hold more than its recent work needs.
  /// Asked before it grows, and when a peak may have been forgotten. A quarter above the peak leaves best fit
  /// its play: with none, random sizes are 2 to 8 times slower (bench/pool_perftest), with more, hardly
  /// faster.
  void KeepThrift(size_t bytes) {
    const size_t peak = std::max(recent_in_use.value(), InUse() + bytes);
    const size_t allowance = peak + peak / 4 + 8 * kMiB;
    if (stats.charged + bytes > allowance) Unmap(stats.charged + bytes - allowance);
  }

  void* NewRun(size_t bytes) {
    if (!MakeRoom(bytes)) return nullptr;
    KeepThrift(bytes);
    void* run = MAP_FAILED;
    for (int attempt = 0; attempt < 2 && run == MAP_FAILED; ++attempt) {
      run = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      ++stats.maps;
      // The kernel's refusal (RLIMIT_AS, overcommit) may be over what we keep ourselves.
      if (run == MAP_FAILED && Unmap(SIZE_MAX) == 0) break;
    }
    if (run == MAP_FAILED) return nullptr;
    // Advice only, a kernel without huge pages says no. One fault instead of 512: a first write to a new run
    // is two to four times faster, and what is resident stays within what is charged.
    if (bytes >= kHugeRun) madvise(run, bytes, MADV_HUGEPAGE);
    stats.charged += bytes;
    return run;
  }

  void* AllocateRun(size_t requested) {
    std::unique_lock lock(mutex);
    if (refusals.Next() || requested > SIZE_MAX / 2) Refuse(lock, requested);
    const size_t bytes = RoundUp(requested + kHeaderBytes, PageBytes());
    void* run = free_runs.Take(bytes);
    if (run == nullptr) run = NewRun(bytes);
    if (run == nullptr) Refuse(lock, requested);
    stats.cached = free_runs.bytes();
    if (recent_in_use.Note(InUse())) KeepThrift(0);
    CountNew(requested);
    lock.unlock();
    return Label(run, static_cast<uint8_t*>(run), requested, bytes, true);
  }

  void* AllocateSmall(size_t requested) {
    const size_t bytes = requested + kSmallOverhead;
    {
      std::unique_lock lock(mutex);
      if (refusals.Next() || !MakeRoom(bytes)) Refuse(lock, requested);
      stats.charged += bytes;
      CountNew(requested);
    }
    void* memory = std::malloc(bytes);
    if (memory == nullptr) memory = RetrySmall(requested, bytes);
    const auto address = reinterpret_cast<uintptr_t>(memory);
    return Label(memory, reinterpret_cast<uint8_t*>(RoundUp(address, kAlignment)), requested, bytes, false);
  }

  /// malloc said no: once more without our cache, then the charge is undone and the block refused.
  void* RetrySmall(size_t requested, size_t bytes) {
    std::unique_lock lock(mutex);
    Unmap(SIZE_MAX);
    void* memory = std::malloc(bytes);
    if (memory == nullptr) {
      stats.charged -= bytes;
      stats.live -= requested;
      --stats.allocations;
      Refuse(lock, requested);
    }
    return memory;
  }

  void CountNew(size_t requested) {
    ++stats.allocations;
    stats.live += requested;
    stats.peak_live = std::max(stats.peak_live, stats.live);
    stats.peak_charged = std::max(stats.peak_charged, stats.charged);
  }

  void* Label(void* origin, uint8_t* header, size_t requested, size_t charged, bool is_run) {
    new (header) Header{this, requested, charged, origin, is_run, kInUse};
    PoolMeter::Count(static_cast<int64_t>(charged));
    return header + kHeaderBytes;
  }

  void TakeBack(Header* header) noexcept {
    header->mark = kFreed;
    const size_t charged = header->charged;
    PoolMeter::Count(-static_cast<int64_t>(charged));
    bool last_of_orphan = false;
    void* const small = header->is_run ? nullptr : header->origin;
    {
      std::lock_guard lock(mutex);
      stats.live -= header->requested;
      ++stats.frees;
      if (header->is_run) {
        stats.charged -= free_runs.Put(header->origin, charged);
        stats.cached = free_runs.bytes();
      } else {
        stats.charged -= charged;
      }
      last_of_orphan = orphaned && stats.frees == stats.allocations;
    }
    std::free(small);
    if (last_of_orphan) delete this;
  }
};

Pool::Pool(std::string name, size_t cap) : impl_(std::make_unique<Impl>()) {
  impl_->name = std::move(name);
  impl_->stats.cap = cap;
}

Pool::~Pool() {
  std::unique_lock lock(impl_->mutex);
  if (impl_->stats.frees == impl_->stats.allocations) {
    lock.unlock();
    return;
  }
  // A block outlives its pool (a tensor in a static, say): the accounts stay until the last one is freed.
  impl_->orphaned = true;
  impl_->Unmap(SIZE_MAX);
  lock.unlock();
  impl_.release();
}

void* Pool::Allocate(size_t bytes) {
  for (int tries = 1;; ++tries) {
    const uint64_t by_kernel = RefusalsOfThisThread().within_cap;
    try {
      return bytes < kSmallestRun ? impl_->AllocateSmall(bytes) : impl_->AllocateRun(bytes);
    } catch (const OutOfMemory&) {
      const bool again = PatienceScope::IsOn() && RefusalsOfThisThread().within_cap > by_kernel;
      if (!again || tries == kPatientTries) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(tries));
  }
}

void Pool::Free(void* block) noexcept {
  if (block == nullptr) return;
  auto* const header = reinterpret_cast<Impl::Header*>(static_cast<uint8_t*>(block) - kHeaderBytes);
  if (header->mark != kInUse) {
    std::fprintf(stderr, "imgmill: %s block %p given to Pool::Free\n",
                 header->mark == kFreed ? "an already freed" : "a foreign or damaged", block);
    std::abort();
  }
  header->owner->TakeBack(header);
}

size_t Pool::ClearCache() noexcept {
  const auto start = std::chrono::steady_clock::now();
  std::lock_guard lock(impl_->mutex);
  const size_t unmapped = impl_->Unmap(SIZE_MAX);
  ++impl_->stats.clears;
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  impl_->stats.clear_ms += spent.count();
  return unmapped;
}

void Pool::SetCap(size_t bytes) {
  std::lock_guard lock(impl_->mutex);
  impl_->stats.cap = bytes;
  if (impl_->stats.charged > bytes) impl_->Unmap(impl_->stats.charged - bytes);
}

PoolStats Pool::Stats() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->stats;
}

void Pool::ResetPeak() {
  std::lock_guard lock(impl_->mutex);
  impl_->stats.peak_charged = impl_->stats.charged;
  impl_->stats.peak_live = impl_->stats.live;
}

const std::string& Pool::name() const noexcept {
  return impl_->name;
}

void Pool::RefuseAllocation(uint64_t k, uint64_t count) {
  std::lock_guard lock(impl_->mutex);
  impl_->refusals.Kth(k, count);
}

void Pool::RefuseAtRandom(double probability, uint64_t seed) {
  std::lock_guard lock(impl_->mutex);
  impl_->refusals.Random(probability, seed);
}

}  // namespace imgmill
