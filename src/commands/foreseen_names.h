// The names of files that a dry run in a pipeline foresees, for who asks which files are left over then.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imgmill {

/// Of the name of an output: what a run's steps note and what leftovers are looked up by must agree, since
/// --prune goes by it.
inline size_t HashOfName(std::string_view name) {
  return std::hash<std::string_view>()(name);
}

/// Eight bytes a name. Thread-safe.
class ForeseenNames {
 public:
  void Add(const std::string& name) {
    const std::lock_guard lock(mutex_);
    hashes_.push_back(HashOfName(name));
  }
  std::vector<size_t> Take() { return std::move(hashes_); }

 private:
  std::mutex mutex_;
  std::vector<size_t> hashes_;
};

}  // namespace imgmill
