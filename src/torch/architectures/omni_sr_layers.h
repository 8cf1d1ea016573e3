// OmniSR's layers: each adds what it makes of an image (N x H x W x C) to it, but for the mask.
#pragma once

#include <algorithm>

#include "torch/architectures/layers.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/window_attention.h"

namespace imgmill::omni_sr {

inline constexpr double kChannelNormEpsilon = 1e-6;
inline constexpr double kLeastNorm = 1e-12;

struct Sizes {
  int64_t features = 0, window = 0, heads = 4;
};

/// A layer that adds what it makes of the normalized image to the image.
struct Normed {
  LayerNorm norm;
  Normed() = default;
  Normed(Layers& layers, const std::string& name, int64_t features, double epsilon)
      : norm(layers.Norm(name + ".norm", features, epsilon)) {}
};

/// A 1x1 convolution, a depthwise one, and channels weighed by their means over the image, added to the
/// input.
struct WeighedConv {
  Convolution in, depthwise, out;
  Linear squeeze, excite;
  WeighedConv(Layers& layers, const std::string& name, int64_t features) {
    const int64_t inner = layers.Outputs(name + ".fn.0.weight");
    const int64_t few = layers.Outputs(name + ".fn.4.gate.1.weight");
    in = layers.Conv(name + ".fn.0", inner, features, 1);
    depthwise = layers.Conv(name + ".fn.2", inner, inner, {.groups = inner});
    squeeze = layers.Dense(name + ".fn.4.gate.1", few, inner, false);
    excite = layers.Dense(name + ".fn.4.gate.3", inner, few, false);
    out = layers.Conv(name + ".fn.5", features, inner, 1);
  }
  void AddTo(torch::Tensor& image) const {
    torch::Tensor x = Pixels(torch::gelu(depthwise(torch::gelu(in(Planes(image))))));
    x.mul_(torch::sigmoid(excite(torch::silu(squeeze(x.mean({1, 2}, true))))));
    Planes(image).add_(out(Planes(x)));
  }
};

/// Two halves of a depthwise convolution's features, multiplied.
struct GatedConv : Normed {
  Convolution in, depthwise, out;
  GatedConv(Layers& layers, const std::string& name, int64_t features)
      : Normed(layers, name, features, kChannelNormEpsilon) {
    const int64_t inner = layers.Outputs(name + ".fn.project_in.weight");
    in = layers.Conv(name + ".fn.project_in", inner, features, {.side = 1, .bias = false});
    depthwise = layers.Conv(name + ".fn.dwconv", inner, inner, {.groups = inner, .bias = false});
    out = layers.Conv(name + ".fn.project_out", features, inner / 2, {.side = 1, .bias = false});
  }
  void AddTo(torch::Tensor& image) const {
    AddInRows(image, 1, [&](const torch::Tensor& x) {
      const std::vector<torch::Tensor> halves = depthwise(in(Planes(norm(x)))).chunk(2, 1);
      return out(torch::gelu(halves[0]) * halves[1]).permute({0, 2, 3, 1});
    });
  }
};

/// Attention among the pixels of windows.
struct PixelAttention : Normed {
  int64_t heads;
  WindowShape shape;
  EvenLinear qkv, out;
  torch::Tensor table;
  PixelAttention(Layers& layers, const std::string& name, const Sizes& sizes)
      : Normed(layers, name, sizes.features, 1e-5), heads(sizes.heads) {
    shape = {.height = sizes.window, .width = sizes.window};
    qkv = layers.Dense(name + ".fn.to_qkv", 3 * sizes.features, sizes.features, false);
    out = layers.Dense(name + ".fn.to_out.0", sizes.features, sizes.features, false);
    const int64_t offsets = 2 * sizes.window - 1;
    if (layers.Has(name + ".fn.rel_pos_bias.weight"))
      table = layers.Parameter(name + ".fn.rel_pos_bias.weight", {offsets * offsets, heads});
  }
  void AddTo(torch::Tensor& image) const {
    const torch::Tensor bias =
        table.defined() ? RelativeBias(table, RelativeIndex(shape.height, shape.width, image.device()))
                        : torch::zeros({heads, shape.pixels(), shape.pixels()}, image.options());
    image.add_(ForWindows(image, shape, bias, [&](const torch::Tensor& windows, const torch::Tensor& shown) {
      const torch::Tensor split = SplitHeads(qkv(norm(windows)), 3, heads);
      return out(Attend(split[0], split[1], split[2], shown));
    }));
  }
};

/// Attention among the channels of each head, over the pixels of a window, or over all pixels that have one
/// place in their windows.
struct ChannelAttention : Normed {
  int64_t heads, window;
  Convolution qkv, depthwise, out;
  torch::Tensor factor;
  ChannelAttention(Layers& layers, const std::string& name, const Sizes& sizes)
      : Normed(layers, name, sizes.features, kChannelNormEpsilon), heads(sizes.heads), window(sizes.window) {
    const int64_t all = 3 * sizes.features;
    qkv = layers.Conv(name + ".fn.qkv", all, sizes.features, {.side = 1, .bias = false});
    depthwise = layers.Conv(name + ".fn.qkv_dwconv", all, all, {.groups = all, .bias = false});
    out = layers.Conv(name + ".fn.project_out", sizes.features, sizes.features, {.side = 1, .bias = false});
    factor = layers.Parameter(name + ".fn.temperature", {heads, 1, 1});
  }

  /// groups x pixels x (3 * features) to groups x pixels x features.
  torch::Tensor Attended(const torch::Tensor& groups) const {
    const torch::Tensor split = SplitHeads(groups, 3, heads).transpose(3, 4);
    const auto normalized = [](const torch::Tensor& x) {
      return x / x.norm(2, {-1}, true).clamp_min_(kLeastNorm);
    };
    const torch::Tensor logits =
        torch::matmul(normalized(split[0]), normalized(split[1]).transpose(2, 3)).mul_(factor);
    return torch::matmul(torch::softmax(logits, 3), split[2]).permute({0, 3, 1, 2}).flatten(2);
  }

  void AddTo(torch::Tensor& image, bool apart) const {
    const int64_t n = image.size(0), features = image.size(3);
    const torch::Tensor all = Pixels(depthwise(qkv(Planes(norm(image)))));
    torch::Tensor made = torch::empty_like(image);
    // Windows as five dimensions: rows of windows, rows of one, columns of windows, columns of one.
    const auto cut = [&](const torch::Tensor& x) {
      return x.unflatten(1, {image.size(1) / window, window}).unflatten(3, {image.size(2) / window, window});
    };
    const torch::Tensor from = cut(all), to = cut(made);
    for (int64_t i = 0; i < (apart ? window : from.size(1)); ++i) {
      // n x rows x columns x inner columns for one row of all windows; n x inner x columns x inner for a row
      // of windows. Either way the groups come first.
      const torch::Tensor some =
          apart ? from.select(2, i).permute({0, 3, 1, 2, 4}) : from.select(1, i).permute({0, 2, 1, 3, 4});
      const torch::Tensor result = Attended(some.flatten(2, 3).flatten(0, 1));
      const torch::Tensor back = result.view({n, some.size(1), some.size(2), some.size(3), features});
      if (apart) {
        to.select(2, i).copy_(back.permute({0, 2, 3, 1, 4}));
      } else {
        to.select(1, i).copy_(back.permute({0, 2, 1, 3, 4}));
      }
    }
    Planes(image).add_(out(Planes(made)));
  }
};

/// A weight for each value from a map of fewer pixels (enhanced spatial attention).
struct SpatialMask {
  Convolution first, skip, strided, pooled, last;
  SpatialMask(Layers& layers, const std::string& name, int64_t features) {
    const int64_t few = layers.Outputs(name + ".conv1.weight");
    first = layers.Conv(name + ".conv1", few, features, 1);
    skip = layers.Conv(name + ".conv_f", few, few, 1);
    strided = layers.Conv(name + ".conv2", few, few, {.stride = 2, .padding = 0});
    pooled = layers.Conv(name + ".conv3", few, few);
    last = layers.Conv(name + ".conv4", features, few, 1);
  }
  torch::Tensor operator()(const torch::Tensor& planes) const {
    const torch::Tensor x = first(planes);
    const torch::Tensor map = pooled(torch::max_pool2d(strided(x), 7, 3));
    const torch::Tensor large = EnlargedBilinear(map, planes.size(2), planes.size(3));
    return torch::sigmoid(last(skip(x).add_(large)));
  }
};

}  // namespace imgmill::omni_sr
