#include "torch/architectures/res_u_net_graph.h"

namespace imgmill {

LayerGraph::Input ResUNetInput(const ResUNetShape& shape, Continuation continued, std::vector<float> told) {
  return {.bands = static_cast<int>(shape.bands),
          .multiple = static_cast<int>(ResUNetShape::kMultiple),
          .continued = continued,
          .told = std::move(told)};
}

FeatureMap ResUNetGraph::Blocks(const std::string& name, int first, FeatureMap x,
                                const std::vector<FeatureMap>& seen, const End& end) {
  Layers& layers = graph_.layers();
  const int features = x.channels;
  for (int i = first; i < first + shape_.blocks; ++i) {
    const std::string block = name + "." + std::to_string(i) + ".res.";
    const FeatureMap inner =
        graph_.Conv(layers.Conv(block + "0", features, features, {.bias = shape_.bias}), {x}, {.slope = 0});
    std::vector<FeatureMap> added = {x};
    if (i + 1 == first + shape_.blocks) added.insert(added.end(), seen.begin(), seen.end());
    const Convolution last = layers.Conv(block + "2", features, features, {.bias = shape_.bias});
    x = end ? end(last, inner, added) : Added()(0, last, inner, added);
  }
  return x;
}

ResUNetGraph::BlockEnd ResUNetGraph::Added() {
  return
      [this](size_t, const Convolution& last, const FeatureMap& inner, const std::vector<FeatureMap>& maps) {
        GraphEnd end;
        for (const FeatureMap& map : maps) end.added.push_back({map, 1.0f});
        return graph_.Conv(last, {inner}, end);
      };
}

FeatureMap ResUNetGraph::Down() {
  Layers& layers = graph_.layers();
  FeatureMap x = graph_.Conv(layers.Conv("m_head", shape_.features[0], shape_.inputs, {.bias = shape_.bias}),
                             {graph_.input()});
  for (size_t i = 0; i + 1 < ResUNetShape::kSizes; ++i) {
    seen_.push_back(x);
    const std::string down = "m_down" + std::to_string(i + 1);
    x = Blocks(down, 0, x, {}, {});
    x = graph_.Strided(Halving(layers, down + "." + std::to_string(shape_.blocks), shape_.features[i + 1],
                               shape_.features[i], shape_.bias),
                       x, 2);
  }
  seen_.push_back(x);
  return x;
}

FeatureMap ResUNetGraph::Up(FeatureMap x, const BlockEnd& end) {
  for (size_t i = ResUNetShape::kSizes - 1; i-- > 0;) {
    const std::string up = "m_up" + std::to_string(i + 1);
    x = graph_.Transposed(up + ".0", static_cast<int>(shape_.features[i]), x, shape_.bias);
    x = Blocks(up, 1, x, {seen_[i]},
               [&](const Convolution& last, const FeatureMap& inner, const std::vector<FeatureMap>& added) {
                 return end(i, last, inner, added);
               });
  }
  return graph_.Conv(graph_.layers().Conv("m_tail", shape_.bands, shape_.features[0], {.bias = shape_.bias}),
                     {x});
}

}  // namespace imgmill
