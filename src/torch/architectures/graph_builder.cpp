#include "torch/architectures/graph_builder.h"

namespace imgmill {

FeatureMap GraphBuilder::Conv(const std::string& name, int out, const std::vector<FeatureMap>& from,
                              const GraphEnd& end, int side) {
  int64_t in = 0;
  for (const FeatureMap& map : from) in += map.channels;
  return Conv(layers_.Conv(name, out, in, side), from, end);
}

FeatureMap GraphBuilder::Conv(const Convolution& conv, const std::vector<FeatureMap>& from,
                              const GraphEnd& end) {
  if (!conv.weight.defined()) return from.front();  // Finish says what is wrong
  const torch::Tensor weight = conv.weight.contiguous();
  GraphConv added;
  added.from = from;
  added.out_channels = static_cast<int>(weight.size(0));
  added.side = static_cast<int>(weight.size(2));
  added.weights = weight.data_ptr<float>();
  added.bias = conv.bias.defined() ? conv.bias.data_ptr<float>() : nullptr;
  added.common_slope = end.slope;
  added.end = end.end;
  added.gain = end.gain;
  added.added = end.added;
  return graph_->Add(added);
}

Result<std::shared_ptr<const KernelNetwork>> GraphBuilder::Finish(const FeatureMap& output, int shuffle) {
  TRY(layers_.Finish());
  graph_->Finish(output, shuffle);
  return std::shared_ptr<const KernelNetwork>(graph_);
}

}  // namespace imgmill
