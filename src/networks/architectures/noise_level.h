// Networks that are told how strong the noise is that they are to take away: a band of one value beside the
// image's.
#pragma once

#include "imgmill/base/result.h"
#include "imgmill/infer/model_runtime.h"
#include "networks/weights/state_dict.h"

namespace imgmill {

/// The standard deviation that such a network is told, of 1: what the file's metadata `noise_level` says, of
/// 255, or 15 where it says nothing, which is then among what `info` has as assumed. A kModelError where the
/// metadata is no number from 0 to 255. Says in `info` that the network takes one.
Result<double> NoiseLevel(const StateDict& weights, ModelInfo& info);

}  // namespace imgmill
