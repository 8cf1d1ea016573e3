// Winograd kernels for the baseline of x86-64.
#include "torch/kernels/winograd.h"
#include "torch/kernels/winograd_variants.h"

#define IMGMILL_LANES 4
#define IMGMILL_BLOCK_VECTORS 2

namespace imgmill {
namespace sse2 {
#include "torch/kernels/winograd_body.h"
}  // namespace sse2

const WinogradKernels kWinograd_sse2 = {"winograd-sse2", sse2::kLanes* sse2::kBlockVectors, sse2::Run};

}  // namespace imgmill
