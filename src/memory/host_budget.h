// How many bytes the process may hold, from what was asked and what the machine has.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/result.h"
#include "imgmill/memory/system_memory.h"

namespace imgmill {

/// Less room than this is not worth starting with: one photo of 0.3 megapixels needs about a megabyte.
inline constexpr size_t kLeastRoom = size_t{16} << 20;

/// What the decision is made from.
struct HostLimits {
  size_t asked = 0;  ///< --memory; 0 if it was not given
  SystemMemory system;
  ProcessMemory process;
  std::optional<CgroupMemory> cgroup;
  std::optional<size_t> address_space;  ///< RLIMIT_AS
};

struct HostBudget {
  size_t bytes = 0;
  std::string source;   ///< "--memory", "cgroup /sys/fs/...", "80 % of available memory", "ulimit -v"
  std::string warning;  ///< not empty if --memory was more than there is
};

/// The least of --memory, 80 % of what is available (beside what the process holds already), the cgroup's
/// limit less what others in the group hold, and what the address space limit leaves.
HostBudget DecideHostBudget(const HostLimits& limits);

/// What other processes, and addresses where they are limited, leave of a budget during the run.
class Pressure {
 public:
  /// `at_start`: what the budget was decided from.
  Pressure(const HostLimits& at_start, size_t budget);

  /// Bytes of the budget that cannot be had now. The machine is to keep a little available (2 %, but no more
  /// than a fifth of what was available at the start), the control group a little below its limit; what this
  /// process grows by itself changes neither.
  size_t Unavailable(const SystemMemory& system, const std::optional<CgroupMemory>& cgroup,
                     const ProcessMemory& process) const;

  /// Bytes of the budget that the limit of addresses alone takes away.
  size_t OfAddresses(const ProcessMemory& process) const;

 private:
  size_t budget_;
  std::optional<size_t> address_space_;
  size_t kept_available_;
};

/// Bytes kept back from admission out of `room` (the budget less what is fixed): they pay for one retry on
/// the CPU and for estimates that were a little short. The larger of 16 MiB and 5 % of the budget, but never
/// more than a quarter of the room, so that small budgets can work.
size_t ReserveFor(size_t budget, size_t room);

/// What an advised budget holds beyond the smallest that works now: which pages of the libraries are resident
/// differs from start to start.
inline constexpr size_t kStartsDiffer = 4 * kMiB;

/// The smallest budget, in whole MiB, that CheckBudget takes and under which a lease of `need` fits beside
/// `fixed` bytes, and kStartsDiffer more.
size_t SmallestBudgetFor(size_t need, size_t fixed);

/// kUsage if the budget leaves no room to work in beside what the process holds already. The budget that the
/// message names has room for a lease of `need`, too.
Status CheckBudget(const HostBudget& budget, size_t resident, size_t need = 0);

}  // namespace imgmill
