// Attention among channels over all pixels of an image, as XCiT has it (El-Nouby et al., 2021): each channel
// of a head attends to the head's others, by the cosine of their planes.
#pragma once

#include "torch/architectures/image_bands.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/same_bits.h"

namespace imgmill {

/// NAME.qkv and a factor for each head. The layer behind it is the network's.
class ChannelSelfAttention {
 public:
  ChannelSelfAttention() = default;
  ChannelSelfAttention(Layers& layers, const std::string& name, int64_t features, const std::string& factor);
  /// Of a normalized image, N x H x W x C.
  /// @param values  set to all values
  torch::Tensor operator()(const torch::Tensor& image, torch::Tensor& values) const;

 private:
  int64_t heads_ = 1;
  EvenLinear qkv_;
  torch::Tensor factor_;
};

}  // namespace imgmill
