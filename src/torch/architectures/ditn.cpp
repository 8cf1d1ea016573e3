// DITN (Liu et al., "Unfolding Once is Enough: A Deployment-Friendly Transformer Unit for Super-Resolution",
// 2023), in the form that its authors trained for real-world images: squares of 8 pixels, in each of which
// the channels attend to each other, then large kernels over the whole image; no normalization but by the
// tangent.
//
// Weights: sft, UFONE.0.ITLs.0.attn.temperature, UFONE.0.SALs.0.SDA.DConvs.0, conv_after_body, upsample.0.
#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/gated_feed_forward.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/upscale_network.h"

namespace imgmill {
namespace {

constexpr int64_t kSquare = 8;  ///< leaves no trace in the weights
constexpr double kLeastNorm = 1e-12;
constexpr int64_t kNear = 5, kFar = 7,
                  kApart = 3;  ///< sides of the large kernels; pixels of the far one lie apart

struct Plan {
  int64_t bands = 3, features = 0, inner = 0;  ///< inner: of the layers for each pixel
  int units = 0, square_blocks = 0, image_blocks = 0;
  int scale = 0;
  bool bias = false;

  int64_t radius() const {
    const int64_t block = kNear / 2 + kApart * (kFar / 2) + 1;
    return 3 + units * (kSquare - 1 + image_blocks * block);
  }
};

std::string Unit(int64_t number) {
  return "UFONE." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("sft.weight");
  const WeightTensor* wide = weights.Find("UFONE.0.ITLs.0.ffn.project_in.weight");
  const WeightTensor* last = weights.Find("upsample.0.weight");
  if (first == nullptr || wide == nullptr || last == nullptr ||
      weights.Find("UFONE.0.ITLs.0.attn.temperature") == nullptr)
    return false;
  plan.features = first->dim(0);
  plan.bands = first->dim(1);
  plan.inner = wide->dim(0) / 2;
  plan.bias = weights.Find("UFONE.0.ITLs.0.attn.project_out.bias") != nullptr;
  const auto count = [&](const std::string& in) {
    return CountOf(weights, 0, [&](int i) { return in + std::to_string(i) + ".conv1.weight"; });
  };
  plan.units = CountOf(weights, 0, [](int i) { return Unit(i) + ".ITLs.0.conv1.weight"; });
  plan.square_blocks = count("UFONE.0.ITLs.");
  plan.image_blocks = count("UFONE.0.SALs.");
  plan.scale = ShuffleScale(last->dim(0), plan.bands);
  constexpr int64_t kMost = 1 << 16;  // products of two are counted
  return (plan.bands == 1 || plan.bands == 3) && plan.scale > 0 && plan.features > 0 &&
         plan.features <= kMost && plan.inner > 0 && plan.inner <= kMost && plan.units > 0;
}

/// NAME.attn: each channel of a square attends to all others, by the cosine of their pixels.
class SquareAttention {
 public:
  SquareAttention(Layers& layers, const std::string& name, const Plan& plan)
      : qkv_(layers.Dense(name + ".qkv", 3 * plan.features, plan.features)),
        out_(
            layers.Conv(name + ".project_out", plan.features, plan.features, {.side = 1, .bias = plan.bias})),
        factor_(layers.Parameter(name + ".temperature", {1, 1, 1})) {}
  /// Squares x C x side x side.
  torch::Tensor operator()(const torch::Tensor& x) const {
    // Squares x C x pixels each.
    const std::vector<torch::Tensor> parts = qkv_(x.flatten(2).transpose(1, 2)).transpose(1, 2).chunk(3, 1);
    const auto unit = [](const torch::Tensor& of) {
      return of / of.norm(2, {2}, /*keepdim=*/true).clamp_min_(kLeastNorm);
    };
    const torch::Tensor alike = torch::matmul(unit(parts[0]), unit(parts[1]).transpose(1, 2)).mul_(factor_);
    return out_(torch::matmul(torch::softmax(alike, 2), parts[2]).view_as(x));
  }

 private:
  Linear qkv_;
  Convolution out_;
  torch::Tensor factor_;
};

/// NAME.SDA: half of the channels, seen far, weigh the other half.
class FarWeighing {
 public:
  FarWeighing(Layers& layers, const std::string& name, const Plan& plan) {
    const int64_t features = plan.features;
    first_ = layers.Conv(name + ".proj_first.0", 2 * features, features, 1);
    last_ = layers.Conv(name + ".proj_last.0", features, features, 1);
    near_ = layers.Conv(name + ".DConvs.0", features, features, {.side = kNear, .groups = features});
    far_ = layers.Conv(name + ".DConvs.1", features, features,
                       {.side = kFar, .groups = features, .dilation = kApart});
    across_ = layers.Conv(name + ".DConvs.2", features, features, 1);
    share_ = layers.Parameter(name + ".scale", {1, features, 1, 1});
  }
  torch::Tensor operator()(const torch::Tensor& x) const {
    const std::vector<torch::Tensor> halves = first_(x).chunk(2, 1);
    return last_(across_(far_(near_(halves[0]))).mul_(halves[1])).mul_(share_);
  }

 private:
  Convolution first_, last_, near_, far_, across_;
  torch::Tensor share_;
};

/// The tangent, NAME.conv1 and an attention, added; the tangent, NAME.conv2 and NAME.ffn, added.
template <typename Attention>
class TangentBlock {
 public:
  TangentBlock(Layers& layers, const std::string& name, const char* attention, const Plan& plan)
      : first_(layers.Conv(name + ".conv1", plan.features, plan.features, 1)),
        second_(layers.Conv(name + ".conv2", plan.features, plan.features, 1)),
        attention_(layers, name + attention, plan),
        inner_(layers, name + ".ffn", plan.features, plan.inner, plan.bias) {}
  torch::Tensor operator()(const torch::Tensor& input) const {
    const torch::Tensor x = attention_(first_(input.tanh())).add_(input);
    return inner_(second_(x.tanh())).add_(x);
  }

 private:
  Convolution first_, second_;
  Attention attention_;
  GatedFeedForward inner_;
};

class DitnNet final : public UpscaleNet {
 public:
  DitnNet(const Plan& plan, Layers& layers) : scale_(plan.scale) {
    first_ = layers.Conv("sft", plan.features, plan.bands);
    for (int u = 0; u < plan.units; ++u) {
      UnitLayers& unit = units_.emplace_back();
      for (int b = 0; b < plan.square_blocks; ++b)
        unit.squares.emplace_back(layers, Unit(u) + ".ITLs." + std::to_string(b), ".attn", plan);
      for (int b = 0; b < plan.image_blocks; ++b)
        unit.image.emplace_back(layers, Unit(u) + ".SALs." + std::to_string(b), ".SDA", plan);
    }
    after_ = layers.Conv("conv_after_body", plan.features, plan.features);
    last_ = layers.Conv("upsample.0", plan.bands * plan.scale * plan.scale, plan.features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2) * scale_, width = input.size(3) * scale_;
    const torch::Tensor first = first_(ContinuedToMultiple(input, kSquare));
    torch::Tensor x = first;
    for (const UnitLayers& unit : units_) {
      torch::Tensor squares = ToSquares(x);
      for (const auto& block : unit.squares) squares = block(squares);
      x = FromSquares(squares, x);
      for (const auto& block : unit.image) x = block(x);
    }
    x = last_(after_(x).add_(first));
    return torch::pixel_shuffle(x, scale_).slice(2, 0, height).slice(3, 0, width);
  }

 private:
  struct UnitLayers {
    std::vector<TangentBlock<SquareAttention>> squares;
    std::vector<TangentBlock<FarWeighing>> image;
  };

  static torch::Tensor ToSquares(const torch::Tensor& x) {
    return x.unflatten(2, {-1, kSquare})
        .unflatten(4, {-1, kSquare})
        .permute({0, 2, 4, 1, 3, 5})
        .reshape({-1, x.size(1), kSquare, kSquare});
  }
  static torch::Tensor FromSquares(const torch::Tensor& squares, const torch::Tensor& like) {
    const int64_t rows = like.size(2) / kSquare, columns = like.size(3) / kSquare;
    return squares.reshape({like.size(0), rows, columns, like.size(1), kSquare, kSquare})
        .permute({0, 3, 1, 4, 2, 5})
        .reshape(like.sizes());
  }

  int64_t scale_;
  Convolution first_, after_, last_;
  std::vector<UnitLayers> units_;
};

class DitnArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "DITN"; }
  std::string_view known_by() const override { return "DITN_Real_x4"; }

  std::vector<Telltales> telltales() const override {
    return {{"sft.weight", "UFONE.0.ITLs.0.attn.temperature", "UFONE.0.ITLs.0.ffn.project_in.weight",
             "conv_after_body.weight", "upsample.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    info.receptive_radius = static_cast<int>(plan.radius());
    info.tile_grid = kSquare;
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    // The first features and a block's, both in two orders; attention's three parts in three forms, or the
    // layers for each pixel, both halves before and behind the one that looks around, and once more in
    // another order; at the end the channels of all output pixels, twice.
    const int64_t inner = std::max(12 * plan.features, 7 * plan.inner);
    const int64_t floats =
        std::max(4 * plan.features + inner, 3 * plan.features + 2 * plan.bands * plan.scale * plan.scale) +
        2 * plan.bands;
    // What attention among channels holds for each square.
    const int64_t alike = (2 * plan.features * plan.features + kSquare * kSquare - 1) / (kSquare * kSquare);
    parts.bytes = [floats = floats + alike](int height, int width) {
      return static_cast<size_t>(floats * ToMultiple(height, kSquare) * ToMultiple(width, kSquare)) *
             sizeof(float);
    };
    return LoadLayers<DitnNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 256;
};

const DitnArchitecture instance;

}  // namespace

extern const Architecture& kDitn;
const Architecture& kDitn = instance;

}  // namespace imgmill
