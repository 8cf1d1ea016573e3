// Which of the kernels that Highway has compiled this machine can run, without Highway's library.
#pragma once

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <vector>

namespace imgmill {

#if defined(__x86_64__)
/// Each with those that are named before it, and what Highway lets the compiler use along with them.
struct InstructionSets {
  bool sse4 = false;
  bool avx2 = false;
  bool avx512 = false;
  bool avx512_counts_bits = false;  ///< of bytes and words: VPOPCNTDQ and BITALG
};

// Not by HWY_DYNAMIC_DISPATCH, which needs libhwy: that times its clock whenever it is loaded, for 7 ms.
inline InstructionSets MachinesInstructionSets() {
  InstructionSets machine;
  __builtin_cpu_init();
#define HAS(feature) (__builtin_cpu_supports(feature) != 0)
  machine.sse4 = HAS("sse4.2") && HAS("popcnt");
  machine.avx2 = machine.sse4 && HAS("avx2") && HAS("fma") && HAS("bmi") && HAS("bmi2");
  machine.avx512 = machine.avx2 && HAS("avx512f") && HAS("avx512vl") && HAS("avx512dq") && HAS("avx512bw");
  // Highway lets the compiler use three more, which not every machine with these has: vaes and vpclmulqdq,
  // that only intrinsics give, and avxvnni, that sums products of small numbers. No kernel has any.
  machine.avx512_counts_bits = machine.avx512 && HAS("avx512vpopcntdq") && HAS("avx512bitalg") &&
                               HAS("avx512vbmi") && HAS("avx512vbmi2");
#undef HAS
  return machine;
}
#endif

/// Adds those of one instruction set, if the machine runs it and they were compiled: each once.
template <typename Kernels>
void AddKernels(std::vector<Kernels>& found, bool runs, std::type_identity_t<Kernels (*)()> kernels) {
  if (!runs || kernels == nullptr) return;
  const Kernels each = kernels();
  const auto same = [&](const Kernels& other) { return other.name == each.name; };
  if (std::none_of(found.begin(), found.end(), same)) found.push_back(each);
}

/// @return false if none has this name
template <typename Kernels>
bool ChooseByName(const std::vector<Kernels>& available, std::string_view name, Kernels& chosen) {
  for (const Kernels& kernels : available) {
    if (kernels.name != name) continue;
    chosen = kernels;
    return true;
  }
  return false;
}

}  // namespace imgmill
