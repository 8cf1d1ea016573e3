#include "networks/architectures/enlarging_tail.h"

namespace imgmill {
namespace {

std::string Up(const std::string& name, int64_t number) {
  return name + "." + std::to_string(2 * number);
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
  if (shape.ups > 3 || shape.scale() > 8) shape.ups = 0;
  return shape;
}

FeatureMap AddUps(GraphBuilder& graph, const std::string& name, const EnlargingTailShape& shape,
                  const FeatureMap& features) {
  const int64_t shuffled = shape.each * shape.each * shape.features;
  FeatureMap x = features;
  for (int64_t i = 0; i < shape.ups; ++i)
    x = graph.Shuffled(graph.layers().Conv(Up(name, i), shuffled, shape.features), {x},
                       {.side = static_cast<int>(shape.each)});
  return x;
}

}  // namespace imgmill
