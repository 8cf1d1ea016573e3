// A periodic thread, and what its samples are kept for.
#include "memory/sampler.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace imgmill {

void Sampler::Start(int period_ms, std::function<void()> look) {
  if (period_ms <= 0) return;
  thread_ = std::thread([this, period_ms, look = std::move(look)] {
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, std::chrono::milliseconds(period_ms), [this] { return stopping_; })) {
      lock.unlock();
      look();
      lock.lock();
    }
  });
}

Sampler::~Sampler() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

MonitorSet::Watch::Watch(MonitorSet& set) : set_(set) {
  std::lock_guard lock(set_.mutex_);
  peak_ = set_.peaks_.insert(set_.peaks_.end(), HostSample{});
}

MonitorSet::Watch::~Watch() {
  std::lock_guard lock(set_.mutex_);
  set_.peaks_.erase(peak_);
}

HostSample MonitorSet::Watch::peak() const {
  std::lock_guard lock(set_.mutex_);
  return *peak_;
}

void MonitorSet::Take(const HostSample& sample) {
  std::lock_guard lock(mutex_);
  for (HostSample& peak : peaks_) {
    peak.resident = std::max(peak.resident, sample.resident);
    peak.charged = std::max(peak.charged, sample.charged);
    peak.host_in_use = std::max(peak.host_in_use, sample.host_in_use);
  }
}

}  // namespace imgmill
