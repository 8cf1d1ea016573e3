// Layers that make one pixel of a square of four, and a square of four of one.
#pragma once

#include "torch/architectures/layers.h"
#include "torch/architectures/same_bits.h"

namespace imgmill {

/// A transposed convolution that makes a square of four pixels of each.
class Doubling {
 public:
  Doubling() = default;
  Doubling(Layers& layers, const std::string& name, int64_t out, int64_t in, bool bias)
      : weight_(layers.Parameter(name + ".weight", {in, out, 2, 2})) {
    if (bias) bias_ = layers.Parameter(name + ".bias", {out});
  }
  torch::Tensor operator()(const torch::Tensor& x) const {
    return ConvTransposed2d(x, weight_, bias_, /*stride=*/2);
  }

 private:
  torch::Tensor weight_, bias_;
};

/// A convolution that makes one pixel of each square of four.
inline Convolution Halving(Layers& layers, const std::string& name, int64_t out, int64_t in, bool bias) {
  return layers.Conv(name, out, in, {.side = 2, .stride = 2, .padding = 0, .bias = bias});
}

}  // namespace imgmill
