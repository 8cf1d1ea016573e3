// The OpenMP threads that LibTorch computes with.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>

namespace imgmill {

/// Runs `part(data, thread, threads)` on `threads` of them, of which this one is the first; on as many as
/// there are if there are fewer, which the third argument says. `part` throws nothing.
/// @return false, and nothing ran, where LibTorch has other threads than OpenMP's
bool OnOpenMpThreads(int threads, void (*part)(void* data, int thread, int threads), void* data);

/// Calls `work(i)` for each i below `count`, on several of them at once: what LibTorch computes there, each
/// computes alone. The first exception goes on in the caller, when all have ended.
/// @return false, and nothing ran, where LibTorch has other threads than OpenMP's
template <typename Work>
bool ForEachOnOpenMpThreads(int threads, int64_t count, const Work& work) {
  struct All {
    const Work& work;
    const int64_t count;
    std::atomic<bool> failed = false;
    std::exception_ptr problem = nullptr;
  } all{work, count};
  const auto part = [](void* data, int thread, int together) {
    All& of = *static_cast<All*>(data);
    for (int64_t i = thread; i < of.count; i += together) {
      try {
        of.work(i);
      } catch (...) {  // a region of OpenMP lets no exception out
        if (!of.failed.exchange(true)) of.problem = std::current_exception();
      }
    }
  };
  if (!OnOpenMpThreads(threads, part, &all)) return false;
  if (all.problem != nullptr) std::rethrow_exception(all.problem);
  return true;
}

}  // namespace imgmill
