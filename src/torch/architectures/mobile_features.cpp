#include "torch/architectures/mobile_features.h"

#include <algorithm>

namespace imgmill {

torch::Tensor Activated(torch::Tensor x, MobileActivation activation) {
  switch (activation) {
    case MobileActivation::kRelu:
      return x.relu_();
    case MobileActivation::kRelu6:
      return torch::clamp_(x, 0, 6);
    case MobileActivation::kSilu:
      return torch::silu_(x);
    case MobileActivation::kHardSwish:
      break;
  }
  return torch::hardswish_(x);
}

MobileFeatures::MobileFeatures(const MobilePlan& plan, Layers& layers)
    : same_padding_(plan.same_padding), activation_(plan.activation) {
  const auto conv = [&](const MobileLayer& layer, int64_t in, const ConvShape& shape) {
    return layers.ConvNorm(layer.conv, layer.norm, layers.Outputs(layer.conv + ".weight"), in, shape,
                           plan.epsilon);
  };
  stem_ = conv(plan.stem, 3, {.stride = 2});
  int64_t bands = layers.Outputs(plan.stem.conv + ".weight");
  for (const MobileBlock& names : plan.blocks) {
    Block& block = blocks_.emplace_back();
    block.activation = names.activation;
    int64_t inner = bands;
    if (!names.expand.conv.empty()) {
      block.expand = conv(names.expand, bands, {.side = 1});
      inner = layers.Outputs(names.expand.conv + ".weight");
    }
    const std::string depthwise = names.depthwise.conv + ".weight";
    block.depthwise = conv(names.depthwise, inner,
                           {.side = layers.Side(depthwise, 2), .stride = names.stride, .groups = inner});
    if (!names.squeeze.empty()) {
      const int64_t few = layers.Outputs(names.squeeze + ".weight");
      block.squeeze = layers.Conv(names.squeeze, few, inner, 1);
      block.excite = layers.Conv(names.excite, inner, few, 1);
    }
    block.project = conv(names.project, inner, {.side = 1});
    const int64_t out = layers.Outputs(names.project.conv + ".weight");
    block.adds_input = names.stride == 1 && out == bands;
    bands = out;
  }
  last_ = conv(plan.last, bands, {.side = 1});
  features_ = layers.Outputs(plan.last.conv + ".weight");
}

torch::Tensor MobileFeatures::operator()(const torch::Tensor& input) const {
  torch::Tensor x =
      Activated(Convolved(stem_, input.contiguous(torch::MemoryFormat::ChannelsLast)), activation_);
  for (const Block& block : blocks_) {
    torch::Tensor y = x;
    if (block.expand.weight.defined()) y = Activated(block.expand(y), block.activation);
    y = Activated(Convolved(block.depthwise, y), block.activation);
    if (block.squeeze.weight.defined()) Weigh(block, y);
    y = block.project(y);
    x = block.adds_input ? y.add_(x) : y;
  }
  return Activated(last_(x), activation_).mean({2, 3});
}

void MobileFeatures::Weigh(const Block& block, torch::Tensor& x) {
  const torch::Tensor squeezed = block.squeeze(x.mean({2, 3}, /*keepdim=*/true));
  if (block.activation == MobileActivation::kSilu) {
    x.mul_(torch::sigmoid(block.excite(torch::silu(squeezed))));
  } else {
    x.mul_(torch::hardsigmoid(block.excite(torch::relu(squeezed))));
  }
}

torch::Tensor MobileFeatures::Convolved(const Convolution& layer, const torch::Tensor& x) const {
  if (!same_padding_ || layer.shape.stride == 1) return layer(x);
  const int64_t side = layer.weight.size(2), stride = layer.shape.stride;
  const auto lacks = [&](int64_t length) {
    return std::max<int64_t>(0, ((length + stride - 1) / stride - 1) * stride + side - length);
  };
  const int64_t down = lacks(x.size(2)), across = lacks(x.size(3));
  Convolution bare = layer;
  bare.shape.padding = 0;
  return bare(torch::constant_pad_nd(x, {across / 2, across - across / 2, down / 2, down - down / 2}, 0));
}

}  // namespace imgmill
