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

/// Notices a level that only ever rises: memory held when nothing is leased should be the same after each
/// stretch of work.
class CreepWatch {
 public:
  /// One look: `idle` while no lease is out, `held` the bytes held then beside caches.
  void Look(bool idle, size_t held);
  /// Bytes by which the idle level has risen over the last stretches, if it never fell; else 0.
  size_t Creep() const;

 private:
  static constexpr int kSettled = 3;    ///< looks in a row that make a stretch of idleness
  static constexpr int kStretches = 8;  ///< as many rises in a row are no coincidence
  int idle_looks_ = 0;
  int rises_ = 0;
  size_t start_ = 0;
  size_t last_ = 0;
};

}  // namespace imgmill
