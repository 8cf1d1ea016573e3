// Networks that are told how strong the noise is that they are to take away: a band of one value beside the
// image's.
#pragma once

#include "torch/network.h"
#include "torch/torch_headers.h"
#include "torch/weights/state_dict.h"

namespace imgmill {

/// The standard deviation that such a network is told, of 1: what the file's metadata `noise_level` says, of
/// 255, or 15 where it says nothing, which is then among what `info` has as assumed. A kModelError where the
/// metadata is no number from 0 to 255. Says in `info` that the network takes one.
Result<double> NoiseLevel(const StateDict& weights, ModelInfo& info);

/// N x C x H x W with one more band of that value.
torch::Tensor WithNoiseLevel(const torch::Tensor& image, double level);

}  // namespace imgmill
