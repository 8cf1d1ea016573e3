// Convolution kernels for AVX-512.
#include "networks/kernels/conv_kernels.h"
#include "networks/kernels/conv_variants.h"

#define IMGMILL_LANES 16
#define IMGMILL_BLOCK_VECTORS 4

namespace imgmill {
namespace avx512 {
#include "networks/kernels/conv_body.h"
#include "networks/kernels/dense_body.h"
#include "networks/kernels/depthwise_body.h"
#include "networks/kernels/function_body.h"
#include "networks/kernels/softmax_body.h"
}  // namespace avx512

const ConvKernels kConv_avx512 = {"winograd-avx512", avx512::kLanes* avx512::kBlockVectors,
                                  avx512::Run,       avx512::Run1x1,
                                  avx512::Pack,      avx512::Pack1x1,
                                  avx512::RunDense,  avx512::RunPieces,
                                  avx512::Attend,    avx512::RunDepthwise,
                                  avx512::Gelu};

}  // namespace imgmill
