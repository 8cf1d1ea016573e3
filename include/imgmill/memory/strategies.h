// Two decisions about memory that can be replaced: when caches are emptied, and how many batches are in
// flight. docs/strategies.md says how to write another.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/memory/cost_model.h"

namespace imgmill {

/// What is known when a batch has ended.
struct BatchMoment {
  BatchShape done;
  std::optional<BatchShape> next;  ///< the best guess at what comes next
  double usage = 0;                ///< of the device's budget, or the host's: 0..1
  bool crossed = false;            ///< usage has just risen above the threshold
  double clear_ms = 0;             ///< time that clearing has taken in this run
  double run_ms = 0;               ///< time since the run began
};

/// Decides when freed memory that a pool keeps for reuse goes back to the kernel or driver. What it decides
/// changes speed and resident memory, never results. Called from several threads at once.
class CacheStrategy {
 public:
  virtual ~CacheStrategy() = default;
  virtual std::string_view name() const = 0;
  virtual bool ClearAfter(const BatchMoment& moment) const = 0;
};

/// The memory to be divided among batches.
struct SizingQuestion {
  size_t batch_bytes = 0;  ///< of one batch at its peak
  int wanted = 1;          ///< batches in flight that would keep the device busy
  size_t room = 0;         ///< bytes that all images and batches may take together
};

/// Decides how many batches are in flight on a device. The batch's own size belongs to the plan of numerics,
/// which memory must not change.
class BatchSizing {
 public:
  virtual ~BatchSizing() = default;
  virtual std::string_view name() const = 0;
  /// @return at least 1, at most `wanted`. Where not even one fits, the run is refused whatever this says.
  virtual int InFlight(const SizingQuestion& question) const = 0;
};

/// By name; null for a name that is not in the list.
std::unique_ptr<CacheStrategy> MakeCacheStrategy(const std::string& name);
std::unique_ptr<BatchSizing> MakeBatchSizing(const std::string& name);
/// The available names, the default first.
std::vector<std::string> CacheStrategyNames();
std::vector<std::string> BatchSizingNames();

}  // namespace imgmill
