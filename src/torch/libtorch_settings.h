// LibTorch's process-wide settings: our allocator, threads, determinism, bounded caches.
#pragma once

#include <string>

namespace imgmill {

/// To be called before LibTorch is used. What cannot be set twice is set at the first call.
void SetUpLibTorch(int threads);

/// While it lives, LibTorch computes this thread's calls with so many threads; with one where more would
/// change bits.
class LibTorchThreads {
 public:
  explicit LibTorchThreads(int threads);
  ~LibTorchThreads();
  LibTorchThreads(const LibTorchThreads&) = delete;
  LibTorchThreads& operator=(const LibTorchThreads&) = delete;

 private:
  const int before_;
};

/// "libtorch 2.13.0+cpu"
std::string LibTorchVersion();

}  // namespace imgmill
