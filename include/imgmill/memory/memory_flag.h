// The one flag that refusals and advice name.
#pragma once

#include <cstddef>
#include <string>

namespace imgmill {

/// What gives a budget of at least so many bytes: "--memory 613MiB".
std::string MemoryFlag(size_t bytes);

}  // namespace imgmill
