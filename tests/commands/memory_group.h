// A control group with a memory limit, for processes that a test starts in it.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "program.h"

namespace imgmill::process_test {

inline bool WriteText(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

/// A control group below the test's own, in a version 1 or 2 tree mounted in the usual places.
class MemoryGroup {
 public:
  explicit MemoryGroup(size_t limit) {
    const std::string name = "/imgmill-test-" + std::to_string(::getpid());
    for (const bool second : {false, true}) {
      const std::string parent =
          second ? Own("0::", "/sys/fs/cgroup") : Own(":memory:", "/sys/fs/cgroup/memory");
      if (parent.empty()) continue;
      path_ = parent + name;
      if (::mkdir(path_.c_str(), 0755) != 0) {
        why_ = std::strerror(errno);
        path_.clear();
        continue;
      }
      limit_file_ = second ? "/memory.max" : "/memory.limit_in_bytes";
      // Without the controller the file is not there, and cannot be made.
      if (TestFolder::Exists(path_ + limit_file_) && Limit(limit)) {
        MESSAGE("limit tried: control group, version " << (second ? 2 : 1));
        return;
      }
      why_ = "no memory controller in " + path_;
      ::rmdir(path_.c_str());
      path_.clear();
    }
    MESSAGE("SKIPPED: no control group can be made: " << why_);
  }
  /// A group inside another, without a limit of its own as yet.
  explicit MemoryGroup(const MemoryGroup& outer)
      : path_(outer.path_ + "/inner"), limit_file_(outer.limit_file_) {
    // Version 2 gives a group the controllers that its parent hands down.
    if (limit_file_ == "/memory.max") WriteText(outer.path_ + "/cgroup.subtree_control", "+memory");
    REQUIRE(::mkdir(path_.c_str(), 0755) == 0);
  }
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  ~MemoryGroup() {
    // The last member's memory may be accounted for a moment longer than it lives.
    for (int i = 0; i < 100 && !path_.empty() && ::rmdir(path_.c_str()) != 0; ++i) ::usleep(10'000);
  }
  bool made() const { return !path_.empty(); }
  bool Limit(size_t bytes) const { return WriteText(path_ + limit_file_, std::to_string(bytes)); }
  std::string procs() const { return path_ + "/cgroup.procs"; }

 private:
  std::string Own(const std::string& key, const std::string& mount) const {
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
      const size_t at = line.find(key);
      if (at == std::string::npos) continue;
      std::string path = line.substr(at + key.size());
      if (path == "/") path.clear();
      // Inside a container the mount may show our own branch only.
      if (TestFolder::Exists(mount + path)) return mount + path;
      if (TestFolder::Exists(mount)) return mount;
    }
    return "";
  }

  std::string path_;
  std::string limit_file_;
  std::string why_ = "no cgroup file system";
};

}  // namespace imgmill::process_test
