// LPIPS 0.1 (Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR
// 2018) on AlexNet, VGG-16 and SqueezeNet 1.1, as lpips.LPIPS(net=...).state_dict() saves it: net.slice1.0,
// lin0.model.1, scaling_layer.
//
// The distance of two images is the sum over layers of the mean over places of sum_c w_c (a_c - b_c)^2, where
// a and b are features of length 1 at each place. So it is the squared distance of two vectors: of all
// features, each multiplied by the root of its weight over the number of places. The network gives that
// vector, or, of two large images, the sums of distances by place.
#include <algorithm>
#include <cmath>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/lpips_features.h"

namespace imgmill {
namespace {

/// The patches of the paper's own data set.
constexpr int kSide = 64;

/// Added to lengths, as the authors do, so that features of 0 stay 0.
constexpr double kLeastLength = 1e-10;

/// The deepest layers have a place every 16 pixels, and see at most 112 around it: 90 before and 105 after
/// its first pixel on VGG-16, 66 and 96 on AlexNet, 88 and 118 on SqueezeNet.
constexpr int kCellSide = 16, kContext = 112;

/// Of each image a vector whose squared distance from another's is LPIPS.
class LpipsVectors final : public EmbedNet {
 public:
  LpipsVectors(const LpipsBackbone* plan, Layers& layers) : features_(*plan, layers) {
    for (size_t i = 0; i < features_.slices(); ++i) {
      const torch::Tensor& weights = features_.Weights(i);
      roots_.push_back(weights.defined() ? weights.sqrt() : weights);
    }
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = features_.Scaled(input);
    std::vector<torch::Tensor> parts;
    for (size_t i = 0; i < features_.slices(); ++i) {
      x = features_.Slice(i, x);
      const double places = static_cast<double>(x.size(2) * x.size(3));
      const torch::Tensor length = x.square().sum(1, /*keepdim=*/true).sqrt() + kLeastLength;
      parts.push_back((x / length * (roots_[i] / std::sqrt(places))).flatten(1));
    }
    return torch::cat(parts, 1);
  }

 private:
  LpipsFeatures features_;
  std::vector<torch::Tensor> roots_;
};

/// Of two images, the first above the second, the distances by cells.
class LpipsPairs final : public EmbedNet {
 public:
  struct Plan {
    const LpipsBackbone* backbone = nullptr;
    PairCells cells;
  };
  LpipsPairs(const Plan& plan, Layers& layers) : features_(*plan.backbone, layers), cells_(plan.cells) {}

  torch::Tensor Forward(const torch::Tensor& input) const override {
    const int64_t height = input.size(2) / 2;
    torch::Tensor a = features_.Scaled(input.narrow(2, 0, height));
    torch::Tensor b = features_.Scaled(input.narrow(2, height, height));
    std::vector<torch::Tensor> sums, places;
    for (size_t i = 0; i < features_.slices(); ++i) {
      a = features_.Slice(i, std::move(a));
      b = features_.Slice(i, std::move(b));
      const int64_t across = cells_.side / features_.Stride(i);  // places in a cell, each way
      const torch::Tensor distances = Distances(a, b, features_.Weights(i));
      sums.push_back(ByCells(distances, across));
      places.push_back(ByCells(torch::ones_like(distances), across));
    }
    sums.insert(sums.end(), places.begin(), places.end());
    return torch::cat(sums, 1);
  }

 private:
  /// n x height x width: sum_c w_c (a_c - b_c)^2 of features of length 1. By strips, so that only a few rows
  /// are there twice.
  static torch::Tensor Distances(const torch::Tensor& a, const torch::Tensor& b,
                                 const torch::Tensor& weights) {
    constexpr int64_t kStrip = 16;
    std::vector<torch::Tensor> strips;
    for (int64_t y = 0; y < a.size(2); y += kStrip) {
      const int64_t rows = std::min(kStrip, a.size(2) - y);
      const auto unit = [&](const torch::Tensor& x) {
        const torch::Tensor strip = x.narrow(2, y, rows);
        return strip / (strip.square().sum(1, /*keepdim=*/true).sqrt() + kLeastLength);
      };
      strips.push_back(((unit(a) - unit(b)).square_() * weights).sum(1));
    }
    return torch::cat(strips, 1);
  }

  /// n x (cells): sums over `across` x `across` values.
  torch::Tensor ByCells(const torch::Tensor& values, int64_t across) const {
    const int64_t n = values.size(0), side = cells_.across * across;
    torch::Tensor padded = torch::zeros({n, side, side}, values.options());
    padded.narrow(1, 0, values.size(1)).narrow(2, 0, values.size(2)).copy_(values);
    return padded.view({n, cells_.across, across, cells_.across, across}).sum({2, 4}).flatten(1);
  }

  LpipsFeatures features_;
  PairCells cells_;
};

/// A squared distance has no weights below 0.
Status CheckWeights(const StateDict& weights, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const std::string name = "lin" + std::to_string(i) + ".model.1.weight";
    const WeightTensor* tensor = weights.Find(name);
    if (tensor == nullptr) continue;  // told by the layers
    const Buffer values = TRY(ToFloats(*tensor));
    const auto* value = reinterpret_cast<const float*>(values.data());
    for (int64_t j = 0; j < tensor->count(); ++j) {
      if (value[j] < 0)
        return WeightError("its tensor " + name + " has weights below 0: what it measures is no distance");
    }
  }
  return {};
}

class LpipsArchitecture final : public Architecture {
 public:
  std::string_view name() const override { return "LPIPS"; }
  std::string_view known_by() const override { return "LPIPS 0.1 with its backbone: alex, vgg, squeeze"; }
  ModelTask task() const override { return ModelTask::kCompare; }

  std::string Variant(const StateDict& weights) const override {
    const LpipsBackbone* backbone = LpipsBackboneOf(weights);
    return std::string(name()) + (backbone == nullptr ? "" : " on " + std::string(backbone->name));
  }

  std::vector<Telltales> telltales() const override {
    return {{"net.slice1.0.weight", "lin0.model.1.weight", "scaling_layer.shift"}};
  }

  bool Matches(const StateDict& weights) const override { return LpipsBackboneOf(weights) != nullptr; }

  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    const LpipsBackbone* backbone = LpipsBackboneOf(*weights);
    if (backbone == nullptr) return WeightError("it is not an LPIPS");
    TRY(CheckWeights(*weights, backbone->slices.size()));
    info.compares = true;
    if (info.pair_cells) {
      const int side = info.input->side;
      const PairCells cells = {static_cast<int>(backbone->slices.size()), kCellSide,
                               (side + kCellSide - 1) / kCellSide, kContext};
      info.pair_cells = cells;
      return LoadEmbedLayers<LpipsPairs>(LpipsPairs::Plan{backbone, cells},
                                         PlainInput(side, ResizeFilter::kTriangle), std::move(info),
                                         std::move(weights));
    }
    return LoadEmbedLayers<LpipsVectors>(backbone, PlainInput(kSide, ResizeFilter::kTriangle),
                                         std::move(info), std::move(weights));
  }
};

const LpipsArchitecture instance;

}  // namespace

extern const Architecture& kLpips;
const Architecture& kLpips = instance;

}  // namespace imgmill
