// Feed-forward layers with a gate that sees neighbours: of two linear layers' inner features one half is
// multiplied by the other after a depthwise convolution. DAT's and RGT's.
#pragma once

#include "torch/architectures/image_bands.h"
#include "torch/architectures/packed_linear.h"

namespace imgmill {

/// NAME.fc1, NAME.sg.norm, NAME.sg.conv, NAME.fc2.
struct SpatialGate {
  PackedLinear wide, narrow;
  LayerNorm norm;
  Convolution conv;

  SpatialGate() = default;
  SpatialGate(Layers& layers, const std::string& name, int64_t features) {
    const int64_t half = layers.Outputs(name + ".fc1.weight") / 2;
    wide = PackedLinear(layers.Dense(name + ".fc1", 2 * half, features));
    norm = layers.Norm(name + ".sg.norm", half);
    conv = layers.Conv(name + ".sg.conv", half, half, {.groups = half});
    narrow = PackedLinear(layers.Dense(name + ".fc2", features, half));
  }

  /// image += what these layers make of before(image), some rows at a time.
  void AddTo(torch::Tensor& image, const LayerNorm& before) const {
    AddInRows(image, 1, [&](const torch::Tensor& x) {
      const std::vector<torch::Tensor> halves = wide(before(x), DenseEnd::kGelu).chunk(2, 3);
      return narrow(halves[0] * conv(Planes(norm(halves[1]))).permute({0, 2, 3, 1}));
    });
  }
};

/// image += layer(x), some rows at a time.
inline void AddLinear(torch::Tensor& image, const PackedLinear& layer, const torch::Tensor& x) {
  for (int64_t y = 0; y < image.size(1); y += kLeastRows) {
    const int64_t rows = std::min(kLeastRows, image.size(1) - y);
    image.narrow(1, y, rows).add_(layer(x.narrow(1, y, rows)));
  }
}

}  // namespace imgmill
