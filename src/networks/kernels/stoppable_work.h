// What a team does until the run is to stop.
#pragma once

#include "imgmill/memory/stop_scope.h"
#include "networks/kernels/worker_team.h"

namespace imgmill {

/// Passes the tasks on until the flag of the StopScope around its maker is set; those behind that are left,
/// which whoever made the scope knows.
class StoppableWork final : public TeamWork {
 public:
  explicit StoppableWork(TeamWork& work) : work_(work), stop_(StopScope::Current()) {}
  int steps() const override { return work_.steps(); }
  int tasks(int step) const override { return Stopped() ? 0 : work_.tasks(step); }
  void Run(int step, int task, int worker) noexcept override {
    if (!Stopped()) work_.Run(step, task, worker);
  }

 private:
  bool Stopped() const { return stop_ != nullptr && stop_->StopRequested(); }

  TeamWork& work_;
  const StopFlag* const stop_;
};

}  // namespace imgmill
