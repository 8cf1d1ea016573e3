// Convolution kernels for AVX2 and FMA.
#include "networks/kernels/conv_kernels.h"
#include "networks/kernels/conv_variants.h"

#define IMGMILL_LANES 8
#define IMGMILL_BLOCK_VECTORS 2

namespace imgmill {
namespace avx2 {
#include "networks/kernels/conv_body.h"
#include "networks/kernels/dense_body.h"
#include "networks/kernels/depthwise_body.h"
#include "networks/kernels/function_body.h"
#include "networks/kernels/softmax_body.h"
}  // namespace avx2

const ConvKernels kConv_avx2 = {"winograd-avx2", avx2::kLanes* avx2::kBlockVectors,
                                avx2::Run,       avx2::Run1x1,
                                avx2::Pack,      avx2::Pack1x1,
                                avx2::RunDense,  avx2::RunPieces,
                                avx2::Attend,    avx2::RunDepthwise,
                                avx2::Gelu};

}  // namespace imgmill
