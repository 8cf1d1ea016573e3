// A network written down for our own kernels, its layers by name out of a state dict whose names and shapes
// were checked before.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "networks/kernels/layer_graph.h"
#include "networks/layer_weights.h"

namespace imgmill {

/// What becomes of a convolution's values.
struct GraphEnd {
  float slope = 1;  ///< factor for negative values; 1: no activation
  ConvEnd end = ConvEnd::kSlope;
  float gain = 1;
  float shift = 0;
  std::vector<AddedMap> added = {};
  Values slopes = {};  ///< one for each channel, in place of `slope`
  bool padded = true;  ///< as GraphConv's
};

/// A convolution whose outputs become squares of pixels.
struct GraphShuffle {
  int side = 2;
  int trimmed = 0;  ///< pixels below and to the right that are left out
  std::vector<AddedMap> added = {};
};

/// A kModelError where no layer has kernels of that side.
/// @param network  "an ArtCNN"
Status CheckKernelSide(const std::string& network, int64_t side);

class GraphBuilder {
 public:
  GraphBuilder(const StateDict& weights, LayerGraph::Input input)
      : layers_(weights), graph_(std::make_shared<LayerGraph>(std::move(input))) {}

  FeatureMap input() const { return graph_->input(); }
  LayerWeights& layers() { return layers_; }

  /// `name`, over the channels of all of `from`.
  FeatureMap Conv(const std::string& name, int out, const std::vector<FeatureMap>& from,
                  const GraphEnd& end = {}, int side = 3);
  /// Weights that were taken or made elsewhere.
  FeatureMap Conv(const ConvWeights& conv, const std::vector<FeatureMap>& from, const GraphEnd& end = {});

  /// A convolution in groups, as so many maps, one of each group. Where its weights' groups are no multiples
  /// of kChannelPad, or too many to be read together, it is one of all channels, and one map.
  /// @param from  one map, or one of each group
  /// @param shuffle  of what each group gives
  std::vector<FeatureMap> Grouped(const ConvWeights& conv, const std::vector<FeatureMap>& from,
                                  const GraphEnd& end, const std::optional<GraphShuffle>& shuffle = {});
  /// A convolution whose first outputs are read by others than those behind them, as two maps that can be
  /// read apart, however many there are.
  struct Parts {
    FeatureMap first, rest;
  };
  Parts Split(const ConvWeights& conv, const FeatureMap& from, int first, const GraphEnd& end);
  /// A convolution of all channels, or of each by itself, whose outputs from the `first`th on are behind
  /// enough of zeros to be read apart; and where these begin.
  static ConvWeights Apart(const ConvWeights& conv, int first);
  static int RestBegins(int first) { return PaddedChannels(first); }
  /// The same as one convolution of all channels, with zeros between its groups.
  FeatureMap Ungrouped(const ConvWeights& conv, const std::vector<FeatureMap>& from, const GraphEnd& end) {
    return Conv(WithoutGroups(conv), from, end);
  }
  /// A convolution and a pixel shuffle.
  FeatureMap Shuffled(const ConvWeights& conv, const std::vector<FeatureMap>& from,
                      const GraphShuffle& shuffle, const GraphEnd& end = {});
  /// The other way round: squares of pixels become channels, each channel's one after the other.
  /// @param slope  factor for negative values
  FeatureMap Unshuffled(const FeatureMap& from, int side, float slope = 1);

  /// Layers of LayerGraph's that change a map's size, or that are for whole maps.
  FeatureMap Strided(const std::string& name, int out, const FeatureMap& from, int side, int stride);
  FeatureMap Strided(const ConvWeights& conv, const FeatureMap& from, int stride, float slope = 1);
  /// The first pixel of each square of four, of those too that the sides cut: what a convolution by strides
  /// of two gives, where zeros stand around its input, of what it gives without.
  FeatureMap Halved(const FeatureMap& from);
  /// A 1x1 convolution and a pixel shuffle by two. Of `end`, slopes and what is added.
  FeatureMap DoubledInSize(const ConvWeights& conv, const FeatureMap& from, const GraphEnd& end);
  /// A transposed convolution of 2x2 by strides of two: `name`, with a bias or without. The same of `end`.
  FeatureMap Transposed(const std::string& name, int out, const FeatureMap& from, bool bias,
                        const GraphEnd& end = {});
  /// A convolution of the last channels by themselves as one of each of all `from`, those before passed on.
  static ConvWeights PassingOn(const ConvWeights& conv, int64_t from);
  /// The same convolution with a square kernel that is no smaller, zeros around its own.
  static ConvWeights Centred(const ConvWeights& conv, int64_t side);
  /// As many of the first channels as it has outputs convolved, and the others passed on.
  FeatureMap Partial(const ConvWeights& conv, const FeatureMap& from);
  /// @param groups  of channels that are normalized together, over a whole map
  FeatureMap GroupNormalized(const NormWeights& norm, int groups, const FeatureMap& from,
                             const std::vector<AddedMap>& added);
  /// @param weight, bias  LayerGraph::AddEnergyNorm's, of each channel
  FeatureMap EnergyNormalized(const Values& weight, const Values& bias, double epsilon,
                              const FeatureMap& from);
  FeatureMap Depthwise(const ConvWeights& conv, const FeatureMap& from, const GraphEnd& end = {});
  FeatureMap Mean(const FeatureMap& from) { return graph_->AddMean(from); }
  FeatureMap Function(const FeatureMap& from, MapFunction function) {
    return graph_->AddFunction(from, function);
  }
  FeatureMap Scaled(const FeatureMap& from, const FeatureMap& factors,
                    const std::optional<FeatureMap>& shifts, const std::vector<AddedMap>& added) {
    return graph_->AddScaled(from, factors, shifts, added);
  }
  FeatureMap Normalized(const NormWeights& norm, const FeatureMap& from);
  FeatureMap Product(const FeatureMap& one, const FeatureMap& other) {
    return graph_->AddProduct(one, other);
  }
  /// Enlarged by places that were learned: `name`.offset, .scope, .init_pos, and .end_conv, which gives `out`
  /// channels; none where they are to stay as many.
  FeatureMap Sampled(const std::string& name, const FeatureMap& from, int scale, int groups,
                     std::optional<int> out);
  FeatureMap MaxPool(const FeatureMap& from, int side, int stride) {
    return graph_->AddMaxPool(from, side, stride);
  }
  FeatureMap Pooled(const FeatureMap& from, int side) { return graph_->AddPooled(from, side); }
  FeatureMap Resized(const FeatureMap& from, const FeatureMap& like, Resizing resizing,
                     const std::vector<AddedMap>& added = {}) {
    return graph_->AddResized(from, like, resizing, added);
  }
  FeatureMap BestShare(const FeatureMap& scores, const std::vector<int>& widths);

  /// The graph, or the first thing that was wrong with a layer.
  Result<std::shared_ptr<const LayerGraph>> Finish(const GraphOutput& output);

 private:
  /// Whether there are weights for just these maps; else something was wrong, and Finish says what.
  bool Fits(const ConvWeights& conv, const std::vector<FeatureMap>& from);
  static GraphConv Ended(GraphConv conv, const GraphEnd& end);
  /// Each value of a window as a channel of its own.
  static ConvWeights Chosen(int64_t in, int64_t side);
  static ConvWeights WithoutGroups(const ConvWeights& conv);
  /// @param norm  factors, and the shifts behind them
  FeatureMap ScaledBy(const FeatureMap& norm, const FeatureMap& from, const std::vector<AddedMap>& added);
  /// The pointers live as long as `conv`.
  static GraphConv Described(const ConvWeights& conv, const std::vector<FeatureMap>& from);
  /// `weight`: [4, pixels][out][in]; `bias`: [4][out].
  FeatureMap Doubled(const Values& weight, const Values& bias, const FeatureMap& from, const GraphEnd& end);

  LayerWeights layers_;
  std::shared_ptr<LayerGraph> graph_;
  bool fits_ = true;
};

}  // namespace imgmill
