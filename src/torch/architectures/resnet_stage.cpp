#include "torch/architectures/resnet_stage.h"

namespace imgmill {

ResNetStage::ResNetStage(const std::string& beginning, int64_t in, int64_t stride, Layers& layers)
    : features_(in) {
  const auto name_of = [&](size_t block) { return beginning + std::to_string(block) + "."; };
  while (layers.Has(name_of(blocks_.size()) + "conv1.weight")) {
    const std::string name = name_of(blocks_.size());
    const int64_t step = blocks_.empty() ? stride : 1;
    const auto outputs = [&](const char* conv) { return layers.Outputs(name + conv + ".weight"); };
    const auto conv = [&](const std::string& number, int64_t inputs, const ConvShape& shape) {
      return layers.ConvNorm(name + "conv" + number, name + "bn" + number, outputs(("conv" + number).c_str()),
                             inputs, shape);
    };
    Block& block = blocks_.emplace_back();
    const int64_t inner = outputs("conv1");
    const bool bottleneck = layers.Has(name + "conv3.weight");
    if (bottleneck) {
      // The stride is the middle layer's, as torchvision has it.
      block.layers.push_back(conv("1", features_, {.side = 1}));
      const int64_t of_group = layers.Side(name + "conv2.weight", 1);
      block.layers.push_back(
          conv("2", inner, {.stride = step, .groups = of_group > 0 ? inner / of_group : 1}));
      block.layers.push_back(conv("3", outputs("conv2"), {.side = 1}));
    } else {
      block.layers.push_back(conv("1", features_, {.stride = step}));
      block.layers.push_back(conv("2", inner, {}));
    }
    const int64_t out = outputs(bottleneck ? "conv3" : "conv2");
    if (layers.Has(name + "downsample.0.weight")) {
      block.shortcut = layers.ConvNorm(name + "downsample.0", name + "downsample.1", out, features_,
                                       {.side = 1, .stride = step});
    }
    features_ = out;
  }
}

torch::Tensor ResNetStage::operator()(torch::Tensor x) const {
  for (const Block& block : blocks_) {
    torch::Tensor y = x;
    for (size_t i = 0; i < block.layers.size(); ++i) {
      y = block.layers[i](y);
      if (i + 1 < block.layers.size()) y.relu_();
    }
    x = y.add_(block.shortcut.weight.defined() ? block.shortcut(x) : x).relu_();
  }
  return x;
}

ResNetStem::ResNetStem(const std::string& conv, const std::string& norm, Layers& layers)
    : features_(layers.Outputs(conv + ".weight")) {
  conv_ = layers.ConvNorm(conv, norm, features_, 3, {.side = 7, .stride = 2});
}

torch::Tensor ResNetStem::operator()(const torch::Tensor& image) const {
  const torch::Tensor x = conv_(image.contiguous(torch::MemoryFormat::ChannelsLast)).relu_();
  return torch::max_pool2d(x, 3, 2, 1);
}

}  // namespace imgmill
