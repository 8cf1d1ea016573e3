// The tightest memory limit among this process's control group and its parents, in version 1 and 2 trees.
//
// /proc/self/cgroup names our group below the root of its hierarchy; /proc/self/mountinfo tells where which
// part of that hierarchy is mounted (inside a container often only our own branch). Sources: cgroups(7), the
// kernel's admin-guide/cgroup-v1/memory and cgroup-v2, proc(5) for mountinfo.
#include <algorithm>
#include <sstream>
#include <vector>

#include "imgmill/memory/system_memory.h"
#include "memory/proc_file.h"

namespace imgmill {
namespace {

/// What tells the two versions apart.
struct Dialect {
  int version;
  const char* limit_file;
  const char* usage_file;
  const char* inactive_key;  ///< in memory.stat: file cache of the group and its children that is not in use
  const char* active_key;    ///< in memory.stat: file cache that is in use
};
constexpr Dialect kVersion1 = {1, "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file ",
                               "total_active_file "};
constexpr Dialect kVersion2 = {2, "/memory.max", "/memory.current", "inactive_file ", "active_file "};

/// Version 1 writes "no limit" as the largest number of whole pages; nobody has an exbibyte.
constexpr size_t kNoLimit = size_t{1} << 60;

struct Mount {
  std::string root;   ///< the part of the hierarchy that is mounted
  std::string point;  ///< where
};

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// mountinfo writes blanks, tabs, newlines and backslashes as three octal digits.
std::string Unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool HasOption(const std::string& options, const std::string& wanted) {
  for (const std::string& option : Split(options, ',')) {
    if (option == wanted) return true;
  }
  return false;
}

/// Mounts of the memory controller's hierarchy.
std::vector<Mount> FindMounts(const std::string& mountinfo, int version) {
  std::vector<Mount> mounts;
  for (const std::string& line : Split(mountinfo, '\n')) {
    // 36 35 98:0 /root /point rw,noatime shared:1 - cgroup cgroup rw,memory
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto left = Split(line.substr(0, dash), ' ');
    const auto right = Split(line.substr(dash + 3), ' ');
    if (left.size() < 6 || right.size() < 3) continue;
    const bool fits =
        version == 2 ? right[0] == "cgroup2" : right[0] == "cgroup" && HasOption(right[2], "memory");
    if (fits) mounts.push_back({Unescape(left[3]), Unescape(left[4])});
  }
  return mounts;
}

/// Our group's path below the hierarchy's root; nothing if we are in none.
std::optional<std::string> FindGroup(const std::string& cgroup, int version) {
  for (const std::string& line : Split(cgroup, '\n')) {
    // 4:memory:/user.slice   or   0::/user.slice
    const size_t first = line.find(':');
    const size_t second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool fits = version == 2 ? line.starts_with("0::") : HasOption(controllers, "memory");
    if (fits) return line.substr(second + 1);
  }
  return std::nullopt;
}

std::optional<CgroupMemory> ReadGroup(const std::string& folder, const Dialect& dialect) {
  const auto limit = LeadingNumber(ReadWholeFile(folder + dialect.limit_file));
  if (!limit || *limit >= kNoLimit) return std::nullopt;
  CgroupMemory memory;
  memory.path = folder;
  memory.version = dialect.version;
  memory.limit = *limit;
  memory.used = LeadingNumber(ReadWholeFile(folder + dialect.usage_file)).value_or(0);
  memory.anonymous = memory.used;
  const auto leave_out = [](size_t& from, const std::string& line, const std::string& key) {
    if (!line.starts_with(key)) return;
    from -= std::min(from, LeadingNumber(line.substr(key.size())).value_or(0));
  };
  for (const std::string& line : Split(ReadWholeFile(folder + "/memory.stat"), '\n')) {
    leave_out(memory.used, line, dialect.inactive_key);
    leave_out(memory.anonymous, line, dialect.inactive_key);
    leave_out(memory.anonymous, line, dialect.active_key);
  }
  return memory;
}

/// What our group could still take, the measure of tightness.
size_t Left(const CgroupMemory& memory) {
  return memory.limit - std::min(memory.limit, memory.anonymous);
}

void KeepTighter(std::optional<CgroupMemory>& tightest, std::optional<CgroupMemory> other) {
  if (other && (!tightest || Left(*other) < Left(*tightest))) tightest = std::move(other);
}

/// Folder of our group relative to the mount: its path less the mount's root. Inside a cgroup namespace the
/// path may lie outside what is mounted ("/../x"); the mount point itself is then all we can see.
std::string BelowMount(const std::string& group, const Mount& mount) {
  if (group.find("/..") != std::string::npos) return "";
  std::string below = group;
  if (mount.root != "/") {
    if (!group.starts_with(mount.root)) return "";
    below = group.substr(mount.root.size());
    if (!below.empty() && below[0] != '/') return "";
  }
  while (!below.empty() && below.back() == '/') below.pop_back();
  return below;
}

}  // namespace

std::optional<CgroupMemory> ReadCgroupMemoryUnder(const std::string& root) {
  const std::string mountinfo = ReadWholeFile(root + "/proc/self/mountinfo");
  const std::string cgroup = ReadWholeFile(root + "/proc/self/cgroup");
  std::optional<CgroupMemory> tightest;
  for (const Dialect& dialect : {kVersion1, kVersion2}) {
    const auto group = FindGroup(cgroup, dialect.version);
    if (!group) continue;
    for (const Mount& mount : FindMounts(mountinfo, dialect.version)) {
      std::string below = BelowMount(*group, mount);
      while (true) {
        KeepTighter(tightest, ReadGroup(root + mount.point + below, dialect));
        if (below.empty()) break;
        below.resize(below.rfind('/'));
      }
    }
  }
  return tightest;
}

std::optional<CgroupMemory> ReadCgroupMemory() {
  return ReadCgroupMemoryUnder("");
}

}  // namespace imgmill
