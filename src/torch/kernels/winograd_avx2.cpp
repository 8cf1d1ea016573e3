// Winograd kernels for AVX2 and FMA.
#include "torch/kernels/winograd.h"
#include "torch/kernels/winograd_variants.h"

#define IMGMILL_LANES 8
#define IMGMILL_BLOCK_VECTORS 2

namespace imgmill {
namespace avx2 {
#include "torch/kernels/winograd_body.h"
}  // namespace avx2

const WinogradKernels kWinograd_avx2 = {"winograd-avx2", avx2::kLanes* avx2::kBlockVectors, avx2::Run};

}  // namespace imgmill
