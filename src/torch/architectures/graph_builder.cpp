#include "torch/architectures/graph_builder.h"

namespace imgmill {
namespace {

/// Rows of weights or biases, [channels][squares' pixels][...], by pixels, each pixel's channels padded.
torch::Tensor ByPixels(const torch::Tensor& rows, int64_t pixels) {
  const int64_t channels = rows.size(0) / pixels;
  const torch::Tensor by_pixels = rows.contiguous().view({channels, pixels, -1}).permute({1, 0, 2});
  const int64_t padded = PaddedChannels(static_cast<int>(channels));
  std::vector<int64_t> sizes = rows.sizes().vec();
  sizes[0] = pixels * padded;
  return torch::constant_pad_nd(by_pixels, {0, 0, 0, padded - channels}).contiguous().view(sizes);
}

}  // namespace

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

FeatureMap GraphBuilder::Strided(const Convolution& conv, const FeatureMap& from, int stride, float slope) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  const torch::Tensor weight = conv.weight.contiguous();
  GraphConv described = Described(conv, weight, {from});
  described.common_slope = slope;
  return graph_->AddStrided(described, stride);
}

FeatureMap GraphBuilder::DoubledInSize(const Convolution& conv, const FeatureMap& from, const GraphEnd& end) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  // In the file a channel's four pixels stand together.
  const auto by_pixels = [](const torch::Tensor& rows) {
    return rows.contiguous().view({rows.size(0) / 4, 4, -1}).permute({1, 0, 2}).contiguous();
  };
  return Doubled(by_pixels(conv.weight), conv.bias.defined() ? by_pixels(conv.bias) : torch::Tensor(), from,
                 end);
}

FeatureMap GraphBuilder::Transposed(const std::string& name, int out, const FeatureMap& from, bool bias,
                                    const GraphEnd& end) {
  const torch::Tensor weight = layers_.Parameter(name + ".weight", {from.channels, out, 2, 2});
  torch::Tensor all;
  if (bias) all = layers_.Parameter(name + ".bias", {out});
  if (!weight.defined() || (bias && !all.defined())) return from;  // Finish says what is wrong
  if (bias) all = all.repeat({4});
  return Doubled(weight.permute({2, 3, 1, 0}).contiguous(), all, from, end);
}

FeatureMap GraphBuilder::Doubled(const torch::Tensor& weight, const torch::Tensor& bias,
                                 const FeatureMap& from, const GraphEnd& end) {
  GraphConv conv;
  conv.from = {from};
  conv.out_channels = static_cast<int>(weight.numel() / (4 * from.channels));
  conv.weights = weight.data_ptr<float>();
  if (bias.defined()) conv.bias = bias.data_ptr<float>();
  return graph_->AddDoubled(Ended(std::move(conv), end));
}

FeatureMap GraphBuilder::Shuffled(const Convolution& conv, const std::vector<FeatureMap>& from,
                                  const GraphShuffle& shuffle, const GraphEnd& end) {
  if (!conv.weight.defined()) return from.front();  // Finish says what is wrong
  const int64_t pixels = shuffle.side * shuffle.side;
  Convolution by_pixels = conv;
  by_pixels.weight = ByPixels(conv.weight, pixels);
  if (conv.bias.defined()) by_pixels.bias = ByPixels(conv.bias, pixels);
  return graph_->AddShuffled(Conv(by_pixels, from, end), shuffle.side,
                             static_cast<int>(conv.weight.size(0) / pixels), shuffle.trimmed);
}

Convolution GraphBuilder::WithoutGroups(const Convolution& conv) {
  const int64_t groups = conv.shape.groups;
  if (!conv.weight.defined() || groups == 1) return conv;
  const int64_t in = conv.weight.size(1), out = conv.weight.size(0) / groups;
  std::vector<int64_t> sizes = conv.weight.sizes().vec();
  sizes[1] = in * groups;
  Convolution all = conv;
  all.weight = torch::zeros(sizes);
  for (int64_t g = 0; g < groups; ++g)
    all.weight.narrow(0, g * out, out).narrow(1, g * in, in).copy_(conv.weight.narrow(0, g * out, out));
  return all;
}

std::vector<FeatureMap> GraphBuilder::Grouped(const Convolution& conv, const std::vector<FeatureMap>& from,
                                              const GraphEnd& end,
                                              const std::optional<GraphShuffle>& shuffle) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  const auto add = [&](const Convolution& each, const std::vector<FeatureMap>& maps) {
    return shuffle ? Shuffled(each, maps, *shuffle, end) : Conv(each, maps, end);
  };
  const int64_t groups = conv.shape.groups, in = conv.weight.size(1), out = conv.weight.size(0) / groups;
  if (groups == 1) return {add(conv, from)};
  const int64_t pixels = shuffle ? shuffle->side * shuffle->side : 1;
  const bool apart = groups <= kMostConvInputs && in % kChannelPad == 0 && out / pixels % kChannelPad == 0 &&
                     (from.size() == 1 || static_cast<int64_t>(from.size()) == groups);
  if (!apart) return {add(WithoutGroups(conv), from)};
  std::vector<FeatureMap> maps;
  for (int64_t g = 0; g < groups; ++g) {
    Convolution each = conv;
    each.weight = conv.weight.narrow(0, g * out, out);
    if (conv.bias.defined()) each.bias = conv.bias.narrow(0, g * out, out);
    const auto index = static_cast<size_t>(g);
    maps.push_back(
        add(each, {from.size() > 1 ? from[index]
                                   : from.front().Channels(static_cast<int>(g * in), static_cast<int>(in))}));
  }
  return maps;
}

FeatureMap GraphBuilder::Normalized(const LayerNorm& norm, const FeatureMap& from) {
  if (!norm.weight.defined() || !norm.bias.defined()) return from;  // Finish says what is wrong
  return graph_->AddNormalized(from, norm.weight.data_ptr<float>(), norm.bias.data_ptr<float>(),
                               static_cast<float>(norm.epsilon));
}

FeatureMap GraphBuilder::Depthwise(const Convolution& conv, const FeatureMap& from, const GraphEnd& end) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  const torch::Tensor weight = conv.weight.contiguous();
  return graph_->AddDepthwise(Ended(Described(conv, weight, {from}), end));
}

GraphConv GraphBuilder::Ended(GraphConv conv, const GraphEnd& end) {
  conv.common_slope = end.slope;
  if (end.slopes.defined()) conv.slope = end.slopes.data_ptr<float>();
  conv.end = end.end;
  conv.gain = end.gain;
  conv.added = end.added;
  conv.padded = end.padded;
  return conv;
}

FeatureMap GraphBuilder::Conv(const Convolution& conv, const std::vector<FeatureMap>& from,
                              const GraphEnd& end) {
  if (!conv.weight.defined()) return from.front();  // Finish says what is wrong
  const torch::Tensor weight = conv.weight.contiguous();
  return graph_->Add(Ended(Described(conv, weight, from), end));
}

Convolution GraphBuilder::Apart(const Convolution& conv, int first) {
  const int gap = RestBegins(first) - first;
  if (!conv.weight.defined() || gap == 0) return conv;
  const auto parted = [&](const torch::Tensor& rows) {
    std::vector<int64_t> sizes = rows.sizes().vec();
    sizes[0] = gap;
    return torch::cat({rows.narrow(0, 0, first), torch::zeros(sizes), rows.slice(0, first)});
  };
  Convolution apart = conv;
  apart.weight = parted(conv.weight.contiguous());
  if (conv.bias.defined()) apart.bias = parted(conv.bias);
  return apart;
}

GraphBuilder::Parts GraphBuilder::Split(const Convolution& conv, const FeatureMap& from, int first,
                                        const GraphEnd& end) {
  if (!conv.weight.defined()) return {from, from};  // Finish says what is wrong
  const FeatureMap all = Conv(Apart(conv, first), {from}, end);
  const int begins = RestBegins(first);
  return {all.Channels(0, first), all.Channels(begins, all.channels - begins)};
}

Result<std::shared_ptr<const LayerGraph>> GraphBuilder::Finish(const GraphOutput& output) {
  TRY(layers_.Finish());
  graph_->Finish(output);
  return std::shared_ptr<const LayerGraph>(graph_);
}

}  // namespace imgmill
