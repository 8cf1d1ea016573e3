// Runs one function on a few threads at once and waits for all of them.
#pragma once

#include <exception>
#include <thread>
#include <vector>

namespace imgmill {

/// Calls work(0) .. work(threads - 1), the first on the calling thread. `work` must not throw: searches get
/// all their memory before they start.
template <typename Work>
void OnThreads(int threads, const Work& work) {
  std::vector<std::jthread> others;
  others.reserve(static_cast<size_t>(threads - 1));
  for (int t = 1; t < threads; ++t) others.emplace_back([&work, t]() noexcept { work(t); });
  work(0);
}

}  // namespace imgmill
