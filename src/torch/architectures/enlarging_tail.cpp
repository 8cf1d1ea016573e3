#include "torch/architectures/enlarging_tail.h"

#include <algorithm>

namespace imgmill {
namespace {

constexpr int64_t kBandRows = 32;

std::string Up(const std::string& name, int64_t number) {
  return name + "." + std::to_string(2 * number);
}

/// Rows above and below a band that it is seen with: the first convolution reaches one pixel further, each
/// after it half as far as the one before.
int64_t Context(const EnlargingTailShape& shape) {
  return 2 + shape.side / 2;
}

}  // namespace

int64_t EnlargingTailShape::scale() const {
  int64_t scale = 1;
  for (int64_t i = 0; i < ups; ++i) scale *= each;
  return scale;
}

EnlargingTailShape ReadEnlargingTail(const StateDict& weights, const std::string& name, int64_t features) {
  EnlargingTailShape shape{.features = features};
  const WeightTensor* first = weights.Find(Up(name, 0) + ".weight");
  if (first == nullptr || features < 1) return shape;
  shape.each = first->dim(0) == 9 * features ? 3 : 2;
  if (first->dim(0) != shape.each * shape.each * features) return shape;
  shape.ups = CountOf(weights, 0, [&](int i) { return Up(name, i) + ".weight"; });
  if (shape.scale() > 8) shape.ups = 0;
  return shape;
}

EnlargingTail::EnlargingTail(Layers& layers, const std::string& ups, const std::string& last,
                             const EnlargingTailShape& shape)
    : shape_(shape) {
  for (int64_t i = 0; i < shape.ups; ++i)
    ups_.push_back(layers.Conv(Up(ups, i), shape.each * shape.each * shape.features, shape.features));
  last_ = layers.Conv(last, shape.bands, shape.features, shape.side);
}

int64_t EnlargingTail::Floats(const EnlargingTailShape& shape, int64_t height, int64_t width) {
  const int64_t rows = std::min(height, kBandRows + 2 * Context(shape)), scale = shape.scale();
  return rows * width * scale * scale * (3 * shape.features + 2 * shape.bands);
}

torch::Tensor EnlargingTail::operator()(const torch::Tensor& features) const {
  const int64_t height = features.size(2), scale = shape_.scale(), context = Context(shape_);
  torch::Tensor output = torch::empty(
      {features.size(0), shape_.bands, height * scale, features.size(3) * scale}, features.options());
  for (int64_t top = 0; top < height; top += kBandRows) {
    const int64_t rows = std::min(kBandRows, height - top);
    const int64_t first = std::max<int64_t>(0, top - context);
    torch::Tensor x = features.slice(2, first, std::min(height, top + rows + context));
    for (const Convolution& up : ups_) x = torch::pixel_shuffle(up(x), shape_.each);
    x = last_(x);
    output.narrow(2, top * scale, rows * scale).copy_(x.narrow(2, (top - first) * scale, rows * scale));
  }
  return output;
}

FeatureMap AddEnlargingTail(GraphBuilder& graph, const std::string& ups, const Convolution& last,
                            const EnlargingTailShape& shape, const FeatureMap& features,
                            const GraphEnd& end) {
  const int64_t shuffled = shape.each * shape.each * shape.features;
  FeatureMap x = features;
  for (int64_t i = 0; i < shape.ups; ++i)
    x = graph.Shuffled(graph.layers().Conv(Up(ups, i), shuffled, shape.features), {x},
                       {.side = static_cast<int>(shape.each)});
  return graph.Conv(last, {x}, end);
}

}  // namespace imgmill
