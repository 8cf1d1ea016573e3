// What a run's memory came to, in a few figures: for the report's summary, its page and the metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// How far predictions were from what was then taken. Errors are relative to the actual bytes.
struct PredictionErrors {
  uint64_t batches = 0;            ///< whose actual bytes are known
  double median = 0;               ///< of |predicted - actual| / actual
  double p95 = 0;                  ///< likewise: 95 of 100 batches have no larger one
  double worst_underestimate = 0;  ///< highest (actual - predicted) / actual; 0 where none was too low
};

/// One budget and what was held against it, in bytes: the host's (resident) or a device's (allocated).
struct PoolFigures {
  std::string name;  ///< "host", "cpu:0", "cuda:1"
  size_t budget = 0;
  size_t now = 0;
  size_t peak = 0;
};

struct RunSummary {
  uint64_t batches = 0;
  uint64_t failed = 0;
  std::array<uint64_t, 7> by_rung{};  ///< batches by the lowest Rung that each needed
  /// All bytes of a batch: known where it was worked on alone (BatchLabel::alone), and where all of them go
  /// through pools of ours.
  PredictionErrors total;
  /// The bytes in pools alone: known for every batch that took some.
  PredictionErrors pooled;
  std::vector<PoolFigures> pools;  ///< the host first
  uint64_t clears = 0;
  double clear_share = 0;  ///< of the run's seconds, 0..1
};

/// The host and each device.
std::vector<PoolFigures> PoolsOf(const MemoryInfo& info);

/// @param seconds  from the run's start to now
RunSummary Summarise(const MemoryHistory& history, const MemoryInfo& info, double seconds);

/// What is known about a batch to compare with its prediction; actual 0 if nothing is.
struct PredictedActual {
  size_t predicted = 0;
  size_t actual = 0;
};
/// Of work that was watched alone: the peak of the whole process, which is what the budget is about.
PredictedActual TotalOf(const BatchRecord& batch);
PredictedActual PooledOf(const BatchRecord& batch);

}  // namespace imgmill
