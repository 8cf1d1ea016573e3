// ATD (Zhang et al., "Transcending the Limit of Local Window: Advanced Super-Resolution Transformer with
// Adaptive Token Dictionary", 2024): blocks whose pixels attend to windows, to a dictionary of tokens that
// the image refines from block to block, and to pixels anywhere that are closest to the same token. Weights:
// layers.0.residual_group.td, layers.0.residual_group.layers.0.attn_atd.wq.
#include <algorithm>
#include <cmath>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/conv_feed_forward.h"
#include "torch/architectures/packed_linear.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/transformer_frame.h"
#include "torch/architectures/window_attention.h"

namespace imgmill {
namespace {

constexpr double kLeastNorm = 1e-12;
/// What the authors' padding makes a window of.
constexpr int64_t kLeastSide = 8;
constexpr double kMostFactor = 100;  // of logits among pixels of one kind
constexpr double kPlaneNormEpsilon = 1e-5;

struct Plan {
  FramePlan frame;
  int64_t window = 0, heads = 1, mlp = 0, tokens = 0;
  /// Pixels that attend to each other, in the order of their tokens. It leaves no trace in the weights: those
  /// of the light network were trained with 128, all others with 256.
  int64_t kind = 256;
  std::vector<int> depths;
};

std::string Block(size_t group, int number) {
  return GroupName(group) + ".residual_group.layers." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* table = weights.Find(Block(0, 0) + ".attn_win.relative_position_bias_table");
  const WeightTensor* wide = weights.Find(Block(0, 0) + ".convffn.fc1.weight");
  const WeightTensor* tokens = weights.Find(GroupName(0) + ".residual_group.td");
  if (table == nullptr || wide == nullptr || tokens == nullptr || !ReadFrame(weights, plan.frame))
    return false;
  plan.window = WindowOfTable(table->dim(0));
  plan.heads = table->dim(1);
  plan.mlp = wide->dim(0);
  plan.tokens = tokens->dim(0);
  if (plan.frame.tail == TailKind::kDirect && plan.frame.features == 48) plan.kind = 128;
  plan.depths = DepthsOf(weights, [](size_t g, int b) { return Block(g, b) + ".norm1.weight"; });
  plan.frame.multiple = plan.window;
  plan.frame.repeats_edge = true;
  plan.frame.least = kLeastSide;
  if (weights.Find("no_norm") != nullptr) plan.frame.shifts_mean = false;
  return plan.window > 0 && plan.heads > 0 && plan.tokens > 0 && !plan.depths.empty();
}

torch::Tensor Normalized(const torch::Tensor& x) {
  return x / x.norm(2, {-1}, true).clamp_min_(kLeastNorm);
}

class AtdBlock {
 public:
  AtdBlock(Layers& layers, const Plan& plan, const std::string& name, int number)
      : window_{.height = plan.window, .width = plan.window},
        kind_(plan.kind),
        tokens_(plan.tokens),
        heads_(layers.Side(name + ".attn_win.relative_position_bias_table", 1)) {
    const int64_t features = plan.frame.features, offsets = 2 * plan.window - 1;
    if (number % 2 != 0) window_.down = window_.right = plan.window / 2;
    norm1_ = layers.Norm(name + ".norm1", features);
    norm2_ = layers.Norm(name + ".norm2", features);
    const bool bias = layers.Has(name + ".wqkv.bias");
    qkv_ = layers.Dense(name + ".wqkv", 3 * features, features, bias);
    table_ = layers.Parameter(name + ".attn_win.relative_position_bias_table", {offsets * offsets, heads_});
    window_out_ = PackedLinear(layers.Dense(name + ".attn_win.proj", features, features));
    const int64_t few = layers.Outputs(name + ".attn_atd.wq.weight");
    token_q_ = layers.Dense(name + ".attn_atd.wq", few, features, bias);
    token_k_ = layers.Dense(name + ".attn_atd.wk", few, features, bias);
    token_v_ = layers.Dense(name + ".attn_atd.wv", features, features, bias);
    token_scale_ = layers.Parameter(name + ".attn_atd.scale", {tokens_});
    kind_scale_ = layers.Parameter(name + ".attn_aca.logit_scale", {1, 1});
    kind_out_ = PackedLinear(layers.Dense(name + ".attn_aca.proj", features, features, bias));
    mlp_ = ConvFeedForward(layers, name + ".convffn", features);
    // The last block of a group refines nothing.
    refines_ = layers.Has(name + ".sigma");
    if (!refines_) return;
    plane_norm_ = layers.Norm(name + ".norm3", tokens_);
    share_ = layers.Parameter(name + ".sigma", {tokens_, 1});
  }

  /// Changes the image and the dictionary, of n x tokens x features.
  void operator()(torch::Tensor& image, torch::Tensor& dictionary) const {
    const int64_t n = image.size(0);
    torch::Tensor likeness;
    {
      const torch::Tensor normal = norm1_(image);
      image.add_(InWindows(normal));
      likeness = torch::empty({n, normal.size(1) * normal.size(2), tokens_}, image.options());
      for (int64_t i = 0; i < n; ++i) {
        const torch::Tensor pixels = normal[i].flatten(0, 1);
        const torch::Tensor to = image[i].flatten(0, 1);
        AddOfTokens(pixels, dictionary[i], likeness[i], to);
        AddOfKind(pixels, likeness[i], to);
      }
    }
    mlp_.AddTo(image, norm2_);
    if (!refines_) return;
    // Each token's likenesses, normalized over the image, say which pixels it is refined by.
    const torch::Tensor planes =
        torch::instance_norm(likeness.transpose(1, 2), plane_norm_.weight, plane_norm_.bias, {}, {}, true, 0,
                             kPlaneNormEpsilon, false);
    const torch::Tensor seen = torch::matmul(torch::softmax(planes, 2), image.flatten(1, 2));
    const torch::Tensor kept = torch::sigmoid(share_);
    dictionary = kept * dictionary + (1 - kept) * seen;
  }

 private:
  torch::Tensor InWindows(const torch::Tensor& normal) const {
    const torch::Tensor index = RelativeIndex(window_.height, window_.width, normal.device());
    return ForWindows(normal, window_, RelativeBias(table_, index),
                      [&](const torch::Tensor& windows, const torch::Tensor& bias) {
                        const torch::Tensor split = SplitHeads(qkv_(windows), 3, heads_);
                        return window_out_(Attend(split[0], split[1], split[2], bias));
                      });
  }

  /// Pixels attend to the tokens, by cosines. `likeness` is what each pays to each.
  void AddOfTokens(const torch::Tensor& pixels, const torch::Tensor& dictionary, torch::Tensor likeness,
                   const torch::Tensor& to) const {
    const torch::Tensor keys = Normalized(token_k_(dictionary)).t(), values = token_v_(dictionary);
    const torch::Tensor factor = token_scale_.clamp(0, 1) * std::log(static_cast<double>(tokens_)) + 1;
    for (int64_t from = 0; from < pixels.size(0); from += kPixelsAtOnce) {
      const int64_t count = std::min(kPixelsAtOnce, pixels.size(0) - from);
      const torch::Tensor logits = torch::matmul(Normalized(token_q_(pixels.narrow(0, from, count))), keys);
      torch::Tensor weights = likeness.narrow(0, from, count);
      weights.copy_(torch::softmax(logits * factor, 1));
      to.narrow(0, from, count).add_(torch::matmul(weights, values));
    }
  }

  /// Pixels in the order of the tokens that they are most like attend to their neighbours in it. The last
  /// group is filled with what is at its end, backwards.
  void AddOfKind(const torch::Tensor& pixels, const torch::Tensor& likeness, const torch::Tensor& to) const {
    const int64_t count = pixels.size(0), features = pixels.size(1);
    const int64_t each = std::min(count, kind_), groups = (count + each - 1) / each;
    torch::Tensor order = std::get<1>(torch::sort(likeness.argmax(1), /*stable=*/true, 0, false));
    const int64_t missing = groups * each - count;
    if (missing > 0) order = torch::cat({order, order.narrow(0, count - missing, missing).flip(0)});
    const double factor = std::min(kMostFactor, std::exp(kind_scale_.item<double>()));
    const int64_t step = std::max<int64_t>(1, kPixelsAtOnce / each);
    for (int64_t from = 0; from < groups; from += step) {
      const int64_t some = std::min(step, groups - from);
      const torch::Tensor which = order.narrow(0, from * each, some * each);
      const torch::Tensor qkv = qkv_(pixels.index_select(0, which)).view({some, each, 3 * features});
      const torch::Tensor split = SplitHeads(qkv, 3, heads_);
      const torch::Tensor made =
          at::scaled_dot_product_attention(split[0], split[1], split[2], std::nullopt, 0.0, false, factor)
              .transpose(1, 2)
              .reshape({some * each, features});
      const int64_t real = std::min(some * each, count - from * each);
      const torch::Tensor places = which.narrow(0, 0, real);
      const torch::Tensor added = kind_out_(made.narrow(0, 0, real)).add_(to.index_select(0, places));
      torch::Tensor target = to;
      target.index_copy_(0, places, added);
    }
  }

  WindowShape window_;
  int64_t kind_, tokens_, heads_;
  bool refines_ = false;
  LayerNorm norm1_, norm2_, plane_norm_;
  EvenLinear qkv_, token_q_, token_k_, token_v_;
  PackedLinear window_out_, kind_out_;
  torch::Tensor table_, token_scale_, kind_scale_, share_;
  ConvFeedForward mlp_;
};

class AtdNet final : public FramedNet {
 public:
  AtdNet(const Plan& plan, Layers& layers) : FramedNet(plan.frame, layers) {
    const int64_t features = plan.frame.features;
    layers.PassOver("relative_position_index_SA");
    layers.PassOver("no_norm");
    for (size_t g = 0; g < plan.depths.size(); ++g) {
      Residual& group = groups_.emplace_back();
      for (int b = 0; b < plan.depths[g]; ++b) group.blocks.emplace_back(layers, plan, Block(g, b), b);
      group.dictionary = layers.Parameter(GroupName(g) + ".residual_group.td", {plan.tokens, features});
      group.conv = ResidualConv(layers, GroupName(g) + ".conv", features);
    }
  }

 protected:
  void Blocks(torch::Tensor& image) const override {
    for (const Residual& group : groups_) {
      torch::Tensor inner = image.clone();
      torch::Tensor dictionary = group.dictionary.unsqueeze(0).repeat({image.size(0), 1, 1});
      for (const AtdBlock& block : group.blocks) block(inner, dictionary);
      Planes(image).add_(group.conv(Planes(inner)));
    }
  }

 private:
  struct Residual {
    std::vector<AtdBlock> blocks;
    torch::Tensor dictionary;
    ResidualConv conv;
  };
  std::vector<Residual> groups_;
};

class AtdArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "ATD"; }
  std::string_view known_by() const override { return "ATD, ATD-light"; }
  std::vector<Telltales> telltales() const override {
    return {{"layers.0.residual_group.td",
             "layers.0.residual_group.layers.0.attn_win.relative_position_bias_table",
             "layers.0.residual_group.layers.0.convffn.fc1.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    FrameTraits traits;
    traits.radius = -1;  // pixels attend to others anywhere in the image
    traits.grid = plan.window;
    const int64_t features = plan.frame.features;
    traits.per_pixel = 7 * features + 4 * plan.tokens + 8;
    traits.at_once = [plan, features](int64_t /*height*/, int64_t columns) {
      const WindowShape shape = {.height = plan.window, .width = plan.window};
      return std::max({WindowFloats(shape, columns, features, plan.heads, shape.pixels()),
                       kPixelsAtOnce * (8 * features + plan.heads * plan.kind),
                       PixelsInRows(columns, 2) * (4 * plan.mlp + 2 * features)});
    };
    UpscaleNetworkParts parts = FrameParts(plan.frame, std::move(info), std::move(traits));
    return LoadLayers<AtdNet>(plan, std::move(parts), std::move(weights));
  }
};

const AtdArchitecture instance;

}  // namespace

extern const Architecture& kAtd;
const Architecture& kAtd = instance;

}  // namespace imgmill
