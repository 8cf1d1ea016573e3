// Layers as their weights come out of a state dict, each name and shape checked, and nothing left over.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/try.h"
#include "torch/architectures/upscale_network.h"
#include "torch/torch_headers.h"
#include "torch/weights/state_dict.h"

namespace imgmill {

/// A convolution of stride 1 that keeps the size. Its tensors are undefined where they were only checked.
struct Convolution {
  torch::Tensor weight, bias;
  int64_t padding = 0;
  torch::Tensor operator()(const torch::Tensor& x) const {
    return torch::conv2d(x, weight, bias, /*stride=*/1, padding);
  }
};

/// Takes layers out of a state dict by name. The first thing that is wrong is kept for Finish, and later
/// layers are undefined, so that a network is written down without a check at each line.
class Layers {
 public:
  /// Only checks: what is taken is undefined.
  explicit Layers(const StateDict& weights) : weights_(weights) {}
  /// Copies what is taken to the device.
  Layers(const StateDict& weights, c10::Device device) : weights_(weights), device_(device) {}

  /// `name`.weight of out x in x side x side, and `name`.bias. Its weights are channels last.
  Convolution Conv(const std::string& name, int64_t out, int64_t in, int64_t side = 3);

  bool Has(std::string_view name) const { return weights_.Find(name) != nullptr; }
  /// The first side of that tensor: its layer's outputs. -1 where there is none.
  int64_t Outputs(std::string_view name) const;
  /// The network has no use for this tensor, which may be there.
  void PassOver(const std::string& name);

  /// A kModelError that names the tensor and what was expected of it: one that is missing or has another
  /// shape, or, where all were found, one that nobody took.
  Status Finish() const;

 private:
  torch::Tensor Take(const std::string& name, const std::vector<int64_t>& shape);

  const StateDict& weights_;
  std::optional<c10::Device> device_;
  std::set<std::string, std::less<>> taken_;
  Status status_;
};

/// The scale of a pixel shuffle to three colours; 0 where no scale up to 8 has so many channels.
int ShuffleScale(int64_t channels);

/// Checks that the weights are those of `Net(plan, layers)`, and makes the network that builds it on each
/// device.
template <typename Net, typename Plan>
Result<std::unique_ptr<Network>> LoadLayers(const Plan& plan, UpscaleNetworkParts parts,
                                            std::shared_ptr<const StateDict> weights) {
  Layers check(*weights);
  const Net checked(plan, check);
  TRY(check.Finish());
  parts.build = [plan](const StateDict& dict, c10::Device device) -> Result<std::shared_ptr<UpscaleNet>> {
    Layers layers(dict, device);
    auto net = std::make_shared<Net>(plan, layers);
    TRY(layers.Finish());
    return std::shared_ptr<UpscaleNet>(std::move(net));
  };
  return MakeUpscaleNetwork(std::move(parts), std::move(weights));
}

}  // namespace imgmill
