// Networks for phones, all made of the same blocks, as they are read off the names and shapes of their
// layouts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/model_input.h"
#include "networks/weights/state_dict.h"

namespace imgmill {

enum class MobileActivation { kRelu, kRelu6, kHardSwish, kSilu };

/// A convolution and the batch normalization behind it, by their names. Empty: not there.
struct MobileLayer {
  std::string conv = {}, norm = {};
};

/// Widen, filter each band by itself, weigh the bands by what they are all over the image, narrow. Weights
/// come from a sigmoid where the block's activation is SiLU, otherwise from its straight form.
struct MobileBlock {
  MobileLayer expand, depthwise, project;
  std::string squeeze = {}, excite = {};  ///< two layers; empty: the bands are not weighed
  int64_t stride = 1;
  MobileActivation activation = MobileActivation::kRelu6;
};

struct MobilePlan {
  std::string name;  ///< "MobileNetV2"
  MobileLayer stem, last;
  std::vector<MobileBlock> blocks;
  MobileActivation activation = MobileActivation::kRelu6;  ///< of stem, last and head
  std::string head = {};  ///< a layer behind the average; empty: the average is the vector
  double epsilon = 1e-5;
  /// TensorFlow's padding: what a stride leaves over is one more at the end.
  bool same_padding = false;
  ModelInput input;
};

/// MobileNet or EfficientNet-Lite0. Nothing where the weights are of another network.
std::optional<MobilePlan> ReadMobilePlan(const StateDict& weights);

/// An EfficientNet of any size, by timm and trained by PyTorch; its `input` is not set. Nothing where the
/// weights are of another network.
std::optional<MobilePlan> ReadEfficientNetPlan(const StateDict& weights);

}  // namespace imgmill
