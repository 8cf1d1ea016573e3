// The three kinds of blocks that CRAFT is made of.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "torch/architectures/feature_maps.h"
#include "torch/architectures/gated_feed_forward.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/swin_block.h"

namespace imgmill {

/// Read off the tensors.
struct CraftShape {
  int64_t bands = 3, features = 0, heads = 0,
          inner = 0;          ///< inner: of the layers behind attention among channels
  int64_t low = 0, wide = 0;  ///< sides of a flat rectangle
  int scale = 0;
  std::vector<int> depths;
  bool qkv_bias = true;
};

/// NAME.pos: what is added for each offset of a rectangle, by layers that are shown the offset. Offsets x
/// heads.
inline torch::Tensor CraftOffsetTable(Layers& layers, const std::string& name, int64_t height, int64_t width,
                                      int64_t heads) {
  const int64_t inner = layers.Outputs(name + ".pos_proj.weight");
  const EvenLinear first = layers.Dense(name + ".pos_proj", inner, 2);
  std::array<std::pair<LayerNorm, Linear>, 3> steps;
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string step = name + ".pos" + std::to_string(i + 1);
    steps[i].first = layers.Norm(step + ".0", inner);
    steps[i].second = layers.Dense(step + ".2", i + 1 < steps.size() ? inner : heads, inner);
  }
  if (!steps.back().second.bias.defined()) return {};
  const auto along = [&](int64_t side) { return torch::arange(1 - side, side, first.weight.options()); };
  torch::Tensor x = torch::stack(torch::meshgrid({along(height), along(width)}, "ij"), 2).flatten(0, 1);
  x = first(x);
  for (const auto& [norm, dense] : steps) x = dense(norm(x).relu_());
  return x;
}

/// NAME.norm1, .qkv, .attns.0 in flat rectangles for half of the channels, .attns.1 in upright ones for the
/// others, .get_v, .proj; NAME.norm2, .mlp.
class CraftRectangles {
 public:
  CraftRectangles(Layers& layers, const std::string& name, const CraftShape& plan, bool shifted)
      : features_(plan.features),
        heads_(plan.heads / 2),
        norm1_(layers.Norm(name + ".norm1", plan.features)),
        norm2_(layers.Norm(name + ".norm2", plan.features)),
        qkv_(layers.Dense(name + ".qkv", 3 * plan.features, plan.features, plan.qkv_bias)),
        out_(layers.Dense(name + ".proj", plan.features, plan.features)),
        near_(layers.Conv(name + ".get_v", plan.features, plan.features, {.groups = plan.features})),
        mlp_(layers, name + ".mlp", plan.features) {
    for (size_t i = 0; i < halves_.size(); ++i) {
      Half& half = halves_[i];
      half.height = i == 0 ? plan.low : plan.wide;
      half.width = i == 0 ? plan.wide : plan.low;
      half.down = shifted ? half.height / 2 : 0;
      half.right = shifted ? half.width / 2 : 0;
      half.table = CraftOffsetTable(layers, name + ".attns." + std::to_string(i) + ".pos", half.height,
                                    half.width, heads_);
    }
  }

  /// Changes the image, N x H x W x C.
  void operator()(torch::Tensor& image) const {
    {
      const torch::Tensor qkv = qkv_(norm1_(image));
      torch::Tensor found = torch::cat({Attended(qkv, 0), Attended(qkv, 1)}, 3);
      found.add_(Pixels(near_(Planes(qkv.narrow(3, 2 * features_, features_)))));
      out_.AddTo(image, found);
    }
    AddPerPixel(image, [&](const torch::Tensor& x) { return mlp_(norm2_(x)); });
  }

 private:
  struct Half {
    int64_t height = 0, width = 0, down = 0, right = 0;
    torch::Tensor table;
  };

  /// What leaves the image at one end when it is moved is seen beside what is at the other: nothing is
  /// masked.
  torch::Tensor Attended(const torch::Tensor& qkv, size_t which) const {
    const Half& half = halves_[which];
    const int64_t each = features_ / 2;
    std::vector<torch::Tensor> parts;
    for (int64_t part = 0; part < 3; ++part)
      parts.push_back(qkv.narrow(3, part * features_ + static_cast<int64_t>(which) * each, each));
    const bool moves = half.down > 0 || half.right > 0;
    torch::Tensor image = torch::cat(parts, 3);
    if (moves) image = image.roll({-half.down, -half.right}, {1, 2});
    const torch::Tensor index = RelativeIndex(half.height, half.width, qkv.device());
    image = ForWindows(image, {.height = half.height, .width = half.width}, RelativeBias(half.table, index),
                       [&](const torch::Tensor& windows, const torch::Tensor& bias) {
                         const torch::Tensor split = SplitHeads(windows, 3, heads_);
                         return Attend(split[0], split[1], split[2], bias);
                       });
    return moves ? image.roll({half.down, half.right}, {1, 2}) : image;
  }

  int64_t features_, heads_;
  LayerNorm norm1_, norm2_;
  PackedLinear qkv_, out_;
  Convolution near_;
  PixelMlp mlp_;
  std::array<Half, 2> halves_;
};

/// NAME.conv of one half of the channels, NAME.fc of the other half's largest neighbours, NAME.last_fc.
class CraftFineBlock {
 public:
  CraftFineBlock(Layers& layers, const std::string& name, int64_t features)
      : half_(features / 2),
        near_(layers.Conv(name + ".conv", half_, half_)),
        largest_(layers.Conv(name + ".fc", half_, half_, 1)),
        last_(layers.Conv(name + ".last_fc", features, features, 1)) {}
  torch::Tensor operator()(const torch::Tensor& x) const {
    torch::Tensor near = near_(x.narrow(1, 0, half_));
    torch::Tensor largest = largest_(torch::max_pool2d(x.narrow(1, half_, half_), 3, 1, 1));
    return last_(torch::cat({torch::gelu_(near), torch::gelu_(largest)}, 1)).add_(x);
  }

 private:
  int64_t half_;
  Convolution near_, largest_, last_;
};

/// NAME.attn: among channels, queries of the fine branch, keys and values of the other; NAME.ffn.
class CraftFusingBlock {
 public:
  CraftFusingBlock(Layers& layers, const std::string& name, const CraftShape& plan)
      : heads_(plan.heads),
        norm1_(layers.Norm(name + ".norm1.body", plan.features)),
        norm2_(layers.Norm(name + ".norm2.body", plan.features)),
        factor_(layers.Parameter(name + ".attn.temperature", {plan.heads, 1, 1})),
        inner_(layers, name + ".ffn", plan.features, plan.inner, /*bias=*/false) {
    const int64_t features = plan.features;
    q_ = layers.Conv(name + ".attn.q", features, features, {.side = 1, .bias = false});
    near_q_ = layers.Conv(name + ".attn.q_dwconv", features, features, {.groups = features, .bias = false});
    kv_ = layers.Conv(name + ".attn.kv", 2 * features, features, {.side = 1, .bias = false});
    near_kv_ = layers.Conv(name + ".attn.kv_dwconv", 2 * features, 2 * features,
                           {.groups = 2 * features, .bias = false});
    out_ = layers.Conv(name + ".attn.project_out", features, features, {.side = 1, .bias = false});
  }
  torch::Tensor operator()(const torch::Tensor& low, const torch::Tensor& fine) const {
    const torch::Tensor x = Attended(low, fine).add_(low);
    return inner_(NormalizedPixels(norm2_, x)).add_(x);
  }

 private:
  torch::Tensor Attended(const torch::Tensor& low, const torch::Tensor& fine) const {
    const auto in_heads = [&](const torch::Tensor& of) {
      return of.flatten(2).unflatten(1, {heads_, of.size(1) / heads_});
    };
    const auto unit = [](const torch::Tensor& of) {
      return of / of.norm(2, {3}, /*keepdim=*/true).clamp_min_(1e-12);
    };
    const torch::Tensor q = in_heads(near_q_(q_(fine)));
    const std::vector<torch::Tensor> kv = near_kv_(kv_(NormalizedPixels(norm1_, low))).chunk(2, 1);
    const torch::Tensor alike = torch::matmul(unit(q), unit(in_heads(kv[0])).transpose(2, 3)).mul_(factor_);
    const torch::Tensor found = torch::matmul(torch::softmax(alike, 3), in_heads(kv[1]));
    return out_(found.flatten(1, 2).view(low.sizes()));
  }

  int64_t heads_;
  LayerNorm norm1_, norm2_;
  torch::Tensor factor_;
  Convolution q_, near_q_, kv_, near_kv_, out_;
  GatedFeedForward inner_;
};

}  // namespace imgmill
