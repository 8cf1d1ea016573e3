// A network for embedding as a LibTorch module wherever there is one, from its weights.
#pragma once

#include <functional>
#include <memory>

#include "base/try.h"
#include "torch/architectures/layers.h"
#include "torch/vector_network.h"

namespace imgmill {

/// n x 3 x height x width, as the network's ModelInput has it, to n x dimension. Run by several threads at
/// once.
class EmbedNet {
 public:
  virtual ~EmbedNet() = default;
  virtual torch::Tensor Forward(const torch::Tensor& input) const = 0;
  /// Rows that its products of matrices have for each image, where all its layers are such as give the same
  /// for a row whatever stands beside it; else 0.
  virtual int64_t RowsAnImage() const { return 0; }
};

using BuildEmbedNet = std::function<Result<std::shared_ptr<const EmbedNet>>(const StateDict&, c10::Device)>;

/// Builds the network on the CPU, and tries it on an image.
/// @param input  what the network was trained to be shown
/// @param info  its `input` has the side that was asked for, or 0
Result<std::unique_ptr<Network>> MakeEmbedNetwork(const ModelInput& input, ModelInfo info,
                                                  BuildEmbedNet build,
                                                  std::shared_ptr<const StateDict> weights);

/// Makes the network that builds `Net(plan, layers)` on each device, all of whose weights are in the file,
/// and whose file has no others.
template <typename Net, typename Plan>
Result<std::unique_ptr<Network>> LoadEmbedLayers(const Plan& plan, const ModelInput& input, ModelInfo info,
                                                 std::shared_ptr<const StateDict> weights) {
  const auto build = [plan](const StateDict& dict,
                            c10::Device device) -> Result<std::shared_ptr<const EmbedNet>> {
    Layers layers(dict, device, BestConvKernels());
    auto net = std::make_shared<const Net>(plan, layers);
    TRY(layers.Finish());
    return std::shared_ptr<const EmbedNet>(std::move(net));
  };
  return MakeEmbedNetwork(input, std::move(info), build, std::move(weights));
}

/// Means and deviations of ImageNet's training images, and those that OpenAI gave for CLIP.
ModelInput ImageNetInput(int side, int shorter, ResizeFilter filter);
ModelInput ClipInput(int side);
/// Squashed, and -1 to 1.
ModelInput PlainInput(int side, ResizeFilter filter);

}  // namespace imgmill
