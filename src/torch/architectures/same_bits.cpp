#include "torch/architectures/same_bits.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "torch/executors/libtorch_team.h"
#include "torch/executors/openmp_team.h"
#include "torch/libtorch_settings.h"

namespace imgmill {
namespace {

/// Below so many values of one image LibTorch takes the library for products of matrices, with any number of
/// threads; above, oneDNN, but for 1x1 kernels where it has one thread.
constexpr int64_t kSmallMap = 20480;
constexpr int64_t kSmallSide = 3;

bool OfFloats(const torch::Tensor& x) {
  return x.device().is_cpu() && x.scalar_type() == torch::kFloat32;
}

/// Whether it is a product of matrices for any number of threads.
bool IsProduct(const torch::Tensor& x, const torch::Tensor& weight, int64_t groups) {
  return groups == 1 && x.size(0) == 1 && x.numel() <= kSmallMap &&
         (weight.size(2) <= kSmallSide || weight.size(3) <= kSmallSide);
}

/// Whether there is so little to do that oneDNN may have threads share the channels of a sum.
bool IsLittle(const torch::Tensor& x, const torch::Tensor& weight) {
  constexpr int64_t kFewPixels = 2048, kLittle = int64_t{1} << 26;  // additions, a millisecond of one thread
  const int64_t pixels = x.size(0) * x.size(2) * x.size(3);
  return pixels <= kFewPixels && pixels * weight.numel() <= kLittle;
}

/// Whether it is one for one thread alone.
bool IsProductForOne(const torch::Tensor& weight, const Conv2dShape& shape) {
  return at::get_num_threads() == 1 && weight.size(2) == 1 && weight.size(3) == 1 && shape.stride == 1 &&
         shape.dilation == 1 && at::hasMKLDNN();
}

torch::Tensor ByOneDnn(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                       const Conv2dShape& shape) {
  constexpr auto kLast = torch::MemoryFormat::ChannelsLast;
  const bool last = x.suggest_memory_format() == kLast || weight.suggest_memory_format() == kLast;
  const auto format = last ? kLast : torch::MemoryFormat::Contiguous;
  const std::optional<torch::Tensor> given = bias.defined() ? std::optional(bias) : std::nullopt;
  const std::array<int64_t, 2> padding = {shape.padding_height, shape.padding_width};
  return at::mkldnn_convolution(x.contiguous(format), weight.contiguous(format), given, padding,
                                std::array{shape.stride, shape.stride},
                                std::array{shape.dilation, shape.dilation}, shape.groups);
}

/// The largest number that is not above a / b.
int64_t FloorOf(int64_t a, int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

}  // namespace

bool ManyThreadsHelp() {
  return dynamic_cast<const LibTorchTeam*>(TeamScope::Current()) != nullptr;
}

torch::Tensor Conv2d(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                     const Conv2dShape& shape) {
  const auto by_libtorch = [&] {
    return torch::conv2d(x, weight, bias, shape.stride, {shape.padding_height, shape.padding_width},
                         shape.dilation, shape.groups);
  };
  if (!OfFloats(x) || !ManyThreadsHelp()) return by_libtorch();
  if (IsProduct(x, weight, shape.groups) || IsLittle(x, weight)) {
    const LibTorchThreads one(1);
    return by_libtorch();
  }
  return IsProductForOne(weight, shape) ? ByOneDnn(x, weight, bias, shape) : by_libtorch();
}

torch::Tensor ConvTransposed2d(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                               int64_t stride, int64_t padding) {
  if (!OfFloats(x) || !ManyThreadsHelp()) return torch::conv_transpose2d(x, weight, bias, stride, padding);
  // Pixel y = stride * q + r of the output is the sum over d of the input's pixel q - d times the kernel's
  // row stride * d + r + padding: for each r a convolution, of the rows that exist for any r.
  const int64_t side = weight.size(2), out = weight.size(1);
  const int64_t first = -FloorOf(stride - 1 + padding, stride), last = FloorOf(side - 1 - padding, stride);
  const int64_t taps = last - first + 1;
  const int64_t before = -(stride * first + padding), behind = stride * taps - before - side;
  const torch::Tensor rows = torch::constant_pad_nd(weight, {before, behind, before, behind})
                                 .view({weight.size(0), out, taps, stride, taps, stride})
                                 .flip({2, 4});
  const torch::Tensor kernels = rows.permute({1, 3, 5, 0, 2, 4})
                                    .reshape({out * stride * stride, weight.size(0), taps, taps})
                                    .contiguous(torch::MemoryFormat::ChannelsLast);
  const torch::Tensor biases = bias.defined() ? bias.repeat_interleave(stride * stride) : bias;
  const auto made = [&](int64_t size) { return (size - 1) * stride - 2 * padding + side; };
  const int64_t height = made(x.size(2)), width = made(x.size(3));
  const auto lacking = [&](int64_t output, int64_t input) {
    return (output + stride - 1) / stride - input - first;
  };
  const int64_t below = lacking(height, x.size(2)), right = lacking(width, x.size(3));
  const bool alike = below == last && right == last && last >= 0;
  const torch::Tensor around = alike ? x : torch::constant_pad_nd(x, {last, right, last, below});
  const int64_t margin = alike ? last : 0;
  const torch::Tensor cells =
      Conv2d(around, kernels, biases, {.padding_height = margin, .padding_width = margin});
  return torch::pixel_shuffle(cells, stride).narrow(2, 0, height).narrow(3, 0, width);
}

torch::Tensor LinearOf(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  if (!OfFloats(x) || !ManyThreadsHelp()) return torch::linear(x, weight, bias);
  constexpr int64_t kRows = 512;
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  torch::Tensor made = torch::empty(sizes, x.options());
  const torch::Tensor in = x.reshape({-1, x.size(-1)}), out = made.view({-1, weight.size(0)});
  const torch::Tensor columns = weight.t();
  const auto multiply = [&](int64_t number) {
    const c10::InferenceMode inference;  // is each thread's own
    const int64_t first = number * kRows, count = std::min(kRows, in.size(0) - first);
    torch::Tensor rows = out.narrow(0, first, count);
    if (bias.defined()) {
      at::addmm_out(rows, bias, in.narrow(0, first, count), columns);
    } else {
      at::mm_out(rows, in.narrow(0, first, count), columns);
    }
  };
  const int64_t tasks = (in.size(0) + kRows - 1) / kRows;
  const int threads = at::get_num_threads();
  if (tasks == 1 || threads == 1 || !ForEachOnOpenMpThreads(threads, tasks, multiply)) {
    const LibTorchThreads one(1);
    for (int64_t number = 0; number < tasks; ++number) multiply(number);
  }
  return made;
}

GroupMoments MomentsOfGroups(const torch::Tensor& x, int64_t groups, double epsilon) {
  const torch::Tensor floats = x.to(torch::kFloat32).contiguous();
  const auto [normal, mean, factor] =
      torch::native_group_norm(floats, {}, {}, x.size(0), x.size(1), x.size(2) * x.size(3), groups, epsilon);
  return {mean, factor};
}

torch::Tensor SoftmaxOfChannels(const torch::Tensor& x) {
  if (!x.device().is_cpu()) return torch::softmax(x, 1);
  torch::Tensor powers = (x - x.amax(1, /*keepdim=*/true)).exp_();
  return powers.div_(powers.sum(1, /*keepdim=*/true));
}

torch::Tensor EnlargedBilinear(const torch::Tensor& x, int64_t height, int64_t width, bool align_corners) {
  const auto enlarged = [&](const torch::Tensor& bands) {
    return torch::upsample_bilinear2d(bands, {height, width}, align_corners);
  };
  if (x.size(1) != 3 || !OfFloats(x) || !ManyThreadsHelp()) return enlarged(x);
  return torch::cat({enlarged(x.narrow(1, 0, 1)), enlarged(x.narrow(1, 1, 1)), enlarged(x.narrow(1, 2, 1))},
                    1);
}

}  // namespace imgmill
