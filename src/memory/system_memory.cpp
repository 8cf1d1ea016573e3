// Memory of the machine and of this process, as /proc tells it.
#include "imgmill/memory/system_memory.h"

#include <sys/resource.h>

#include "imgmill/base/byte_size.h"
#include "memory/proc_file.h"

namespace imgmill {

SystemMemory ReadSystemMemory() {
  const ProcFile file("/proc/meminfo");
  SystemMemory memory;
  memory.total = file.Number("MemTotal:").value_or(0) * kKiB;
  // MemAvailable exists since Linux 3.14; MemFree is a lower bound for it.
  memory.available = file.Number("MemAvailable:").value_or(file.Number("MemFree:").value_or(0)) * kKiB;
  return memory;
}

ProcessMemory ReadProcessMemory() {
  const ProcFile file("/proc/self/status");
  ProcessMemory memory;
  memory.resident = file.Number("VmRSS:").value_or(0) * kKiB;
  memory.peak_resident = file.Number("VmHWM:").value_or(0) * kKiB;
  memory.file_backed = file.Number("RssFile:").value_or(0) * kKiB;
  memory.address_space = file.Number("VmSize:").value_or(0) * kKiB;
  return memory;
}

std::optional<size_t> ReadAddressSpaceLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

}  // namespace imgmill
