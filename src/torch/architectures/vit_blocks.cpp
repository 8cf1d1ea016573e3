#include "torch/architectures/vit_blocks.h"

#include <cmath>
#include <numbers>

#include "torch/architectures/kernel_attention.h"

namespace imgmill {
namespace {

torch::Tensor Activated(const PackedLinear& layer, const torch::Tensor& x, VitActivation activation) {
  if (activation == VitActivation::kGelu) return layer(x, DenseEnd::kGelu);
  if (activation == VitActivation::kQuickGelu) return layer(x, DenseEnd::kQuickGelu);
  return Activated(layer(x), activation);
}

/// `sum` plus what the layer gives, each feature times its factor where there are such.
void AddScaled(torch::Tensor& sum, const PackedLinear& layer, const torch::Tensor& x,
               const torch::Tensor& factors) {
  if (factors.defined()) {
    sum.add_(layer(x).mul_(factors));
  } else {
    layer.AddTo(sum, x);
  }
}

constexpr double kTheta = 100;  // of DINOv3's angles; it leaves no trace in the shapes

/// The pairs that are rotated together lie half a head apart.
torch::Tensor Rotated(const torch::Tensor& x, const VitRotation& rotation) {
  const int64_t turned = rotation.cosines.size(0), still = x.size(2) - turned, half = x.size(3) / 2;
  const torch::Tensor last = x.slice(2, still);
  const torch::Tensor crossed = torch::cat({last.slice(3, half).neg(), last.slice(3, 0, half)}, 3);
  return torch::cat({x.slice(2, 0, still), last * rotation.cosines + crossed * rotation.sines}, 2);
}

}  // namespace

torch::Tensor Activated(const torch::Tensor& x, VitActivation activation) {
  switch (activation) {
    case VitActivation::kQuickGelu:
      return x * torch::sigmoid(x * 1.702);
    case VitActivation::kGeluTanh:
      return torch::gelu(x, "tanh");
    case VitActivation::kGelu:
      break;
  }
  return torch::gelu(x);
}

Linear DenseOf(Layers& layers, const std::string& weight, const std::string& bias, int64_t out, int64_t in) {
  Linear layer;
  layer.weight = layers.Parameter(weight, {out, in});
  if (layers.Has(bias)) layer.bias = layers.Parameter(bias, {out});
  return layer;
}

torch::Tensor SplitHeads(const torch::Tensor& x, int64_t heads) {
  return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

torch::Tensor Attended(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v, bool causal) {
  if (const ConvKernels* kernels = AttentionKernels(q, k, v))
    return AttendOnKernels(*kernels, q, k, v, {}, 1 / std::sqrt(static_cast<double>(q.size(3))), causal);
  return at::scaled_dot_product_attention(q, k, v, /*attn_mask=*/{}, /*dropout_p=*/0, causal)
      .transpose(1, 2)
      .flatten(2);
}

VitBlock::VitBlock(const VitNames& names, const std::string& beginning, const VitShape& shape, Layers& layers)
    : shape_(shape) {
  const int64_t width = shape.width;
  const auto dense = [&](const std::string& name, int64_t out, int64_t in) {
    return DenseOf(layers, beginning + name + ".weight", beginning + name + ".bias", out, in);
  };
  norm1_ = layers.Norm(beginning + names.norm1, width, shape.epsilon);
  norm2_ = layers.Norm(beginning + names.norm2, width, shape.epsilon);
  if (!names.qkv_weight.empty()) {
    Linear qkv = DenseOf(layers, beginning + names.qkv_weight, beginning + names.qkv_bias, 3 * width, width);
    if (!names.query_bias.empty() && layers.Has(beginning + names.query_bias)) {
      const torch::Tensor query = layers.Parameter(beginning + names.query_bias, {width});
      const torch::Tensor value = layers.Parameter(beginning + names.value_bias, {width});
      if (value.defined()) qkv.bias = torch::cat({query, torch::zeros_like(query), value});
    }
    qkv_ = PackedLinear(std::move(qkv));
  } else {
    const Linear parts[] = {dense(names.query, width, width), dense(names.key, width, width),
                            dense(names.value, width, width)};
    if (parts[0].weight.defined() && parts[1].weight.defined() && parts[2].weight.defined()) {
      std::vector<torch::Tensor> weights, biases;
      for (const Linear& part : parts) {
        weights.push_back(part.weight);
        biases.push_back(part.bias.defined() ? part.bias : torch::zeros({width}, part.weight.options()));
      }
      qkv_ = PackedLinear({torch::cat(weights), torch::cat(biases)});
    }
  }
  out_ = PackedLinear(dense(names.out, width, width));
  if (!names.gate_and_up.empty()) {
    const int64_t both = layers.Outputs(beginning + names.gate_and_up + ".weight");
    const Linear fused = dense(names.gate_and_up, both, width);
    if (fused.weight.defined() && fused.bias.defined()) {
      gate_ = PackedLinear({fused.weight.slice(0, 0, both / 2), fused.bias.slice(0, 0, both / 2)});
      up_ = PackedLinear({fused.weight.slice(0, both / 2), fused.bias.slice(0, both / 2)});
    }
    down_ = PackedLinear(dense(names.down, width, both / 2));
  } else {
    const int64_t inner = layers.Outputs(beginning + names.up + ".weight");
    up_ = PackedLinear(dense(names.up, inner, width));
    if (!names.gate.empty()) gate_ = PackedLinear(dense(names.gate, inner, width));
    down_ = PackedLinear(dense(names.down, width, inner));
  }
  if (!names.scale1.empty()) {
    scale1_ = layers.Parameter(beginning + names.scale1, {width});
    scale2_ = layers.Parameter(beginning + names.scale2, {width});
  }
}

torch::Tensor VitBlock::operator()(torch::Tensor x, const VitRotation* rotation) const {
  x = x.contiguous();
  std::vector<torch::Tensor> parts = qkv_(norm1_(x)).chunk(3, 2);
  for (torch::Tensor& part : parts) part = SplitHeads(part, shape_.heads);
  if (rotation != nullptr) {
    parts[0] = Rotated(parts[0], *rotation);
    parts[1] = Rotated(parts[1], *rotation);
  }
  torch::Tensor attended = Attended(parts[0], parts[1], parts[2], shape_.causal);
  parts.clear();
  AddScaled(x, out_, attended, scale1_);
  attended.reset();
  torch::Tensor inner = norm2_(x);
  inner =
      gate_.exists() ? torch::silu(gate_(inner)).mul_(up_(inner)) : Activated(up_, inner, shape_.activation);
  AddScaled(x, down_, inner, scale2_);
  return x;
}

bool VitBlock::keeps_images_apart() const {
  return qkv_.packed() && out_.packed() && up_.packed() && down_.packed() && gate_.exists() == gate_.packed();
}

VitRotation RotationByPlace(const torch::Tensor& patches, int64_t head) {
  const int64_t height = patches.size(2), width = patches.size(3);
  const torch::TensorOptions options = patches.options();
  const auto places = [&](int64_t count) {
    return (torch::arange(count, options) + 0.5) / static_cast<double>(count) * 2.0 - 1.0;
  };
  const torch::Tensor turns =
      torch::pow(kTheta, -torch::arange(0, head / 4, options) * (4.0 / static_cast<double>(head)));
  const torch::Tensor rows = places(height).repeat_interleave(width);
  const torch::Tensor columns = places(width).repeat({height});
  torch::Tensor angles = torch::cat({rows.unsqueeze(1) * turns, columns.unsqueeze(1) * turns}, 1);
  angles = (angles * (2 * std::numbers::pi)).repeat({1, 2});
  return {angles.cos(), angles.sin()};
}

torch::Tensor VitAttentionPool::operator()(const torch::Tensor& x) const {
  const torch::Tensor asked = query(probe.expand({x.size(0), 1, shape.width}));
  const std::vector<torch::Tensor> found = keys_and_values(x).chunk(2, 2);
  const torch::Tensor y = out(Attended(SplitHeads(asked, shape.heads), SplitHeads(found[0], shape.heads),
                                       SplitHeads(found[1], shape.heads)));
  return (y + down(Activated(up(norm(y)), shape.activation))).select(1, 0);
}

int CountBlocks(const StateDict& weights, const std::string& beginning, const std::string& rest) {
  return CountOf(weights, 0, [&](int i) { return beginning + std::to_string(i) + rest; });
}

int64_t SideOfSquare(int64_t tokens) {
  if (tokens <= 0) return 0;
  const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(tokens))));
  return side * side == tokens ? side : 0;
}

int64_t TowerHeads(int64_t width) {
  return width <= 1024 ? std::max<int64_t>(1, width / 64) : 16;
}

int64_t Dinov3Heads(int64_t width) {
  return width >= 4096 ? width / 128 : width / 64;
}

}  // namespace imgmill
