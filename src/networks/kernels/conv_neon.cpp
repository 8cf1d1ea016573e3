// Convolution kernels for 64-bit ARM, all of which has NEON: 32 registers of four floats.
#include "networks/kernels/conv_kernels.h"
#include "networks/kernels/conv_variants.h"

#define IMGMILL_LANES 4
#define IMGMILL_BLOCK_VECTORS 4

namespace imgmill {
namespace neon {
#include "networks/kernels/conv_body.h"
#include "networks/kernels/dense_body.h"
#include "networks/kernels/depthwise_body.h"
#include "networks/kernels/function_body.h"
#include "networks/kernels/softmax_body.h"
}  // namespace neon

const ConvKernels kConv_neon = {"winograd-neon", neon::kLanes* neon::kBlockVectors,
                                neon::Run,       neon::Run1x1,
                                neon::Pack,      neon::Pack1x1,
                                neon::RunDense,  neon::RunPieces,
                                neon::Attend,    neon::RunDepthwise,
                                neon::Gelu};

}  // namespace imgmill
