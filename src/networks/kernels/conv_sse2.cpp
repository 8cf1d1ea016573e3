// Convolution kernels for the baseline of x86-64.
#include "networks/kernels/conv_kernels.h"
#include "networks/kernels/conv_variants.h"

#define IMGMILL_LANES 4
#define IMGMILL_BLOCK_VECTORS 2

namespace imgmill {
namespace sse2 {
#include "networks/kernels/conv_body.h"
#include "networks/kernels/dense_body.h"
#include "networks/kernels/depthwise_body.h"
#include "networks/kernels/function_body.h"
#include "networks/kernels/softmax_body.h"
}  // namespace sse2

const ConvKernels kConv_sse2 = {"winograd-sse2", sse2::kLanes* sse2::kBlockVectors,
                                sse2::Run,       sse2::Run1x1,
                                sse2::Pack,      sse2::Pack1x1,
                                sse2::RunDense,  sse2::RunPieces,
                                sse2::Attend,    sse2::RunDepthwise,
                                sse2::Gelu};

}  // namespace imgmill
