#include "torch/executors/libtorch_team.h"

#include <atomic>

#include "torch/kernels/stoppable_work.h"

// What compilers make of a parallel region, in the library that LibTorch's wheels bring and that other OpenMP
// libraries stand in for. Weak, since a build of LibTorch may do without; this file is not compiled for
// OpenMP, which would tie the module to one compiler's library.
extern "C" {
void GOMP_parallel(void (*function)(void*), void* data, unsigned threads, unsigned flags)
    __attribute__((weak));
int omp_get_thread_num() __attribute__((weak));
}

namespace imgmill {
namespace {

struct Step {
  TeamWork& work;
  int number;
  int tasks;
  std::atomic<int> next = 0;
};

void TakePart(void* data) {
  Step& step = *static_cast<Step*>(data);
  const int worker = omp_get_thread_num();
  for (int task = step.next++; task < step.tasks; task = step.next++)
    step.work.Run(step.number, task, worker);
}

}  // namespace

void LibTorchTeam::Do(TeamWork& all) {
  if (GOMP_parallel == nullptr || omp_get_thread_num == nullptr) return other_.Do(all);
  StoppableWork work(all);
  for (int number = 0; number < work.steps(); ++number) {
    Step step{work, number, work.tasks(number)};
    GOMP_parallel(TakePart, &step, static_cast<unsigned>(threads()), 0);
  }
}

}  // namespace imgmill
