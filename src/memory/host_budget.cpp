// The budget's arithmetic.
#include "memory/host_budget.h"

#include <algorithm>

#include "base/usage_error.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/memory/memory_flag.h"

namespace imgmill {
namespace {

/// Address space of the threads to come (their stacks) and of libraries that formats load when they are met.
constexpr size_t kMappedLater = 20 * kMiB;
/// What of it is always left free, for stacks.
constexpr size_t kUnmapped = 8 * kMiB;

size_t Less(size_t from, size_t what) {
  return from - std::min(from, what);
}

/// A group's limit counts more than our pages: page tables, socket buffers, dirty file pages of our output.
size_t KernelShare(size_t limit) {
  return std::max(4 * kMiB, limit / 50);
}

/// What the other processes of a group hold. File pages are nobody's, in use or not: the kernel drops them
/// when it must, and those that an earlier run has read would otherwise be missing in the budget of the next.
/// Ours are resident all the same.
size_t OthersIn(const CgroupMemory& group, const ProcessMemory& process) {
  return Less(group.anonymous, Less(process.resident, process.file_backed));
}

}  // namespace

HostBudget DecideHostBudget(const HostLimits& limits) {
  const size_t resident = limits.process.resident;
  HostBudget budget;
  budget.bytes = limits.system.available / 10 * 8 + resident;
  budget.source = "80 % of available memory";
  const auto lower = [&budget](size_t bytes, const std::string& source) {
    if (bytes >= budget.bytes) return;
    budget.bytes = bytes;
    budget.source = source;
  };
  if (limits.cgroup) {
    const size_t others = OthersIn(*limits.cgroup, limits.process);
    const size_t limit = limits.cgroup->limit;
    lower(Less(limit, others + KernelShare(limit)), "cgroup " + limits.cgroup->path);
  }
  if (limits.address_space) {
    // Mapped but never touched pages count against the address space, not against us.
    const size_t untouched = Less(limits.process.address_space, resident);
    lower(Less(*limits.address_space, untouched + kMappedLater), "ulimit -v");
  }
  if (limits.asked == 0) return budget;
  if (limits.asked <= budget.bytes) {
    budget.bytes = limits.asked;
    budget.source = "--memory";
  } else {
    budget.warning = "--memory " + FormatByteSize(limits.asked) + " is more than is available: lowered to " +
                     FormatByteSize(budget.bytes) + " (" + budget.source + ")";
  }
  return budget;
}

Pressure::Pressure(const HostLimits& at_start, size_t budget)
    : budget_(budget),
      address_space_(at_start.address_space),
      kept_available_(
          std::min(at_start.system.available / 5, std::max(64 * kMiB, at_start.system.total / 50))) {}

size_t Pressure::Unavailable(const SystemMemory& system, const std::optional<CgroupMemory>& cgroup,
                             const ProcessMemory& process) const {
  size_t allowed = Less(process.resident + system.available, kept_available_);
  if (cgroup) {
    const size_t others = OthersIn(*cgroup, process);
    allowed = std::min(allowed, Less(cgroup->limit, others + KernelShare(cgroup->limit)));
  }
  return std::max(Less(budget_, allowed), OfAddresses(process));
}

size_t Pressure::OfAddresses(const ProcessMemory& process) const {
  if (!address_space_) return 0;
  // Libraries that were loaded since, LibTorch above all, map several times what they hold.
  const size_t untouched = Less(process.address_space, process.resident);
  return Less(budget_, Less(*address_space_, untouched + kUnmapped));
}

size_t ReserveFor(size_t budget, size_t room) {
  return std::min(std::max(16 * kMiB, budget / 20), room / 4);
}

size_t SmallestBudgetFor(size_t need, size_t fixed) {
  const auto enough = [&](size_t budget) {
    const size_t room = Less(budget, fixed);
    return room - ReserveFor(budget, room) >= need;
  };
  // A third more than the need and 16 MiB is always enough, since the reserve is at most a quarter.
  size_t low = (need + fixed) / kMiB;
  size_t high = (need + need / 3 + fixed) / kMiB + 2;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (enough(middle * kMiB)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  const size_t least = (fixed + kLeastRoom + kMiB - 1) / kMiB;  // CheckBudget refuses less
  return std::max(low, least) * kMiB + kStartsDiffer;
}

Status CheckBudget(const HostBudget& budget, size_t resident, size_t need) {
  if (budget.bytes >= resident + kLeastRoom) return {};
  const size_t smallest = SmallestBudgetFor(need, resident);
  std::string message = "a memory budget of " + FormatByteSize(budget.bytes) + " (" + budget.source +
                        ") is too small: the process already holds " + FormatByteSize(resident) + "; ";
  message += budget.source == "--memory" ? "about the smallest that works is " + MemoryFlag(smallest)
                                         : "it needs about " + FormatByteSize(smallest);
  return UsageError(message);
}

std::string MemoryFlag(size_t bytes) {
  return "--memory " + std::to_string((bytes + kMiB - 1) / kMiB) + "MiB";
}

}  // namespace imgmill
