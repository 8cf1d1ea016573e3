// Winograd kernels for AVX-512.
#include "torch/kernels/winograd.h"
#include "torch/kernels/winograd_variants.h"

#define IMGMILL_LANES 16
#define IMGMILL_BLOCK_VECTORS 4

namespace imgmill {
namespace avx512 {
#include "torch/kernels/winograd_body.h"
}  // namespace avx512

const WinogradKernels kWinograd_avx512 = {"winograd-avx512", avx512::kLanes* avx512::kBlockVectors,
                                          avx512::Run};

}  // namespace imgmill
