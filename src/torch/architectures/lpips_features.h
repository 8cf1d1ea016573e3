// The layers of LPIPS: features of an image on AlexNet, VGG-16 or SqueezeNet 1.1, a slice after the other.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "torch/architectures/layers.h"

namespace imgmill {

/// One layer of a slice, known by its number in torchvision's list: a convolution with ReLU, a "fire" of
/// three, or a pooling.
struct LpipsLayer {
  enum class Kind { kConv, kFire, kPool } kind = Kind::kConv;
  int number = 0;
  ConvShape shape = {};
};

struct LpipsBackbone {
  std::string_view name;
  std::string_view last;  ///< a tensor that the others do not have
  std::vector<std::vector<LpipsLayer>> slices;
  int64_t pool = 2;  ///< side of the pooling, whose stride is 2
  bool ceils = false;
};

/// Null if these are not the weights of one.
const LpipsBackbone* LpipsBackboneOf(const StateDict& weights);

class LpipsFeatures {
 public:
  LpipsFeatures(const LpipsBackbone& plan, Layers& layers);

  size_t slices() const { return plan_.slices.size(); }
  /// n x 3 x height x width of -1 to 1, as the first slice takes it.
  torch::Tensor Scaled(const torch::Tensor& image) const { return (image - shift_) / scale_; }
  /// Features of slice i, from those of the one before.
  torch::Tensor Slice(size_t i, torch::Tensor features) const;
  /// Pixels from one place of that slice to the next.
  int64_t Stride(size_t i) const { return strides_[i]; }
  /// 1 x features x 1 x 1: the weight of each, at least 0.
  const torch::Tensor& Weights(size_t i) const { return weights_[i]; }

 private:
  const LpipsBackbone& plan_;
  torch::Tensor shift_, scale_;
  std::vector<std::vector<Convolution>> convolutions_;  ///< of each slice, in the order in which they are run
  std::vector<int64_t> strides_;
  std::vector<torch::Tensor> weights_;
};

}  // namespace imgmill
