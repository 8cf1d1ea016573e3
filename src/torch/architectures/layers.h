// Layers as their weights come out of a state dict, each name and shape checked, and nothing left over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/try.h"
#include "networks/kernels/kernel_choice.h"
#include "networks/taken_tensors.h"
#include "torch/architectures/upscale_network.h"
#include "torch/torch_headers.h"

namespace imgmill {

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

/// Takes layers out of a state dict by name: see TakenTensors.
class Layers : public TakenTensors {
 public:
  /// Only checks: what is taken is undefined.
  explicit Layers(const StateDict& weights) : TakenTensors(weights) {}
  /// Copies what is taken to that place.
  /// @param kernels  of convolutions on the CPU; null for LibTorch's
  Layers(const StateDict& weights, const NetPlace& place, const ConvKernels* kernels = nullptr)
      : TakenTensors(weights), place_(place), kernels_(place.device.is_cpu() ? kernels : nullptr) {}

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

 private:
  torch::Tensor Copied(const WeightTensor* tensor);

  std::optional<NetPlace> place_;
  const ConvKernels* kernels_ = nullptr;
};

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
