// The thread that looks at resident memory many times a second.
#pragma once

#include <functional>
#include <thread>

namespace imgmill {

/// Calls `look` every `period_ms` from a thread of its own, until that is destroyed; never if the period is
/// 0. A look that ends with std::bad_alloc is left out.
std::jthread Regularly(int period_ms, std::function<void()> look);

}  // namespace imgmill
