// The errors of a device that are no shortage of memory, by their text.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// Thread-safe. Bounded, as a text may hold an address or a size and be another each time.
class DeviceErrors {
 public:
  void Count(const std::string& text) {
    const std::lock_guard lock(mutex_);
    const std::string& key = errors_.size() < kMostTexts || Find(text) != errors_.end() ? text : kOthers;
    const auto found = Find(key);
    if (found != errors_.end()) {
      ++found->count;
    } else {
      errors_.push_back({key, 1});
    }
  }
  std::vector<MemoryInfo::DeviceError> All() const {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

 private:
  static constexpr size_t kMostTexts = 16;
  static inline const std::string kOthers = "others";

  std::vector<MemoryInfo::DeviceError>::iterator Find(const std::string& text) {
    return std::find_if(errors_.begin(), errors_.end(),
                        [&](const auto& error) { return error.text == text; });
  }

  mutable std::mutex mutex_;
  std::vector<MemoryInfo::DeviceError> errors_;  ///< in the order of their first time
};

}  // namespace imgmill
