// How many bytes a disk has more when files go: a name of many, or a link, frees nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace imgmill {

/// Adds files that would go. One with several names (hard links) counts once, and only if all of them go.
class FreedBytes {
 public:
  void Add(const std::string& path);
  uint64_t total() const;

 private:
  struct Shared {
    uint64_t names = 0;  ///< that exist
    uint64_t going = 0;
    uint64_t bytes = 0;
  };
  uint64_t alone_ = 0;  ///< of files with one name
  std::map<std::pair<dev_t, ino_t>, Shared> shared_;
};

}  // namespace imgmill
