// How many bytes a disk has more when files go.
#include "freed_bytes.h"

#include <sys/stat.h>

#include "archive/archive_path.h"

namespace imgmill {

void FreedBytes::Add(const std::string& path) {
  struct stat info {};
  const bool there = ::lstat(path.c_str(), &info) == 0 || StatPath(path, &info) == 0;
  if (!there || !S_ISREG(info.st_mode)) return;
  const auto bytes = static_cast<uint64_t>(info.st_size);
  if (info.st_nlink <= 1) {
    alone_ += bytes;
    return;
  }
  Shared& shared = shared_[{info.st_dev, info.st_ino}];
  shared.names = info.st_nlink;
  shared.bytes = bytes;
  ++shared.going;
}

uint64_t FreedBytes::total() const {
  uint64_t total = alone_;
  for (const auto& [file, shared] : shared_) {
    if (shared.going >= shared.names) total += shared.bytes;
  }
  return total;
}

}  // namespace imgmill
