#include "networks/graph_builder.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "base/try.h"
#include "networks/weights/weight_file.h"

namespace imgmill {
namespace {

/// Rows of weights or biases, [channels][squares' pixels][...], by pixels.
/// @param padded  channels of each pixel, those behind the real ones zero
Values ByPixels(const Values& rows, int64_t pixels, int64_t padded) {
  const int64_t channels = rows.side(0) / pixels, each = rows.count() / rows.side(0);
  Values by_pixels = rows.As({channels, pixels, each});
  if (padded > channels)
    by_pixels = Values::Joined({by_pixels, Values::Zeros({padded - channels, pixels, each})});
  Values::Shape shape = rows.shape();
  shape[0] = pixels * padded;
  return by_pixels.InOrder({1, 0, 2}).As(std::move(shape));
}

}  // namespace

Status CheckKernelSide(const std::string& network, int64_t side) {
  static_assert(kMostWindowSide == kMostDepthwiseSide);
  if (side % 2 != 0 && side <= kMostWindowSide) return {};
  const std::string text = std::to_string(side);
  return WeightError("it is " + network + " with kernels of " + text + "x" + text +
                     ", which are not known: odd ones up to 31x31 are");
}

FeatureMap GraphBuilder::Conv(const std::string& name, int out, const std::vector<FeatureMap>& from,
                              const GraphEnd& end, int side) {
  int64_t in = 0;
  for (const FeatureMap& map : from) in += map.channels;
  return Conv(layers_.Conv(name, out, in, side), from, end);
}

bool GraphBuilder::Fits(const ConvWeights& conv, const std::vector<FeatureMap>& from) {
  if (!conv.weight.defined()) return false;
  int64_t channels = 0;
  for (const FeatureMap& map : from) channels += map.channels;
  const bool fits = conv.weight.side(1) * conv.shape.groups == channels;
  fits_ = fits_ && fits;
  return fits;
}

GraphConv GraphBuilder::Described(const ConvWeights& conv, const std::vector<FeatureMap>& from) {
  GraphConv described;
  described.from = from;
  described.out_channels = static_cast<int>(conv.weight.side(0));
  described.side = static_cast<int>(conv.weight.side(2));
  described.across = static_cast<int>(conv.weight.side(3));
  described.weights = conv.weight.data();
  described.bias = conv.bias.defined() ? conv.bias.data() : nullptr;
  return described;
}

FeatureMap GraphBuilder::Strided(const std::string& name, int out, const FeatureMap& from, int side,
                                 int stride) {
  return Strided(layers_.Conv(name, out, from.channels, side), from, stride);
}

FeatureMap GraphBuilder::Strided(const ConvWeights& conv, const FeatureMap& from, int stride, float slope) {
  if (!Fits(conv, {from})) return from;
  const ConvWeights all = WithoutGroups(conv);
  GraphConv described = Described(all, {from});
  described.common_slope = slope;
  return graph_->AddStrided(described, stride);
}

FeatureMap GraphBuilder::DoubledInSize(const ConvWeights& conv, const FeatureMap& from, const GraphEnd& end) {
  if (!Fits(conv, {from})) return from;
  // In the file a channel's four pixels stand together.
  const int64_t channels = conv.weight.side(0) / 4;
  return Doubled(ByPixels(conv.weight, 4, channels),
                 conv.bias.defined() ? ByPixels(conv.bias, 4, channels) : Values(), from, end);
}

FeatureMap GraphBuilder::Transposed(const std::string& name, int out, const FeatureMap& from, bool bias,
                                    const GraphEnd& end) {
  const Values weight = layers_.Parameter(name + ".weight", {from.channels, out, 2, 2});
  Values all;
  if (bias) all = layers_.Parameter(name + ".bias", {out});
  if (!weight.defined() || (bias && !all.defined())) return from;  // Finish says what is wrong
  if (bias) all = Values::Joined({all, all, all, all});
  return Doubled(weight.InOrder({2, 3, 1, 0}), all, from, end);
}

FeatureMap GraphBuilder::Doubled(const Values& weight, const Values& bias, const FeatureMap& from,
                                 const GraphEnd& end) {
  GraphConv conv;
  conv.from = {from};
  conv.out_channels = static_cast<int>(weight.count() / (4 * from.channels));
  conv.weights = weight.data();
  if (bias.defined()) conv.bias = bias.data();
  return graph_->AddDoubled(Ended(std::move(conv), end));
}

FeatureMap GraphBuilder::Shuffled(const ConvWeights& conv, const std::vector<FeatureMap>& from,
                                  const GraphShuffle& shuffle, const GraphEnd& end) {
  if (!Fits(conv, from)) return from.front();
  const int64_t pixels = shuffle.side * shuffle.side;
  const int channels = static_cast<int>(conv.weight.side(0) / pixels);
  ConvWeights by_pixels = conv;
  by_pixels.weight = ByPixels(conv.weight, pixels, PaddedChannels(channels));
  if (conv.bias.defined()) by_pixels.bias = ByPixels(conv.bias, pixels, PaddedChannels(channels));
  return graph_->AddShuffled(Conv(by_pixels, from, end), shuffle.side, channels, shuffle.trimmed,
                             shuffle.added);
}

ConvWeights GraphBuilder::Chosen(int64_t in, int64_t side) {
  const int64_t out = in * side * side;
  Buffer floats(static_cast<size_t>(out * out) * sizeof(float));
  std::memset(floats.data(), 0, floats.size());
  auto* const chosen = reinterpret_cast<float*>(floats.data());
  for (int64_t k = 0; k < out; ++k) chosen[k * out + k] = 1.0f;
  ConvWeights conv;
  conv.weight = {{out, in, side, side}, std::move(floats)};
  return conv;
}

FeatureMap GraphBuilder::Unshuffled(const FeatureMap& from, int side, float slope) {
  return Strided(Chosen(from.channels, side), from, side, slope);
}

FeatureMap GraphBuilder::Halved(const FeatureMap& from) {
  return Strided(Chosen(from.channels, 1), from, 2);
}

ConvWeights GraphBuilder::WithoutGroups(const ConvWeights& conv) {
  const int64_t groups = conv.shape.groups;
  if (!conv.weight.defined() || groups == 1) return conv;
  const int64_t in = conv.weight.side(1), out = conv.weight.side(0) / groups;
  const int64_t window = conv.weight.side(2) * conv.weight.side(3);
  Values::Shape shape = conv.weight.shape();
  shape[1] = in * groups;
  Buffer floats(static_cast<size_t>(conv.weight.count() * groups) * sizeof(float));
  std::memset(floats.data(), 0, floats.size());
  auto* const to = reinterpret_cast<float*>(floats.data());
  const float* from = conv.weight.data();
  for (int64_t k = 0; k < groups * out; ++k, from += in * window)
    std::copy_n(from, in * window, to + (k * groups + k / out) * in * window);
  ConvWeights all = conv;
  all.weight = {std::move(shape), std::move(floats)};
  all.shape.groups = 1;
  return all;
}

std::vector<FeatureMap> GraphBuilder::Grouped(const ConvWeights& conv, const std::vector<FeatureMap>& from,
                                              const GraphEnd& end,
                                              const std::optional<GraphShuffle>& shuffle) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  const auto add = [&](const ConvWeights& each, const std::vector<FeatureMap>& maps) {
    return shuffle ? Shuffled(each, maps, *shuffle, end) : Conv(each, maps, end);
  };
  const int64_t groups = conv.shape.groups, in = conv.weight.side(1), out = conv.weight.side(0) / groups;
  if (groups == 1) return {add(conv, from)};
  const int64_t pixels = shuffle ? shuffle->side * shuffle->side : 1;
  const bool apart = groups <= kMostConvInputs && in % kChannelPad == 0 && out / pixels % kChannelPad == 0 &&
                     (from.size() == 1 || static_cast<int64_t>(from.size()) == groups);
  if (!apart) return {add(WithoutGroups(conv), from)};
  std::vector<FeatureMap> maps;
  for (int64_t g = 0; g < groups; ++g) {
    const auto index = static_cast<size_t>(g);
    maps.push_back(
        add(conv.Some(g * out, out),
            {from.size() > 1 ? from[index]
                             : from.front().Channels(static_cast<int>(g * in), static_cast<int>(in))}));
  }
  return maps;
}

FeatureMap GraphBuilder::Normalized(const NormWeights& norm, const FeatureMap& from) {
  if (!norm.weight.defined() || !norm.bias.defined()) return from;  // Finish says what is wrong
  return graph_->AddNormalized(from, norm.weight.data(), norm.bias.data(), static_cast<float>(norm.epsilon));
}

ConvWeights GraphBuilder::PassingOn(const ConvWeights& conv, int64_t from) {
  if (!conv.weight.defined() || conv.weight.side(0) == from) return conv;
  const int64_t passed = from - conv.weight.side(0), window = conv.weight.count() / conv.weight.side(0);
  Buffer same(static_cast<size_t>(passed * window) * sizeof(float));
  auto* const weights = reinterpret_cast<float*>(same.data());
  std::fill_n(weights, passed * window, 0.0f);
  for (int64_t c = 0; c < passed; ++c) weights[c * window + window / 2] = 1.0f;
  Values::Shape shape = conv.weight.shape();
  shape[0] = passed;
  ConvWeights all = conv;
  all.shape.groups = from;
  all.weight = Values::Joined({{std::move(shape), std::move(same)}, conv.weight});
  if (conv.bias.defined()) all.bias = Values::Joined({Values::Zeros({passed}), conv.bias});
  return all;
}

ConvWeights GraphBuilder::Centred(const ConvWeights& conv, int64_t side) {
  if (!conv.weight.defined()) return conv;
  const int64_t height = conv.weight.side(2), width = conv.weight.side(3);
  const int64_t kernels = conv.weight.side(0) * conv.weight.side(1);
  Buffer floats(static_cast<size_t>(kernels * side * side) * sizeof(float));
  std::memset(floats.data(), 0, floats.size());
  auto* to = reinterpret_cast<float*>(floats.data()) + (side / 2 - height / 2) * side + side / 2 - width / 2;
  const float* from = conv.weight.data();
  for (int64_t kernel = 0; kernel < kernels; ++kernel, to += side * side) {
    for (int64_t i = 0; i < height; ++i, from += width) std::copy_n(from, width, to + i * side);
  }
  ConvWeights centred = conv;
  centred.weight = {{conv.weight.side(0), conv.weight.side(1), side, side}, std::move(floats)};
  return centred;
}

FeatureMap GraphBuilder::GroupNormalized(const NormWeights& norm, int groups, const FeatureMap& from,
                                         const std::vector<AddedMap>& added) {
  if (!norm.weight.defined() || !norm.bias.defined()) return from;  // Finish says what is wrong
  return ScaledBy(graph_->AddGroupNorm(from, groups, norm.weight.data(), norm.bias.data(),
                                       static_cast<float>(norm.epsilon)),
                  from, added);
}

FeatureMap GraphBuilder::EnergyNormalized(const Values& weight, const Values& bias, double epsilon,
                                          const FeatureMap& from) {
  if (!weight.defined() || !bias.defined()) return from;  // Finish says what is wrong
  return ScaledBy(graph_->AddEnergyNorm(from, weight.data(), bias.data(), static_cast<float>(epsilon)), from,
                  {});
}

FeatureMap GraphBuilder::ScaledBy(const FeatureMap& norm, const FeatureMap& from,
                                  const std::vector<AddedMap>& added) {
  const int channels = from.channels;
  return graph_->AddScaled(from, norm.Channels(0, channels),
                           norm.Channels(PaddedChannels(channels), channels), added);
}

FeatureMap GraphBuilder::Partial(const ConvWeights& conv, const FeatureMap& from) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  const int part = static_cast<int>(std::min<int64_t>(conv.weight.side(0), from.channels));
  if (!Fits(conv, {from.Channels(0, part)})) return from;
  GraphConv described = Described(conv, {from});
  described.partial = true;
  return graph_->Add(described);
}

FeatureMap GraphBuilder::Sampled(const std::string& name, const FeatureMap& from, int scale, int groups,
                                 std::optional<int> out) {
  const int64_t count = int64_t{2} * groups * scale * scale;
  const ConvWeights scope = layers_.Conv(name + ".scope", count, from.channels, {.side = 1, .bias = false});
  const Values start = layers_.Parameter(name + ".init_pos", {1, count, 1, 1});
  const FeatureMap offsets = Conv(name + ".offset", static_cast<int>(count), {from}, {}, 1);
  if (!scope.weight.defined() || !start.defined() || !fits_) return from;  // Finish says what is wrong
  const FeatureMap places = Conv(scope, {from}, {.end = ConvEnd::kWeigh, .added = {{offsets, 1.0f}}});
  const FeatureMap sampled = graph_->AddSampled(from, places, scale, groups, start.data());
  return out ? Conv(name + ".end_conv", *out, {sampled}, {}, 1) : sampled;
}

FeatureMap GraphBuilder::BestShare(const FeatureMap& scores, const std::vector<int>& widths) {
  fits_ = fits_ && static_cast<size_t>(scores.channels) == widths.size();
  if (static_cast<size_t>(scores.channels) != widths.size()) return scores;  // Finish says what is wrong
  return graph_->AddChosen(scores, widths);
}

FeatureMap GraphBuilder::Depthwise(const ConvWeights& conv, const FeatureMap& from, const GraphEnd& end) {
  if (!Fits(conv, {from})) return from;
  return graph_->AddDepthwise(Ended(Described(conv, {from}), end));
}

GraphConv GraphBuilder::Ended(GraphConv conv, const GraphEnd& end) {
  conv.common_slope = end.slope;
  if (end.slopes.defined()) conv.slope = end.slopes.data();
  conv.end = end.end;
  conv.gain = end.gain;
  conv.shift = end.shift;
  conv.added = end.added;
  conv.padded = end.padded;
  return conv;
}

FeatureMap GraphBuilder::Conv(const ConvWeights& conv, const std::vector<FeatureMap>& from,
                              const GraphEnd& end) {
  if (!Fits(conv, from)) return from.front();
  return graph_->Add(Ended(Described(conv, from), end));
}

ConvWeights GraphBuilder::Apart(const ConvWeights& conv, int first) {
  const int gap = RestBegins(first) - first;
  if (!conv.weight.defined() || gap == 0) return conv;
  const auto parted = [&](const Values& rows) {
    Values::Shape zeros = rows.shape();
    zeros[0] = gap;
    return Values::Joined(
        {rows.Some(0, 0, first), Values::Zeros(std::move(zeros)), rows.Some(0, first, rows.side(0) - first)});
  };
  ConvWeights apart = conv;
  apart.weight = parted(conv.weight);
  if (conv.shape.groups > 1) apart.shape.groups = apart.weight.side(0);
  if (conv.bias.defined()) apart.bias = parted(conv.bias);
  return apart;
}

GraphBuilder::Parts GraphBuilder::Split(const ConvWeights& conv, const FeatureMap& from, int first,
                                        const GraphEnd& end) {
  if (!Fits(conv, {from}) || first < 1 || first >= conv.weight.side(0)) return {from, from};
  const FeatureMap all = Conv(Apart(conv, first), {from}, end);
  const int begins = RestBegins(first);
  return {all.Channels(0, first), all.Channels(begins, all.channels - begins)};
}

Result<std::shared_ptr<const LayerGraph>> GraphBuilder::Finish(const GraphOutput& output) {
  TRY(layers_.Finish());
  if (!fits_) throw std::logic_error("a layer of a graph reads maps that its weights are not for");
  graph_->Finish(output);
  return std::shared_ptr<const LayerGraph>(graph_);
}

}  // namespace imgmill
