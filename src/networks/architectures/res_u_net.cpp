#include "networks/architectures/res_u_net.h"

namespace imgmill {

bool ReadResUNet(const StateDict& weights, const std::string& body, ResUNetShape& shape) {
  const WeightTensor* head = weights.Find("m_head.weight");
  const WeightTensor* tail = weights.Find("m_tail.weight");
  if (head == nullptr || tail == nullptr) return false;
  shape.inputs = head->dim(1);
  shape.bands = tail->dim(0);
  shape.bias = weights.Find("m_head.bias") != nullptr;
  const std::string firsts[] = {"m_down1.0", "m_down2.0", "m_down3.0", body + ".0"};
  for (size_t size = 0; size < ResUNetShape::kSizes; ++size) {
    const WeightTensor* first = weights.Find(firsts[size] + ".res.0.weight");
    if (first == nullptr || first->dim(0) < 1) return false;
    shape.features[size] = first->dim(0);
  }
  shape.blocks = CountOf(weights, 0, [&](int i) { return body + "." + std::to_string(i) + ".res.0.weight"; });
  return shape.blocks > 0 && (shape.bands == 1 || shape.bands == 3);
}

LayerGraph::Input ResUNetInput(const ResUNetShape& shape, Continuation continued, std::vector<float> told) {
  return {.bands = static_cast<int>(shape.bands),
          .multiple = static_cast<int>(ResUNetShape::kMultiple),
          .continued = continued,
          .told = std::move(told)};
}

FeatureMap ResUNetGraph::Blocks(const std::string& name, int first, FeatureMap x,
                                const std::vector<FeatureMap>& seen, const End& end) {
  LayerWeights& layers = graph_.layers();
  const int features = x.channels;
  for (int i = first; i < first + shape_.blocks; ++i) {
    const std::string block = name + "." + std::to_string(i) + ".res.";
    const FeatureMap inner =
        graph_.Conv(layers.Conv(block + "0", features, features, {.bias = shape_.bias}), {x}, {.slope = 0});
    std::vector<FeatureMap> added = {x};
    if (i + 1 == first + shape_.blocks) added.insert(added.end(), seen.begin(), seen.end());
    const ConvWeights last = layers.Conv(block + "2", features, features, {.bias = shape_.bias});
    x = end ? end(last, inner, added) : Added()(0, last, inner, added);
  }
  return x;
}

ResUNetGraph::BlockEnd ResUNetGraph::Added() {
  return
      [this](size_t, const ConvWeights& last, const FeatureMap& inner, const std::vector<FeatureMap>& maps) {
        GraphEnd end;
        for (const FeatureMap& map : maps) end.added.push_back({map, 1.0f});
        return graph_.Conv(last, {inner}, end);
      };
}

FeatureMap ResUNetGraph::Down() {
  LayerWeights& layers = graph_.layers();
  FeatureMap x = graph_.Conv(layers.Conv("m_head", shape_.features[0], shape_.inputs, {.bias = shape_.bias}),
                             {graph_.input()});
  for (size_t i = 0; i + 1 < ResUNetShape::kSizes; ++i) {
    seen_.push_back(x);
    const std::string down = "m_down" + std::to_string(i + 1);
    x = Blocks(down, 0, x, {}, {});
    // One pixel of each square of four.
    const ConvWeights halve =
        layers.Conv(down + "." + std::to_string(shape_.blocks), shape_.features[i + 1], shape_.features[i],
                    {.side = 2, .stride = 2, .padding = 0, .bias = shape_.bias});
    x = graph_.Strided(halve, x, 2);
  }
  seen_.push_back(x);
  return x;
}

FeatureMap ResUNetGraph::Up(FeatureMap x, const BlockEnd& end) {
  for (size_t i = ResUNetShape::kSizes - 1; i-- > 0;) {
    const std::string up = "m_up" + std::to_string(i + 1);
    x = graph_.Transposed(up + ".0", static_cast<int>(shape_.features[i]), x, shape_.bias);
    x = Blocks(up, 1, x, {seen_[i]},
               [&](const ConvWeights& last, const FeatureMap& inner, const std::vector<FeatureMap>& added) {
                 return end(i, last, inner, added);
               });
  }
  return graph_.Conv(graph_.layers().Conv("m_tail", shape_.bands, shape_.features[0], {.bias = shape_.bias}),
                     {x});
}

}  // namespace imgmill
