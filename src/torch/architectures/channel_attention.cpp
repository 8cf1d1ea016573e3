#include "torch/architectures/channel_attention.h"

#include <algorithm>

namespace imgmill {
namespace {

constexpr double kLeastNorm = 1e-12;

}  // namespace

ChannelSelfAttention::ChannelSelfAttention(Layers& layers, const std::string& name, int64_t features,
                                           const std::string& factor)
    : heads_(layers.Outputs(name + "." + factor)),
      qkv_(layers.Dense(name + ".qkv", 3 * features, features, layers.Has(name + ".qkv.bias"))),
      factor_(layers.Parameter(name + "." + factor, {heads_, 1, 1})) {}

torch::Tensor ChannelSelfAttention::operator()(const torch::Tensor& image, torch::Tensor& values) const {
  const int64_t n = image.size(0), features = image.size(3), each = features / heads_;
  const torch::Tensor pixels = image.flatten(1, 2);  // n x pixels x C
  values = torch::empty_like(image);
  const torch::Tensor all_values = values.flatten(1, 2);
  const int64_t count = pixels.size(1), step = std::max<int64_t>(1, kPixelsAtOnce / n);
  // Sums over all pixels: of products of queries and keys, and of the squares of each.
  torch::Tensor products = torch::zeros({n, heads_, each, each}, image.options());
  torch::Tensor squares = torch::zeros({n, 2 * features}, image.options());
  for (int64_t from = 0; from < count; from += step) {
    const int64_t some = std::min(step, count - from);
    const torch::Tensor qkv = qkv_(pixels.narrow(1, from, some));
    all_values.narrow(1, from, some).copy_(qkv.narrow(2, 2 * features, features));
    squares.add_(qkv.narrow(2, 0, 2 * features).square().sum(1));
    const auto planes = [&](int64_t first) {
      return qkv.narrow(2, first, features).unflatten(2, {heads_, each}).permute({0, 2, 3, 1});
    };
    products.add_(torch::matmul(planes(0), planes(features).transpose(2, 3)));
  }
  const torch::Tensor norms = squares.sqrt_().clamp_min_(kLeastNorm).view({n, 2, heads_, each});
  products.div_(norms.select(1, 0).unsqueeze(3)).div_(norms.select(1, 1).unsqueeze(2));
  const torch::Tensor weights = torch::softmax(products.mul_(factor_), 3).transpose(2, 3);
  torch::Tensor output = torch::empty_like(image);
  const torch::Tensor outputs = output.flatten(1, 2);
  for (int64_t from = 0; from < count; from += step) {
    const int64_t some = std::min(step, count - from);
    const torch::Tensor split = all_values.narrow(1, from, some).unflatten(2, {heads_, each}).transpose(1, 2);
    outputs.narrow(1, from, some)
        .unflatten(2, {heads_, each})
        .transpose(1, 2)
        .copy_(torch::matmul(split, weights));
  }
  return output;
}

}  // namespace imgmill
