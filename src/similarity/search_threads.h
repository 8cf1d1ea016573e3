// Runs one function on a few threads at once and waits for all of them.
#pragma once

#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace imgmill {

/// Calls work(0) .. work(threads - 1), the first on the calling thread. `work` must not throw: searches get
/// all their memory before they start.
template <typename Work>
void OnThreads(int threads, const Work& work) {
  std::vector<std::jthread> others;
  others.reserve(static_cast<size_t>(threads - 1));
  int t = 1;
  try {
    for (; t < threads; ++t) others.emplace_back([&work, t]() noexcept { work(t); });
  } catch (const std::system_error&) {  // no more threads to be had: the rest is done here
  }
  work(0);
  for (; t < threads; ++t) work(t);
}

}  // namespace imgmill
