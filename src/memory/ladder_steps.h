// Which attempt follows a failed one: the ladder's rungs as plain state, without any memory in it.
#pragma once

#include "imgmill/memory/ladder.h"

namespace imgmill {

/// Who else held memory while an attempt failed. Waiting and being alone help only against them.
struct Rivals {
  bool on_device = false;  ///< other guarded runs were on the device
  bool elsewhere = false;  ///< other processes or other leases may hold the memory, and may let go
  bool kernel = false;     ///< it was the kernel that refused: the budget would have allowed it
  double attempt_ms = 0;   ///< that the attempt took
};

class LadderSteps {
 public:
  /// `cpu_rung`: whether the CPU is another place than the device and the work can be done there.
  LadderSteps(const LadderWork& work, WorkPlace place, bool cpu_rung);

  const Attempt& attempt() const { return attempt_; }
  /// Milliseconds to wait before the attempt.
  int pause_ms() const { return pause_ms_; }
  /// Whether the kernel is to be asked again within the attempt, too.
  bool patient() const { return patient_; }
  /// Whether the attempt is to be the only guarded run on its device.
  bool alone() const { return alone_; }

  /// The next attempt after one that ran out of memory, with the plan as it is. @return false when such a one
  /// has no hope any more
  bool TryAgain(const Rivals& rivals);
  /// The next attempt where none with the plan as it is has hope: with another plan. @return false when no
  /// rung is left
  bool ChangePlan();

  /// Begins with an attempt that changes the plan, as earlier work has found to go well.
  void BeginWith(const Attempt& lower) {
    attempt_ = lower;
    alone_ = true;
  }

  /// The device is gone: the next attempt is on the CPU, in the planned sizes, as memory was not the cause.
  /// @return false if there is no CPU rung
  bool LeaveDevice();

 private:
  bool SameSize(const Rivals& rivals);
  bool Patiently(double attempt_ms);

  Attempt attempt_;
  int planned_micro_batch_;
  int planned_tile_;
  int smallest_tile_;
  bool cpu_rung_;
  int tries_ = 0;  ///< repetitions at the same size, on the device or on the CPU
  int pause_ms_ = 0;
  bool patient_ = false;
  double waited_ms_ = 0;  ///< for the kernel
  bool alone_ = false;
};

}  // namespace imgmill
