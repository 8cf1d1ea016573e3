// Layers as their weights come out of a state dict, each name and shape checked, and nothing left over.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/try.h"
#include "torch/architectures/upscale_network.h"
#include "torch/kernels/kernel_choice.h"
#include "torch/torch_headers.h"
#include "torch/weights/state_dict.h"

namespace imgmill {

/// How a convolution differs from the usual one: 3x3, of stride 1, that keeps the size and has a bias.
struct ConvShape {
  int64_t side = 3;
  int64_t width = 0;  ///< of the kernel; 0: as wide as high
  int64_t stride = 1;
  int64_t groups = 1;    ///< as many as inputs: depthwise
  int64_t padding = -1;  ///< -1: what keeps the size
  int64_t dilation = 1;
  bool bias = true;
};

/// Tensors of layers are undefined where they were only checked.
struct Convolution {
  torch::Tensor weight, bias;
  ConvShape shape;
  /// The CPU's, for large maps and the usual shape; null where LibTorch does it all.
  const ConvKernels* kernels = nullptr;
  torch::Tensor operator()(const torch::Tensor& x) const;
};

/// y = x W^T + b over the last dimension.
struct Linear {
  torch::Tensor weight, bias;
  torch::Tensor operator()(const torch::Tensor& x) const { return torch::linear(x, weight, bias); }
};

/// Layer normalization over the last dimension.
struct LayerNorm {
  torch::Tensor weight, bias;
  double epsilon = 1e-5;
  torch::Tensor operator()(const torch::Tensor& x) const {
    return torch::layer_norm(x, weight.sizes(), weight, bias, epsilon);
  }
};

/// Takes layers out of a state dict by name. The first thing that is wrong is kept for Finish, and later
/// layers are undefined, so that a network is written down without a check at each line.
class Layers {
 public:
  /// Only checks: what is taken is undefined.
  explicit Layers(const StateDict& weights) : weights_(weights) {}
  /// Copies what is taken to that place.
  /// @param kernels  of convolutions on the CPU; null for LibTorch's
  Layers(const StateDict& weights, const NetPlace& place, const ConvKernels* kernels = nullptr)
      : weights_(weights), place_(place), kernels_(place.device.is_cpu() ? kernels : nullptr) {}

  /// `name`.weight of out x (in / groups) x side x side, and `name`.bias. Its weights are channels last.
  Convolution Conv(const std::string& name, int64_t out, int64_t in, const ConvShape& shape = {});
  Convolution Conv(const std::string& name, int64_t out, int64_t in, int64_t side) {
    return Conv(name, out, in, ConvShape{.side = side});
  }
  /// A convolution, with a bias or without, with the batch normalization behind it (`norm`.weight, bias,
  /// running_mean and running_var) folded in.
  Convolution ConvNorm(const std::string& conv, const std::string& norm, int64_t out, int64_t in,
                       ConvShape shape = {}, double epsilon = 1e-5);
  /// `name`.weight of out x in, and `name`.bias.
  Linear Dense(const std::string& name, int64_t out, int64_t in, bool bias = true);
  /// `name`.weight and `name`.bias of so many features.
  LayerNorm Norm(const std::string& name, int64_t features, double epsilon = 1e-5);
  /// A tensor of just this shape.
  torch::Tensor Parameter(const std::string& name, const std::vector<int64_t>& shape);

  bool Has(std::string_view name) const { return weights_.Find(name) != nullptr; }
  /// The first side of that tensor: its layer's outputs. -1 where there is none.
  int64_t Outputs(std::string_view name) const { return Side(name, 0); }
  /// Any of its sides.
  int64_t Side(std::string_view name, size_t index) const;
  /// The network has no use for this tensor, which may be there.
  void PassOver(const std::string& name);
  /// Nor for any whose name ends so: ".relative_position_index", which follows from the shape.
  void PassOverAll(std::string_view ending);
  /// Nor for any whose name begins so: "text_model.", a part that is not needed.
  void PassOverBelow(std::string_view beginning);

  /// A kModelError that names the tensor and what was expected of it: one that is missing or has another
  /// shape, or, where all were found, one that nobody took.
  Status Finish() const;

 private:
  const StateDict& weights_;
  std::optional<NetPlace> place_;
  const ConvKernels* kernels_ = nullptr;
  std::set<std::string, std::less<>> taken_;
  Status status_;
};

/// The scale of a pixel shuffle to so many bands; 0 where no scale up to 8 has so many channels.
int ShuffleScale(int64_t channels, int64_t bands = 3);

/// How many of the names with growing numbers there are, from `first` on. One that is missing before another
/// is counted, so that it is named when its layer is made.
template <typename Name>
int CountOf(const StateDict& weights, int first, const Name& name) {
  const auto has = [&](int number) { return weights.Find(name(first + number)) != nullptr; };
  int count = 0;
  while (has(count) || (count > 0 && has(count + 1))) ++count;
  return count;
}

/// N x C x H x W, continued below and to the right to multiples of `multiple` by mirrored pixels; by the last
/// one again where there are too few to mirror.
torch::Tensor PaddedToMultiple(const torch::Tensor& x, int64_t multiple);

/// Checks that the weights are those of `Net(plan, layers)`, and makes the network that builds it on each
/// device.
template <typename Net, typename Plan>
Result<std::unique_ptr<Network>> LoadLayers(const Plan& plan, UpscaleNetworkParts parts,
                                            std::shared_ptr<const StateDict> weights) {
  Layers check(*weights);
  const Net checked(plan, check);
  TRY(check.Finish());
  parts.build = [plan](const StateDict& dict, const NetPlace& place) -> Result<std::shared_ptr<UpscaleNet>> {
    Layers layers(dict, place, BestConvKernels());
    auto net = std::make_shared<Net>(plan, layers);
    TRY(layers.Finish());
    return std::shared_ptr<UpscaleNet>(std::move(net));
  };
  parts.module_kernels = BestConvKernels();
  return MakeUpscaleNetwork(std::move(parts), std::move(weights));
}

}  // namespace imgmill
