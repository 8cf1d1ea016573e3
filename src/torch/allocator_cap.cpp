// Through the allocator's environment variable, which LibTorch 2.11 and 2.13 both read when they first use a
// card. (The same could be said by c10::CachingAllocator::setAllocatorSettings; but up to 2.12 that is a
// function in a header, whose state would be the module's own.)
#include "torch/allocator_cap.h"

#include <c10/util/env.h>
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>

namespace imgmill {
namespace {

constexpr char kSetting[] = "per_process_memory_fraction";

/// Whether the CUDA half that this process has mapped knows the setting: it refuses settings that it does
/// not.
bool KnowsSetting() {
  void* library = ::dlopen("libc10_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return false;
  // CUDAAllocatorConfig::parsePerProcessMemoryFraction
  const bool knows =
      ::dlsym(library,
              "_ZN3c104cuda20CUDACachingAllocator19CUDAAllocatorConfig29parsePerProcessMemoryFractionERKNS_"
              "16CachingAllocator15ConfigTokenizerEm") != nullptr;
  ::dlclose(library);
  return knows;
}

}  // namespace

std::string WithMemoryFraction(const std::string& settings, double share) {
  // Rounded down: a card of 80 GiB in steps of 80 bytes.
  char text[32];
  std::snprintf(text, sizeof text, "%.9f", std::floor(std::clamp(share, 0.0, 1.0) * 1e9) / 1e9);
  return settings + (settings.empty() ? "" : ",") + kSetting + ":" + text;
}

std::optional<double> CapAllocator(double share) {
  static std::mutex mutex;
  static std::optional<double> in_force;
  const std::lock_guard lock(mutex);
  if (in_force || !KnowsSetting()) return in_force;
  // The first of these that is set is the one that counts.
  for (const char* name : {"PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"}) {
    const std::optional<std::string> set = c10::utils::get_env(name);
    if (!set) continue;
    c10::utils::set_env(name, WithMemoryFraction(*set, share).c_str());
    return in_force = share;
  }
  c10::utils::set_env("PYTORCH_CUDA_ALLOC_CONF", WithMemoryFraction("", share).c_str());
  return in_force = share;
}

}  // namespace imgmill
