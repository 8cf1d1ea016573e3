// A 1x1 convolution over maps that lie one behind another in its channels, without putting them together.
#pragma once

#include "torch/architectures/layers.h"
#include "torch/architectures/same_bits.h"

namespace imgmill {

/// The sum of what each map contributes. A map can go as soon as it was added, so that a network that joins
/// what many layers gave need not hold it all.
class JoinedConv {
 public:
  /// @param layer  1x1; must outlive it
  explicit JoinedConv(const Convolution& layer) : layer_(layer) {}

  /// The next map: the layer's next channels.
  void Add(const torch::Tensor& map) {
    const torch::Tensor weight =
        layer_.weight.narrow(1, next_, map.size(1)).contiguous(torch::MemoryFormat::ChannelsLast);
    next_ += map.size(1);
    if (sum_.defined()) {
      sum_.add_(Conv2d(map, weight, {}));
    } else {
      sum_ = Conv2d(map, weight, layer_.bias);
    }
  }

  /// Of all maps; the caller's own.
  torch::Tensor Take() { return std::move(sum_); }

 private:
  const Convolution& layer_;
  torch::Tensor sum_;
  int64_t next_ = 0;
};

}  // namespace imgmill
