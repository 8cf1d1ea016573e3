// What the MemoryManager remembers of a run for its report: every batch with its prediction, and memory over
// time. Bounded, however long the run is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "imgmill/memory/cost_model.h"
#include "imgmill/memory/footprint.h"
#include "imgmill/memory/ladder.h"

namespace imgmill {

/// One piece of guarded work: an image on the host, or a micro-batch on a device.
struct BatchRecord {
  std::string work;    ///< the operation's name, or the model's
  std::string device;  ///< "host" for work of the host itself, else the device's name
  BatchShape shape;
  Footprint predicted;     ///< bytes, as they were leased or set aside
  size_t pooled_peak = 0;  ///< most bytes that the work took from pools at once, counted on its thread
  /// Of work that was alone (BatchLabel::alone), else 0: the process's resident memory at the start, and by
  /// how much it had grown at its peak.
  size_t resident_before = 0;
  size_t resident_peak = 0;
  Rung rung = Rung::kNone;  ///< lowest rung that was needed
  int attempts = 1;
  bool failed = false;
  double start_ms = 0;  ///< since the manager was made
  double duration_ms = 0;
};

/// The host's memory at one moment, in bytes.
struct MemoryMoment {
  double ms = 0;  ///< since the manager was made
  size_t resident = 0;
  size_t charged = 0;  ///< by pools, caches included
  size_t leased = 0;
  size_t budget = 0;  ///< in force then: it follows what the machine can spare
};

/// A level that was never higher.
struct MemoryPeak {
  size_t bytes = 0;
  double ms = 0;  ///< since the manager was made
};

/// Caches were emptied.
struct ClearRecord {
  double start_ms = 0;  ///< since the manager was made
  double duration_ms = 0;
  size_t bytes = 0;  ///< given back
};

struct MemoryHistory {
  std::vector<BatchRecord> batches;  ///< in the order of their ends; all of them up to kMostBatches
  uint64_t batches_total = 0;
  uint64_t batches_failed = 0;
  std::array<uint64_t, 7> batches_by_rung{};  ///< all of them, by the lowest Rung that each needed
  std::vector<ClearRecord> clears;            ///< all of them up to kMostClears
  std::vector<MemoryMoment> moments;          ///< evenly spread over the run, at most kMostMoments
  MemoryPeak resident;
  MemoryPeak charged;
  MemoryPeak leased;
};

/// Beyond this many, every second batch that took no rung is forgotten, again and again.
inline constexpr size_t kMostBatches = 4096;
/// Beyond this many, one clear in two, then in four and so on is kept.
inline constexpr size_t kMostClears = 1024;
inline constexpr size_t kMostMoments = 2048;

}  // namespace imgmill
