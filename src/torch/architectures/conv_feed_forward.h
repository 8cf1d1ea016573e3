// Two linear layers for each pixel with a depthwise convolution between them, added to what it sees:
// SRFormer's and ATD's feed-forward layers.
#pragma once

#include "torch/architectures/image_bands.h"
#include "torch/architectures/packed_linear.h"

namespace imgmill {

/// NAME.fc1, NAME.dwconv.depthwise_conv.0, NAME.fc2.
struct ConvFeedForward {
  PackedLinear wide, narrow;
  Convolution depthwise;
  int64_t reach = 0;  ///< of the convolution

  ConvFeedForward() = default;
  ConvFeedForward(Layers& layers, const std::string& name, int64_t features) {
    const std::string conv = name + ".dwconv.depthwise_conv.0";
    const int64_t inner = layers.Outputs(name + ".fc1.weight"), side = layers.Side(conv + ".weight", 2);
    wide = PackedLinear(layers.Dense(name + ".fc1", inner, features));
    depthwise = layers.Conv(conv, inner, inner, {.side = side, .groups = inner});
    narrow = PackedLinear(layers.Dense(name + ".fc2", features, inner));
    reach = side / 2;
  }

  /// Of N x H x W x C.
  torch::Tensor operator()(const torch::Tensor& x) const {
    torch::Tensor y = wide(x, DenseEnd::kGelu);
    const torch::Tensor around = depthwise(Planes(y));
    return narrow(y.add_(torch::gelu(around).permute({0, 2, 3, 1})));
  }
  /// image += operator()(norm(image)), some rows at a time.
  void AddTo(torch::Tensor& image, const LayerNorm& norm) const {
    AddInRows(image, reach, [&](const torch::Tensor& x) { return (*this)(norm(x)); });
  }
};

}  // namespace imgmill
