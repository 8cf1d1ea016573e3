// Numbers that the engine counts up and the progress line reads: no locks, no text.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace imgmill {

struct Progress {
  std::atomic<uint64_t> expected{0};  ///< 0: unknown
  std::atomic<uint64_t> listed{0};
  std::atomic<uint64_t> done{0};
  std::atomic<uint64_t> skipped{0};
  std::atomic<uint64_t> failed{0};
  /// Regions of images that were mapped: a single large image moves this one too.
  std::atomic<uint64_t> finished_regions{0};

  /// Starts counting afresh for a step: "dedup", "upscale".
  void Begin(const std::string& step_name) {
    const std::lock_guard lock(mutex_);
    step_ = step_name;
    for (auto* n : {&expected, &listed, &done, &skipped, &failed, &finished_regions}) *n = 0;
  }
  std::string step() const {
    const std::lock_guard lock(mutex_);
    return step_;
  }

 private:
  mutable std::mutex mutex_;
  std::string step_;
};

}  // namespace imgmill
