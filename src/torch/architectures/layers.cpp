#include "torch/architectures/layers.h"

#include <array>

#include "torch/architectures/kernel_convolution.h"
#include "torch/architectures/same_bits.h"

namespace imgmill {
torch::Tensor Convolution::operator()(const torch::Tensor& x) const {
  if (kernels != nullptr && SuitsKernels(*this, x)) return OnKernels(*this, x);
  const auto padding = [&](int64_t side) {
    return shape.padding >= 0 ? shape.padding : shape.dilation * (side / 2);
  };
  return Conv2d(x, weight, bias,
                {.stride = shape.stride,
                 .padding_height = padding(weight.size(2)),
                 .padding_width = padding(weight.size(3)),
                 .dilation = shape.dilation,
                 .groups = shape.groups});
}

Convolution Layers::Conv(const std::string& name, int64_t out, int64_t in, const ConvShape& shape) {
  Convolution layer;
  layer.shape = shape;
  layer.kernels = kernels_;
  layer.weight = Copied(TakeConv(name, out, in, shape));
  if (layer.weight.defined()) layer.weight = layer.weight.contiguous(torch::MemoryFormat::ChannelsLast);
  if (shape.bias) layer.bias = Parameter(name + ".bias", {out});
  return layer;
}

Convolution Layers::ConvNorm(const std::string& conv, const std::string& norm, int64_t out, int64_t in,
                             ConvShape shape, double epsilon) {
  shape.bias = Has(conv + ".bias");
  Convolution layer = Conv(conv, out, in, shape);
  const torch::Tensor weight = Parameter(norm + ".weight", {out}), bias = Parameter(norm + ".bias", {out});
  const torch::Tensor mean = Parameter(norm + ".running_mean", {out});
  const torch::Tensor variance = Parameter(norm + ".running_var", {out});
  PassOver(norm + ".num_batches_tracked");
  if (!variance.defined()) return layer;
  const c10::ScalarType type = weight.scalar_type();
  const torch::Tensor factor = weight.to(torch::kFloat64) / (variance.to(torch::kFloat64) + epsilon).sqrt();
  layer.weight = (layer.weight.to(torch::kFloat64) * factor.view({out, 1, 1, 1}))
                     .to(type)
                     .contiguous(torch::MemoryFormat::ChannelsLast);
  torch::Tensor shift = -mean.to(torch::kFloat64);
  if (layer.bias.defined()) shift += layer.bias.to(torch::kFloat64);
  layer.bias = (bias.to(torch::kFloat64) + shift * factor).to(type);
  return layer;
}

Linear Layers::Dense(const std::string& name, int64_t out, int64_t in, bool bias) {
  Linear layer;
  layer.weight = Parameter(name + ".weight", {out, in});
  if (bias) layer.bias = Parameter(name + ".bias", {out});
  return layer;
}

LayerNorm Layers::Norm(const std::string& name, int64_t features, double epsilon) {
  LayerNorm layer;
  layer.weight = Parameter(name + ".weight", {features});
  layer.bias = Parameter(name + ".bias", {features});
  layer.epsilon = epsilon;
  return layer;
}

torch::Tensor Layers::Copied(const WeightTensor* tensor) {
  if (tensor == nullptr || !place_) return {};
  Result<torch::Tensor> copied = ToTensor(*tensor, *place_);
  if (copied) return *std::move(copied);
  Refuse(copied.error());
  return {};
}

torch::Tensor Layers::Parameter(const std::string& name, const std::vector<int64_t>& shape) {
  return Copied(Take(name, shape));
}

torch::Tensor PaddedToMultiple(const torch::Tensor& x, int64_t multiple) {
  const int64_t below = (multiple - x.size(2) % multiple) % multiple;
  const int64_t right = (multiple - x.size(3) % multiple) % multiple;
  if (below == 0 && right == 0) return x;
  const std::array<int64_t, 4> sides = {0, right, 0, below};
  const bool mirrors = below < x.size(2) && right < x.size(3);
  return mirrors ? torch::reflection_pad2d(x, sides) : torch::replication_pad2d(x, sides);
}

}  // namespace imgmill
