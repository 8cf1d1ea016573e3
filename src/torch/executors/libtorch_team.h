// LibTorch's own threads as a team for our kernels, for networks in which the two take turns.
#pragma once

#include "networks/kernels/worker_team.h"

namespace imgmill {

/// After a layer of LibTorch's its OpenMP threads spin for a while, on the cores that another team would
/// need: RFDN took 1.6 times as long so. They do the work themselves instead.
class LibTorchTeam final : public Team {
 public:
  /// @param other  does the work where LibTorch has other threads than OpenMP's, and says how many there are
  explicit LibTorchTeam(WorkerTeam& other) : other_(other) {}

  int threads() const noexcept override { return other_.threads(); }
  void Do(TeamWork& work) override;

 private:
  WorkerTeam& other_;
};

}  // namespace imgmill
