// The out-of-memory ladder: what is tried, in which order, when a piece of work does not fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"
#include "imgmill/memory/cost_model.h"
#include "imgmill/memory/footprint.h"
#include "imgmill/memory/work_place.h"

namespace imgmill {

/// How far down the ladder a piece of work went. Rungs from kHalfBatch on change the plan of numerics: what
/// they produce is marked off-plan in the report.
enum class Rung { kNone, kSameSize, kFewerInFlight, kHalfBatch, kHalfTile, kCpu, kRecordedFailure };
std::string_view ToString(Rung rung);

/// How one attempt is to be made.
struct Attempt {
  WorkPlace place = WorkPlace::Device(0);
  int micro_batch = 1;
  int tile = 0;  ///< side of a tile in pixels; 0 means untiled
  Rung rung = Rung::kNone;
};

/// What the report says of a piece of work. Without a prediction it is not in the report.
struct BatchLabel {
  std::string work;  ///< the operation's name, or the model's
  BatchShape shape;
  Footprint predicted;  ///< bytes at the peak, as they were leased or set aside
  bool alone = false;   ///< nothing else is at work meanwhile: its peak of resident memory is looked for
};

/// Work that can be resumed: it keeps what it has finished between attempts, so nothing is computed twice.
class LadderWork {
 public:
  virtual ~LadderWork() = default;

  /// Does what is left, as `attempt` says. Every temporary must be gone when this returns.
  /// Code::kOutOfMemory takes the next rung. After any other error on a device the work is tried there
  /// once more, and then on the CPU, whose error is final; the device's canary decides whether it is
  /// lost.
  virtual Status Run(const Attempt& attempt) = 0;
  /// Before it waits to run alone: also gives up what it has finished, if that is held in memory that work
  /// running alone before it may need. The next attempt starts from the beginning.
  virtual void LetGo() {}

  virtual BatchLabel label() const { return {}; }
  /// Bytes that an attempt is expected to take on its device; 0 if unknown. Work beyond the device's
  /// budget is not tried there as planned.
  virtual size_t ExpectedBytes(const Attempt& /*attempt*/) const { return 0; }
  virtual int planned_micro_batch() const { return 1; }
  virtual int planned_tile() const { return 0; }
  /// Smallest tile that a rung may use; 0 where the tile must not change (global architectures).
  virtual int smallest_tile() const { return 0; }
  /// Whether the work can be done on the CPU at all.
  virtual bool has_cpu_rung() const { return true; }
  /// Whether what is left could go to another device: then the ladder gives it back
  /// (LadderOutcome::hand_over) when this device is `lost`, or before the first rung that would change the
  /// plan.
  virtual bool has_other_device(bool /*lost*/) const { return false; }
};

struct LadderOutcome {
  Status status;
  Rung rung = Rung::kNone;  ///< the lowest rung that was needed
  int attempts = 1;
  size_t device_peak =
      0;  ///< bytes that the work took at once from pools, or from an accelerator that it had alone
  /// Growth of resident memory in bytes, of work that was alone; else 0. Without what batches hold that it
  /// waits for, which have leases of their own.
  size_t resident_peak = 0;
  bool device_lost = false;  ///< the device no longer answers; the CPU has taken over, unless `hand_over`
  /// What is left is for another device; `status` says why this one cannot.
  bool hand_over = false;
  bool off_plan() const { return rung >= Rung::kHalfBatch; }
};

}  // namespace imgmill
