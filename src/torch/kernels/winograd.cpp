// Chooses the Winograd kernels of this machine and transforms weights for them.
#include "torch/kernels/winograd.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "torch/kernels/winograd_variants.h"

namespace imgmill {
namespace {

// G of F(4x4, 3x3): the interpolation points are 0, 1, -1, 2, -2 and infinity.
constexpr double kG[6][3] = {{1.0 / 4, 0, 0},
                             {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                             {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                             {1.0 / 24, 1.0 / 12, 1.0 / 6},
                             {1.0 / 24, -1.0 / 12, 1.0 / 6},
                             {0, 0, 1}};

/// G g G^T, in double so that only the last rounding shows.
void TransformWeights(const float* g, float out[36]) {
  double half[6][3];
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 3; ++j) half[i][j] = kG[i][0] * g[j] + kG[i][1] * g[3 + j] + kG[i][2] * g[6 + j];
  }
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) {
      out[6 * i + j] =
          static_cast<float>(half[i][0] * kG[j][0] + half[i][1] * kG[j][1] + half[i][2] * kG[j][2]);
    }
  }
}

}  // namespace

const WinogradKernels* FindWinogradKernels([[maybe_unused]] const char* isa) {
#ifdef __x86_64__
  if (std::strcmp(isa, "avx512") == 0 && __builtin_cpu_supports("avx512f")) return &kWinograd_avx512;
  if (std::strcmp(isa, "avx2") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return &kWinograd_avx2;
  }
  if (std::strcmp(isa, "sse2") == 0) return &kWinograd_sse2;
#endif
  return nullptr;
}

const WinogradKernels* BestWinogradKernels() {
  if (const char* named = std::getenv("IMGMILL_ISA"); named != nullptr && *named != '\0') {
    return FindWinogradKernels(named);
  }
  for (const char* isa : {"avx512", "avx2", "sse2"}) {
    if (const WinogradKernels* kernels = FindWinogradKernels(isa)) return kernels;
  }
  return nullptr;
}

size_t PackedWinogradFloats(int out_channels, int in_channels) {
  return size_t{36} * static_cast<size_t>(in_channels) * static_cast<size_t>(PaddedChannels(out_channels));
}

size_t WinogradScratchFloats(int in_channels) {
  // Planes of the input's channels, then of one block of output channels, 64 at most.
  return 36 * (WinogradPlane(static_cast<size_t>(PaddedChannels(in_channels))) + WinogradPlane(64));
}

void PackWinogradWeights(const WinogradKernels& kernels, const float* weights, int out_channels,
                         int in_channels, float* packed) {
  const int padded = PaddedChannels(out_channels);
  for (int k0 = 0; k0 < padded; k0 += kernels.block_floats) {
    const int block = std::min(kernels.block_floats, padded - k0);
    for (int c = 0; c < in_channels; ++c) {
      for (int k = 0; k < block; ++k) {
        float transformed[36] = {};
        if (k0 + k < out_channels) {
          TransformWeights(weights + (static_cast<size_t>(k0 + k) * static_cast<size_t>(in_channels) +
                                      static_cast<size_t>(c)) *
                                         9,
                           transformed);
        }
        for (int e = 0; e < 36; ++e) packed[(e * in_channels + c) * block + k] = transformed[e];
      }
    }
    packed += 36 * in_channels * block;
  }
}

}  // namespace imgmill
