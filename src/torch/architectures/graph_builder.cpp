#include "torch/architectures/graph_builder.h"

namespace imgmill {

FeatureMap GraphBuilder::Conv(const std::string& name, int out, const std::vector<FeatureMap>& from,
                              const GraphEnd& end, int side) {
  int64_t in = 0;
  for (const FeatureMap& map : from) in += map.channels;
  return Conv(layers_.Conv(name, out, in, side), from, end);
}

GraphConv GraphBuilder::Described(const Convolution& conv, const torch::Tensor& weight,
                                  const std::vector<FeatureMap>& from) {
  GraphConv described;
  described.from = from;
  described.out_channels = static_cast<int>(weight.size(0));
  described.side = static_cast<int>(weight.size(2));
  described.weights = weight.data_ptr<float>();
  described.bias = conv.bias.defined() ? conv.bias.data_ptr<float>() : nullptr;
  return described;
}

FeatureMap GraphBuilder::Strided(const std::string& name, int out, const FeatureMap& from, int side,
                                 int stride) {
  const Convolution conv = layers_.Conv(name, out, from.channels, side);
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  const torch::Tensor weight = conv.weight.contiguous();
  return graph_->AddStrided(Described(conv, weight, {from}), stride);
}

FeatureMap GraphBuilder::Conv(const Convolution& conv, const std::vector<FeatureMap>& from,
                              const GraphEnd& end) {
  if (!conv.weight.defined()) return from.front();  // Finish says what is wrong
  const torch::Tensor weight = conv.weight.contiguous();
  GraphConv added = Described(conv, weight, from);
  added.common_slope = end.slope;
  if (end.slopes.defined()) added.slope = end.slopes.data_ptr<float>();
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
