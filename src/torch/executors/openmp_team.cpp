#include "torch/executors/openmp_team.h"

// What compilers make of a parallel region, in the library that LibTorch's wheels bring and that other OpenMP
// libraries stand in for. Weak, since a build of LibTorch may do without; this file is not compiled for
// OpenMP, which would tie the module to one compiler's library.
extern "C" {
void GOMP_parallel(void (*function)(void*), void* data, unsigned threads, unsigned flags)
    __attribute__((weak));
int omp_get_thread_num() __attribute__((weak));
int omp_get_num_threads() __attribute__((weak));
}

namespace imgmill {
namespace {

struct Region {
  void (*part)(void* data, int thread, int threads);
  void* data;
};

void TakePart(void* data) {
  const Region& region = *static_cast<Region*>(data);
  region.part(region.data, omp_get_thread_num(), omp_get_num_threads());
}

}  // namespace

bool OnOpenMpThreads(int threads, void (*part)(void* data, int thread, int threads), void* data) {
  if (GOMP_parallel == nullptr || omp_get_thread_num == nullptr || omp_get_num_threads == nullptr)
    return false;
  Region region{part, data};
  GOMP_parallel(TakePart, &region, static_cast<unsigned>(threads), 0);
  return true;
}

}  // namespace imgmill
