// What the two forms of Real-CUGAN have in common: see real_cugan.cpp.
#pragma once

#include <cstdint>
#include <memory>

#include "imgmill/base/result.h"
#include "torch/weights/state_dict.h"

namespace imgmill {

class LayerGraph;

inline constexpr double kCuganSlope = 0.1;  ///< of all leaky ReLUs
/// From the channels to those that decide on their weight.
inline constexpr int64_t kCuganReduction = 8;
/// Between the two U-Nets where there are layers behind them.
inline constexpr int64_t kCuganFeatures = 64;
/// Pixels that the second U-Net takes away on each side.
inline constexpr int64_t kCuganDeepMargin = 20;
inline constexpr double kCuganProRange = 0.7, kCuganProLow = 0.15;

/// The variant, read off its tensors.
struct RealCuganPlan {
  int scale = 2;
  int64_t bands = 3;
  bool pro = false;
  bool final_layer = false;  ///< a convolution and pixel shuffle behind the U-Nets
  int64_t unshuffle = 1;     ///< side of the squares that become channels

  int64_t multiple() const { return scale == 3 || unshuffle > 1 ? 4 : 2; }
  /// Mirrored pixels on each side.
  int64_t padding() const { return scale == 3 ? 14 : !final_layer ? 18 : unshuffle > 1 ? 38 : 19; }
  /// Fewer pixels than this are continued to the right and below, so that there are enough to mirror.
  int64_t least() const { return unshuffle > 1 ? 40 : 32; }
  /// How much the first U-Net enlarges.
  int64_t inner_scale() const { return scale == 3 ? 3 : 2; }
};

/// The network on our own kernels.
Result<std::shared_ptr<const LayerGraph>> RealCuganGraph(const RealCuganPlan& plan, const StateDict& weights);

}  // namespace imgmill
