// A periodic thread that does not sleep through its end.
#include "memory/sampler.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <utility>

namespace imgmill {

std::jthread Regularly(int period_ms, std::function<void()> look) {
  if (period_ms <= 0) return {};
  return std::jthread([period_ms, look = std::move(look)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      wake.wait_for(lock, stop, std::chrono::milliseconds(period_ms), [] { return false; });
      if (stop.stop_requested()) break;
      try {
        look();
      } catch (const std::bad_alloc&) {  // memory is too short for a look: the next one comes soon
      }
    }
  });
}

}  // namespace imgmill
