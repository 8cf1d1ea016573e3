// Polls /proc/self/statm.
#include "memory/close_watch.h"

#include <algorithm>
#include <chrono>

#include "imgmill/memory/pool.h"
#include "imgmill/memory/system_memory.h"
#include "memory/malloc_settings.h"
#include "memory/proc_file.h"

namespace imgmill {
namespace {

constexpr std::chrono::microseconds kPeriod{50};

}  // namespace

CloseWatch::CloseWatch() {
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
  mark_before_ = now.peak_resident;
}

void CloseWatch::Watch() {
  const ResidentReader resident;
  while (!stopping_.load(std::memory_order_relaxed)) {
    peak_ = std::max(peak_.load(), resident.Read());
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
  if (const size_t mark = ReadProcessMemory().peak_resident; mark > mark_before_) peak = std::max(peak, mark);
  return peak - std::min(peak, before_);
}

}  // namespace imgmill
