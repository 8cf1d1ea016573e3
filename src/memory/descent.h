// One piece of work on its way down the ladder: each attempt is made, its failure looked at, memory
// recovered, and the next rung taken, all outside any catch block, so that what the failed attempt held is
// gone.
#pragma once

#include <optional>
#include <string>

#include "memory/ladder_steps.h"
#include "memory/memory_manager_impl.h"

namespace imgmill {

class Descent {
 public:
  Descent(MemoryManager& manager, MemoryManager::Impl& impl, LadderWork& work, WorkPlace place,
          const StopFlag& stop);

  /// To be called once.
  LadderOutcome Run();

 private:
  bool Begin();
  bool WakeUp();
  void MakeAttempt();
  Lease LeaseOrHold();
  bool Next();
  bool LeaveLost();
  Status Recover();
  bool HandOver(bool lost);
  bool IsShort() const;
  void RecordFailure();
  void Remember();

  MemoryManager& manager_;
  MemoryManager::Impl& impl_;
  LadderWork& work_;
  const WorkPlace place_;
  const StopFlag& stop_;
  const BatchLabel label_;
  ManagedDevice& slot_;
  const bool own_memory_;  ///< the device's is not the host's pool: there is a CPU to go to

  LadderSteps steps_;
  LadderOutcome outcome_;
  // Of the attempt that was made last:
  std::optional<Admission::Hold> hold_;
  Rivals rivals_;
  bool host_memory_ = false;
  bool asleep_ = false;  ///< the device could not be made ready
  bool settled_ = false;
};

}  // namespace imgmill
