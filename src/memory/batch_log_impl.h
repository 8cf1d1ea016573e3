// Keeps the records and moments of a run within their bounds.
#pragma once

#include <mutex>

#include "imgmill/memory/batch_log.h"
#include "memory/host_ledger.h"

namespace imgmill {

/// Thread-safe.
class BatchLog {
 public:
  void Add(BatchRecord record);
  /// One look of the sampler, `ms` since the manager was made.
  void Look(double ms, const HostSample& sample, size_t leased, size_t budget);
  void Cleared(const ClearRecord& clear);
  MemoryHistory History() const;

 private:
  mutable std::mutex mutex_;
  MemoryHistory history_;
  size_t every_look_ = 1;  ///< one look in so many becomes a moment
  size_t looks_ = 0;
  size_t every_clear_ = 1;
  size_t clears_ = 0;
};

}  // namespace imgmill
