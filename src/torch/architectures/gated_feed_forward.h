// The layers for each pixel that Restormer has (Zamir et al., 2022), and networks after it: NAME.project_in,
// NAME.dwconv on two halves, of which one is the other's gate, NAME.project_out.
#pragma once

#include "torch/architectures/layers.h"

namespace imgmill {

class GatedFeedForward {
 public:
  GatedFeedForward(Layers& layers, const std::string& name, int64_t features, int64_t inner, bool bias)
      : wide_(layers.Conv(name + ".project_in", 2 * inner, features, {.side = 1, .bias = bias})),
        depthwise_(layers.Conv(name + ".dwconv", 2 * inner, 2 * inner, {.groups = 2 * inner, .bias = bias})),
        narrow_(layers.Conv(name + ".project_out", features, inner, {.side = 1, .bias = bias})) {}
  /// Of N x features x H x W.
  torch::Tensor operator()(const torch::Tensor& x) const {
    const std::vector<torch::Tensor> halves = depthwise_(wide_(x)).chunk(2, 1);
    return narrow_(torch::gelu(halves[0]).mul_(halves[1]));
  }

 private:
  Convolution wide_, depthwise_, narrow_;
};

}  // namespace imgmill
