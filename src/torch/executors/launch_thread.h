// The thread that gives an accelerator its work.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "imgmill/base/result.h"

namespace imgmill {

/// Does what is handed to it, one after the other, in a thread of its own. Libraries of a device keep a
/// handle and a workspace for each thread that calls them, outside of what LibTorch's limit holds back; and
/// two batches whose layers mingle would be in memory at once.
class LaunchThread {
 public:
  LaunchThread() = default;
  ~LaunchThread();
  LaunchThread(const LaunchThread&) = delete;
  LaunchThread& operator=(const LaunchThread&) = delete;

  /// Returns when it is done. `work` never throws. @throws std::system_error where there is no thread
  Status Do(const std::function<Status()>& work);

 private:
  void Serve();

  std::mutex callers_;  ///< one of them at a time
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<Status()>* work_ = nullptr;
  Status result_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace imgmill
