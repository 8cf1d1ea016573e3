// LibTorch's process-wide settings: our allocator, threads, determinism, bounded caches.
#pragma once

#include <string>

namespace imgmill {

/// To be called before LibTorch is used. What cannot be set twice is set at the first call.
void SetUpLibTorch(int threads);

/// "libtorch 2.13.0+cpu"
std::string LibTorchVersion();

}  // namespace imgmill
