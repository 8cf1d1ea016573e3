#include "torch/executors/launch_thread.h"

#include <utility>

namespace imgmill {

LaunchThread::~LaunchThread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

Status LaunchThread::Do(const std::function<Status()>& work) {
  const std::lock_guard turn(callers_);
  if (!thread_.joinable()) thread_ = std::thread([this] { Serve(); });
  std::unique_lock lock(mutex_);
  work_ = &work;
  changed_.notify_all();
  changed_.wait(lock, [&] { return work_ == nullptr; });
  return std::exchange(result_, Status());
}

void LaunchThread::Serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return closing_ || work_ != nullptr; });
    if (work_ == nullptr) return;
    const std::function<Status()>& work = *work_;
    lock.unlock();
    Status result = work();
    lock.lock();
    result_ = std::move(result);
    work_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace imgmill
