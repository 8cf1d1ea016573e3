#include "networks/layer_weights.h"

#include <cmath>

namespace imgmill {

Values LayerWeights::Read(const WeightTensor* tensor) {
  if (tensor == nullptr) return {};
  Result<Buffer> floats = ToFloats(*tensor);
  if (floats) return {tensor->shape, *std::move(floats)};
  Refuse(floats.error());
  return {};
}

Values LayerWeights::Parameter(const std::string& name, const std::vector<int64_t>& shape) {
  return Read(Take(name, shape));
}

ConvWeights ConvWeights::Some(int64_t first, int64_t count) const {
  if (!weight.defined()) return *this;
  ConvWeights some = *this;
  some.shape.groups = 1;
  some.weight = weight.Some(0, first, count);
  if (bias.defined()) some.bias = bias.Some(0, first, count);
  return some;
}

ConvWeights LayerWeights::Conv(const std::string& name, int64_t out, int64_t in, const ConvShape& shape) {
  ConvWeights layer;
  layer.shape = shape;
  layer.weight = Read(TakeConv(name, out, in, shape));
  if (shape.bias) layer.bias = Parameter(name + ".bias", {out});
  return layer;
}

ConvWeights LayerWeights::ConvNorm(const std::string& conv, const std::string& norm, int64_t out, int64_t in,
                                   ConvShape shape, double epsilon) {
  shape.bias = Has(conv + ".bias");
  ConvWeights layer = Conv(conv, out, in, shape);
  const Values weight = Parameter(norm + ".weight", {out}), bias = Parameter(norm + ".bias", {out});
  const Values mean = Parameter(norm + ".running_mean", {out});
  const Values variance = Parameter(norm + ".running_var", {out});
  PassOver(norm + ".num_batches_tracked");
  if (!variance.defined()) return layer;
  const int64_t each = layer.weight.count() / out;
  Buffer weights(static_cast<size_t>(layer.weight.count()) * sizeof(float));
  Buffer biases(static_cast<size_t>(out) * sizeof(float));
  auto* const to = reinterpret_cast<float*>(weights.data());
  for (int64_t k = 0; k < out; ++k) {
    const double factor = weight.data()[k] / std::sqrt(double{variance.data()[k]} + epsilon);
    for (int64_t i = k * each; i < (k + 1) * each; ++i)
      to[i] = static_cast<float>(layer.weight.data()[i] * factor);
    double shift = -double{mean.data()[k]};
    if (layer.bias.defined()) shift += layer.bias.data()[k];
    reinterpret_cast<float*>(biases.data())[k] = static_cast<float>(bias.data()[k] + shift * factor);
  }
  layer.weight = {layer.weight.shape(), std::move(weights)};
  layer.bias = {{out}, std::move(biases)};
  return layer;
}

ConvWeights LayerWeights::Pointwise(const std::string& name, int64_t out, int64_t in, bool bias) {
  ConvWeights layer;
  layer.shape.side = 1;
  layer.weight = Read(TakeMatrix(name, out, in));
  if (layer.weight.defined()) layer.weight = layer.weight.As({out, in, 1, 1});
  if (bias) layer.bias = Parameter(name + ".bias", {out});
  return layer;
}

NormWeights LayerWeights::Norm(const std::string& name, int64_t features, double epsilon) {
  NormWeights layer;
  layer.weight = Parameter(name + ".weight", {features});
  layer.bias = Parameter(name + ".bias", {features});
  layer.epsilon = epsilon;
  return layer;
}

}  // namespace imgmill
