// Chooses the convolution kernels of this machine.
#include "networks/kernels/conv_kernels.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "networks/kernels/conv_variants.h"

namespace imgmill {
namespace {
std::atomic<bool> ours_chosen = true;
}  // namespace

void ChooseConvKernels(bool ours) {
  ours_chosen = ours;
}

bool ConvKernelsChosen() {
  return ours_chosen;
}

const ConvKernels* FindConvKernels([[maybe_unused]] const char* isa) {
#ifdef __x86_64__
  if (std::strcmp(isa, "avx512") == 0 && __builtin_cpu_supports("avx512f")) return &kConv_avx512;
  if (std::strcmp(isa, "avx2") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return &kConv_avx2;
  }
  if (std::strcmp(isa, "sse2") == 0) return &kConv_sse2;
#endif
#ifdef __aarch64__
  if (std::strcmp(isa, "neon") == 0) return &kConv_neon;
#endif
  return nullptr;
}

const ConvKernels* BestConvKernels() {
  if (!ours_chosen) return nullptr;
  if (const char* named = std::getenv("IMGMILL_ISA"); named != nullptr && *named != '\0') {
    return FindConvKernels(named);
  }
  for (const char* isa : kInstructionSets) {
    if (const ConvKernels* kernels = FindConvKernels(isa)) return kernels;
  }
  return nullptr;
}

size_t PackedWinogradFloats(int out_channels, int in_channels) {
  return size_t{36} * static_cast<size_t>(in_channels) * static_cast<size_t>(PaddedChannels(out_channels));
}

size_t ConvScratchFloats(int in_channels) {
  // Planes of the input's channels, then of one block of output channels, 64 at most.
  return 36 * (WinogradPlane(static_cast<size_t>(PaddedChannels(in_channels))) + WinogradPlane(64));
}

size_t AttentionScratchFloats(int key_count, int features) {
  constexpr size_t kMostRows = 6;  // that a kernel multiplies at once
  const auto keys = static_cast<size_t>(PaddedChannels(key_count)),
             values = static_cast<size_t>(PaddedChannels(features));
  return static_cast<size_t>(features) * keys + static_cast<size_t>(key_count) * values +
         kMostRows * (keys + values);
}

}  // namespace imgmill
