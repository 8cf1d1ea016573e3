// What the kernel says: memory of the machine, of the innermost cgroup that limits us, and of this process.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace imgmill {

struct SystemMemory {
  size_t total = 0;
  size_t available = 0;  ///< MemAvailable
};

/// The tightest limit among this process's cgroup and its parents, v2 (memory.max) or v1 (limit_in_bytes).
struct CgroupMemory {
  std::string path;  ///< folder of the group that has the limit
  int version = 2;
  size_t limit = 0;
  size_t used = 0;       ///< current usage less inactive file cache, which the kernel gives back by itself
  size_t anonymous = 0;  ///< current usage less all file cache
};

struct ProcessMemory {
  size_t resident = 0;       ///< VmRSS
  size_t peak_resident = 0;  ///< VmHWM
  size_t file_backed = 0;    ///< RssFile: libraries and mapped files
  size_t address_space = 0;  ///< VmSize, what RLIMIT_AS limits
};

SystemMemory ReadSystemMemory();
std::optional<CgroupMemory> ReadCgroupMemory();
ProcessMemory ReadProcessMemory();
/// RLIMIT_AS, if one is set.
std::optional<size_t> ReadAddressSpaceLimit();
/// Where the address space is limited: one malloc arena, small stacks for the threads to come, and some
/// addresses kept in reserve. To be called before the first of these threads.
void SpareAddressSpace();
/// Gives a MiB of the addresses in reserve back to the kernel, for an allocation that must not fail. False if
/// none is left.
bool LendAddresses() noexcept;
/// Fills the reserve up again, as far as the limit allows by now.
void RestoreAddresses() noexcept;

/// The parsers behind them, on a root folder instead of "/", so that tests can give made-up /proc and /sys
/// trees.
std::optional<CgroupMemory> ReadCgroupMemoryUnder(const std::string& root);

}  // namespace imgmill
