// The thread that looks at resident memory many times a second, and the scopes that want to know its peak.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "memory/host_ledger.h"

namespace imgmill {

/// Calls something regularly from a thread of its own, until destroyed.
class Sampler {
 public:
  Sampler() = default;
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  /// Calls `look` every `period_ms` from now on; never if that is 0. To be called once.
  void Start(int period_ms, std::function<void()> look);

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Peaks of all scopes that are being monitored at the moment.
class MonitorSet {
 public:
  /// Takes part from construction to destruction.
  class Watch {
   public:
    explicit Watch(MonitorSet& set);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    HostSample peak() const;

   private:
    MonitorSet& set_;
    std::list<HostSample>::iterator peak_;
  };

  void Take(const HostSample& sample);

 private:
  std::mutex mutex_;
  std::list<HostSample> peaks_;
};

}  // namespace imgmill
