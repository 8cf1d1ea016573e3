// Resets VmHWM by writing 5 to /proc/self/clear_refs (proc(5)), and reads it again.
#include "memory/exact_peak.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "imgmill/memory/pool.h"
#include "imgmill/memory/system_memory.h"
#include "memory/malloc_settings.h"

namespace imgmill {
namespace {

bool ResetPeak() {
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool reset = write(file, "5", 1) == 1;
  close(file);
  return reset;
}

}  // namespace

ExactPeak::ExactPeak(bool wanted, std::atomic<int>& at_work) : at_work_(at_work) {
  if (!wanted || at_work_ != 1) return;
  HostPool().ClearCache();
  TrimMalloc();
  before_ = ReadProcessMemory().resident;
  alone_ = ResetPeak();
}

size_t ExactPeak::Growth() const {
  if (!alone_ || at_work_ != 1) return 0;
  const size_t peak = ReadProcessMemory().peak_resident;
  return peak - std::min(peak, before_);
}

}  // namespace imgmill
