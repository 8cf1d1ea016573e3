// One stage of a ResNet, for the networks that are built around one.
#pragma once

#include <string>
#include <vector>

#include "torch/architectures/layers.h"

namespace imgmill {

/// Basic blocks of two convolutions, or bottlenecks of three, also wide or grouped ones, as torchvision
/// names them: "0.conv1", "0.bn1", "0.downsample.0".
class ResNetStage {
 public:
  ResNetStage() = default;
  /// @param beginning  what stands in front of a block's number: "layer1."
  /// @param stride  of the first block
  ResNetStage(const std::string& beginning, int64_t in, int64_t stride, Layers& layers);
  /// Leaves its input as it is.
  torch::Tensor operator()(torch::Tensor x) const;
  int64_t features() const { return features_; }

 private:
  struct Block {
    std::vector<Convolution> layers;
    Convolution shortcut;  ///< undefined where the input itself is added
  };
  std::vector<Block> blocks_;
  int64_t features_ = 0;
};

/// The convolution of 7x7 and the pooling in front of the first stage, by the names of its tensors: a quarter
/// of the image's size, each way.
class ResNetStem {
 public:
  ResNetStem() = default;
  ResNetStem(const std::string& conv, const std::string& norm, Layers& layers);
  torch::Tensor operator()(const torch::Tensor& image) const;
  int64_t features() const { return features_; }

 private:
  Convolution conv_;
  int64_t features_ = 0;
};

}  // namespace imgmill
