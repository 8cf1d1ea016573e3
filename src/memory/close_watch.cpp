// Polls /proc/self/statm.
#include "memory/close_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "imgmill/memory/pool.h"
#include "imgmill/memory/system_memory.h"
#include "memory/malloc_settings.h"
#include "memory/proc_file.h"

namespace imgmill {
namespace {

constexpr std::chrono::microseconds kPeriod{50};

size_t Beside(size_t resident, size_t pooled) {
  return resident - std::min(resident, pooled);
}

}  // namespace

CloseWatch::CloseWatch(std::function<size_t()> pooled) : pooled_(std::move(pooled)) {
  HostPool().ClearCache();
  TrimMalloc();
  std::atomic<bool> started{false};
  thread_ = std::thread([this, &started] {
    started = true;
    started.notify_one();
    Watch();
  });
  started.wait(false);  // its stack is resident now
  const ProcessMemory now = ReadProcessMemory();
  before_ = now.resident;
  level_before_ = Beside(now.resident, pooled_ ? pooled_() : 0);
  mark_before_ = now.peak_resident;
}

void CloseWatch::Watch() {
  const ResidentReader resident;
  while (!stopping_.load(std::memory_order_relaxed)) {
    // Asked before and after, as a block may come or go meanwhile.
    const size_t pooled = pooled_ ? pooled_() : 0;
    const size_t now = resident.Read();
    peak_ = std::max(peak_.load(), Beside(now, pooled_ ? std::max(pooled, pooled_()) : 0));
    std::this_thread::sleep_for(kPeriod);
  }
}

CloseWatch::~CloseWatch() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  thread_.join();
}

size_t CloseWatch::Growth() {
  stopping_ = true;
  thread_.join();
  size_t peak = peak_;
  const size_t mark = ReadProcessMemory().peak_resident;
  if (mark > mark_before_ && !pooled_) peak = std::max(peak, mark);
  return peak - std::min(peak, level_before_);
}

}  // namespace imgmill
