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
  return Strided(layers_.Conv(name, out, from.channels, side), from, stride);
}

FeatureMap GraphBuilder::Strided(const Convolution& conv, const FeatureMap& from, int stride) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  const torch::Tensor weight = conv.weight.contiguous();
  return graph_->AddStrided(Described(conv, weight, {from}), stride);
}

FeatureMap GraphBuilder::Shuffled(const Convolution& conv, const FeatureMap& from, const GraphEnd& end) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  // In the file a channel's four pixels stand together.
  const auto by_pixels = [](const torch::Tensor& rows) {
    return rows.contiguous().view({rows.size(0) / 4, 4, -1}).permute({1, 0, 2}).contiguous();
  };
  return Doubled(by_pixels(conv.weight), conv.bias.defined() ? by_pixels(conv.bias) : torch::Tensor(), from,
                 end);
}

FeatureMap GraphBuilder::Transposed(const std::string& name, int out, const FeatureMap& from, bool bias) {
  const torch::Tensor weight = layers_.Parameter(name + ".weight", {from.channels, out, 2, 2});
  torch::Tensor all;
  if (bias) all = layers_.Parameter(name + ".bias", {out});
  if (!weight.defined() || (bias && !all.defined())) return from;  // Finish says what is wrong
  if (bias) all = all.repeat({4});
  return Doubled(weight.permute({2, 3, 1, 0}).contiguous(), all, from, {});
}

FeatureMap GraphBuilder::Doubled(const torch::Tensor& weight, const torch::Tensor& bias,
                                 const FeatureMap& from, const GraphEnd& end) {
  GraphConv conv;
  conv.from = {from};
  conv.out_channels = static_cast<int>(weight.numel() / (4 * from.channels));
  conv.weights = weight.data_ptr<float>();
  if (bias.defined()) conv.bias = bias.data_ptr<float>();
  conv.common_slope = end.slope;
  if (end.slopes.defined()) conv.slope = end.slopes.data_ptr<float>();
  return graph_->AddDoubled(conv);
}

FeatureMap GraphBuilder::Depthwise(const Convolution& conv, const FeatureMap& from) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  const torch::Tensor weight = conv.weight.contiguous();
  return graph_->AddDepthwise(Described(conv, weight, {from}));
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

Result<std::shared_ptr<const LayerGraph>> GraphBuilder::Finish(const GraphOutput& output) {
  TRY(layers_.Finish());
  graph_->Finish(output);
  return std::shared_ptr<const LayerGraph>(graph_);
}

}  // namespace imgmill
