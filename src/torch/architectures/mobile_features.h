// What networks for phones make of an image: blocks of depthwise convolutions and the average behind them.
#pragma once

#include <vector>

#include "torch/architectures/layers.h"
#include "torch/architectures/mobile_plan.h"

namespace imgmill {

/// In place where it can be.
torch::Tensor Activated(torch::Tensor x, MobileActivation activation);

/// All of a plan but the layer behind the average.
class MobileFeatures {
 public:
  MobileFeatures(const MobilePlan& plan, Layers& layers);
  /// n x 3 x height x width to n x features().
  torch::Tensor operator()(const torch::Tensor& input) const;
  int64_t features() const { return features_; }

 private:
  struct Block {
    Convolution expand, depthwise, squeeze, excite, project;
    MobileActivation activation = MobileActivation::kRelu6;
    bool adds_input = false;
  };

  torch::Tensor Convolved(const Convolution& layer, const torch::Tensor& x) const;
  static void Weigh(const Block& block, torch::Tensor& x);

  bool same_padding_;
  MobileActivation activation_;
  Convolution stem_, last_;
  std::vector<Block> blocks_;
  int64_t features_ = 0;
};

}  // namespace imgmill
