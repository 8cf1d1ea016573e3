#include "torch/executors/libtorch_team.h"

#include <atomic>

#include "networks/kernels/stoppable_work.h"
#include "torch/executors/openmp_team.h"

namespace imgmill {
namespace {

struct Step {
  TeamWork& work;
  int number;
  int tasks;
  std::atomic<int> next = 0;
};

void TakePart(void* data, int worker, int /*workers*/) {
  Step& step = *static_cast<Step*>(data);
  for (int task = step.next++; task < step.tasks; task = step.next++)
    step.work.Run(step.number, task, worker);
}

}  // namespace

void LibTorchTeam::Do(TeamWork& all) {
  StoppableWork work(all);
  for (int number = 0; number < work.steps(); ++number) {
    Step step{work, number, work.tasks(number)};
    if (!OnOpenMpThreads(threads(), TakePart, &step)) return other_.Do(all);
  }
}

}  // namespace imgmill
