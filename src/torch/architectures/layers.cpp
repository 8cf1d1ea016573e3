#include "torch/architectures/layers.h"

#include <algorithm>
#include <array>

#include "imgmill/base/path_text.h"
#include "torch/architectures/kernel_convolution.h"
#include "torch/architectures/same_bits.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

std::string ShapeText(const std::vector<int64_t>& shape) {
  if (shape.empty()) return "a number";
  std::string text;
  for (const int64_t side : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(side);
  }
  return text;
}

}  // namespace

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
  // Groups are counted by another tensor; where that one is missing there are none.
  const int64_t inputs = shape.groups > 0 ? in / shape.groups : 0;
  if (status_ && Has(name + ".weight") && (out == 0 || inputs == 0))
    status_ = WeightError("its layer " + name + " has no channels");
  layer.weight =
      Parameter(name + ".weight", {out, inputs, shape.side, shape.width > 0 ? shape.width : shape.side});
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

int64_t Layers::Side(std::string_view name, size_t index) const {
  const WeightTensor* found = weights_.Find(name);
  return found == nullptr ? -1 : found->dim(index);
}

void Layers::PassOver(const std::string& name) {
  if (Has(name)) taken_.insert(name);
}

void Layers::PassOverAll(std::string_view ending) {
  for (const auto& [name, tensor] : weights_.tensors) {
    if (name.ends_with(ending)) taken_.insert(name);
  }
}

void Layers::PassOverBelow(std::string_view beginning) {
  for (const auto& [name, tensor] : weights_.tensors) {
    if (name.starts_with(beginning)) taken_.insert(name);
  }
}

torch::Tensor Layers::Parameter(const std::string& name, const std::vector<int64_t>& shape) {
  if (!status_) return {};
  const WeightTensor* found = weights_.Find(name);
  // A side that another tensor would tell is -1 where that one is missing.
  const bool known = std::all_of(shape.begin(), shape.end(), [](int64_t side) { return side >= 0; });
  if (found == nullptr) {
    status_ = WeightError("its tensor " + name + (known ? " of " + ShapeText(shape) : "") + " is missing");
    return {};
  }
  if (found->shape != shape) {
    status_ = WeightError("its tensor " + name + " is " + ShapeText(found->shape) +
                          (known ? ", not " + ShapeText(shape) : ", which is not the shape of this layer"));
    return {};
  }
  if (!IsFloating(found->type)) {
    status_ = WeightError("its tensor " + name + " is of " + std::string(ToString(found->type)) +
                          ", where floating point weights belong");
    return {};
  }
  taken_.insert(name);
  if (!place_) return {};
  Result<torch::Tensor> tensor = ToTensor(*found, *place_);
  if (!tensor) {
    status_ = tensor.error();
    return {};
  }
  return *std::move(tensor);
}

Status Layers::Finish() const {
  if (!status_ || taken_.size() == weights_.tensors.size()) return status_;
  for (const auto& [name, tensor] : weights_.tensors) {
    if (!taken_.contains(name)) {
      return WeightError("its tensor " + PrintablePath(name) + " (" + ShapeText(tensor.shape) +
                         ") does not belong to any layer of this network");
    }
  }
  return {};
}

int ShuffleScale(int64_t channels, int64_t bands) {
  for (int scale = 1; scale <= 8; ++scale) {
    if (channels == bands * scale * scale) return scale;
  }
  return 0;
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
