// A convolutional network on our own kernels. What a layer gives is a map of features. How far a pixel sees,
// which rows of which layer are made when, and what of them is kept for how long all follow from the graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "networks/kernels/graph_image.h"
#include "networks/kernels/graph_plan.h"
#include "networks/kernels/graph_stretches.h"
#include "networks/kernels/worker_team.h"

namespace imgmill {

/// One convolution. The pointers need only live until it is added.
struct GraphConv {
  std::vector<FeatureMap> from;  ///< at most kMostConvInputs, one behind the other, all of one size
  int out_channels = 0;
  int side = 3;  ///< odd, up to kMostWindowSide. Above 3: of one whole map, with slope and what is added then
  int across = 0;  ///< of a depthwise kernel the columns, where there are not as many as rows; odd
  const float* weights = nullptr;  ///< [out_channels][channels of `from`][side][side]
  const float* bias = nullptr;     ///< [out_channels], or null for none
  const float* slope = nullptr;    ///< [out_channels], or null for `common_slope`
  float common_slope = 1.0f;       ///< 1: no activation
  ConvEnd end = ConvEnd::kSlope;
  float gain = 1.0f;
  float shift = 0.0f;           ///< added to all values beside `added`; of no end that Gates
  std::vector<AddedMap> added;  ///< at most kMostConvAdded
  /// As many of the map's first channels are read as are given, and the others passed on. Otherwise as above
  /// 3x3.
  bool partial = false;
  /// Zeros stand around the input, so that the size stays; else a 3x3 convolution gives one pixel less on
  /// each side. Not of maps that are read at twice their size.
  bool padded = true;
};

class LayerGraphLayout;

/// On the CPU, exact in the memory it takes, and the same bytes for any number of threads.
class LayerGraph {
 public:
  using Input = GraphInput;

  explicit LayerGraph(Input input);

  // ---- building, in the order of work
  FeatureMap input() const { return {0, 0, plan_.channels[0], false}; }
  /// @throws OutOfMemory
  FeatureMap Add(const GraphConv& conv);
  /// A convolution with bias and slope alone, of one whole map, without padding and by strides.
  /// @throws OutOfMemory
  FeatureMap AddStrided(const GraphConv& conv, int stride);
  /// A 1x1 convolution whose values become squares of four pixels: a pixel shuffle, or a convolution of 2x2
  /// transposed. Of one whole map, with bias and slope, and then what is added.
  /// @param conv  its weights: [4, the square's pixels row by row][out_channels][channels of `from`]; its
  /// bias: [4][out_channels]
  /// @throws OutOfMemory
  FeatureMap AddDoubled(const GraphConv& conv);
  /// Groups of channels that become squares of pixels, row by row, each group padded to a multiple of
  /// kChannelPad but for the last. Of one whole map.
  /// @param trimmed  pixels below and to the right that are left out
  /// @param added  to the pixels
  FeatureMap AddShuffled(const FeatureMap& from, int side, int channels, int trimmed = 0,
                         const std::vector<AddedMap>& added = {});
  /// A convolution of each channel of one map by itself, of odd sides up to kMostDepthwiseSide. Its weights:
  /// [out_channels][side][across]; its end is none that Gates.
  /// @throws OutOfMemory
  FeatureMap AddDepthwise(const GraphConv& conv);
  /// The mean of each channel of a whole map: a map of one pixel.
  FeatureMap AddMean(const FeatureMap& from);
  /// What a group norm of a whole map multiplies and adds, `weight` and `bias` included: a map of one pixel,
  /// whose channels are factors, and behind these, from PaddedChannels(from.channels) on, as many shifts.
  /// @param groups  a divisor of the channels
  FeatureMap AddGroupNorm(const FeatureMap& from, int groups, const float* weight, const float* bias,
                          float epsilon);
  /// What is multiplied with and added to a whole map's channels by their share of its energy, stored alike:
  /// 1 and `weight` times a channel's Euclidean norm over that of the mean channel and `epsilon`; and `bias`.
  FeatureMap AddEnergyNorm(const FeatureMap& from, const float* weight, const float* bias, float epsilon);
  /// Of a map of one pixel, whose channels are scores: the largest one's share by softmax, once for each of
  /// its channels, and zeros for all others'. Of one pixel, with as many channels as there are in `widths`.
  /// @param widths  channels of each score, at least 1
  FeatureMap AddChosen(const FeatureMap& scores, const std::vector<int>& widths);
  /// A function of each value of a whole map.
  FeatureMap AddFunction(const FeatureMap& from, MapFunction function);
  /// Each pixel's channels less their mean, over the root of their variance and `epsilon`, times `weight`,
  /// and `bias`: that many values. Of one whole map.
  FeatureMap AddNormalized(const FeatureMap& from, const float* weight, const float* bias, float epsilon);
  /// from * factors + shifts + each of `added`: whole maps, of which the factors and the shifts have one
  /// pixel. At most kMostConvAdded.
  FeatureMap AddScaled(const FeatureMap& from, const FeatureMap& factors,
                       const std::optional<FeatureMap>& shifts, const std::vector<AddedMap>& added);
  /// One map's values times another's; of maps read in part, too.
  FeatureMap AddProduct(const FeatureMap& one, const FeatureMap& other);
  /// The largest of each channel in windows, without padding.
  FeatureMap AddMaxPool(const FeatureMap& from, int side, int stride);
  /// The largest of each channel in squares of `side`, of which as many as fit into the map are stretched
  /// over all of it. Of some channels, from any on.
  FeatureMap AddPooled(const FeatureMap& from, int side);
  /// A whole map enlarged, each pixel bilinear from a place near its own that depends on the image, within
  /// the map: Liu et al., "Learning to Upsample by Learning to Sample", ICCV 2023. Half of what `places` says
  /// is added to where it starts.
  /// @param places  a whole map of the same size: [x, y][groups][scale, row by row][scale], in pixels of
  /// `from`
  /// @param groups  of `from`'s channels, a divisor of them; each looks at a place of its own
  /// @param start  as many as `places` has channels
  FeatureMap AddSampled(const FeatureMap& from, const FeatureMap& places, int scale, int groups,
                        const float* start);
  /// A whole map at the size of another, and what is added then: at most kMostConvAdded.
  FeatureMap AddResized(const FeatureMap& from, const FeatureMap& like, Resizing resizing,
                        const std::vector<AddedMap>& added = {});
  /// @throws std::logic_error if a map of the smallest image, GraphInput::least, would have no pixels, or if
  /// what goes out has fewer than the image at a whole scale
  /// @param most_packed  floats of the packed weights of layers that take turns; none: as many as are fast
  void Finish(GraphOutput output, std::optional<size_t> most_packed = {});

  /// The layers as they were written down, for others that run them.
  const GraphPlan& plan() const noexcept { return plan_; }

  /// Bytes of the weights as they are kept.
  size_t weight_bytes() const noexcept;
  /// How far a pixel of the output sees, in pixels of the image; -1 where that depends on the image's size.
  int radius() const;
  /// Bytes of working memory that Run needs for just that size and that many threads: for a smaller image it
  /// may be more.
  size_t WorkBytes(int height, int width, int threads) const;
  /// `work` is WorkBytes long and 64-byte aligned. The result does not depend on the number of threads.
  /// @return whether all values that came out were finite
  bool Run(const ConvKernels& kernels, const KernelImage& image, uint8_t* work, WorkerTeam& team) const;

 private:
  /// @throws OutOfMemory
  FeatureMap AddOverWindow(const GraphConv& conv, LayerKind kind, int stride);
  static GraphLayer Normalizing(const FeatureMap& from, const float* weight, const float* bias,
                                float epsilon);
  static void KeepEnds(const GraphConv& conv, GraphLayer& layer);
  static void KeepWeights(const GraphConv& conv, GraphLayer& layer);
  FeatureMap Add(GraphLayer layer, int channels);

  std::shared_ptr<const LayerGraphLayout> LayoutFor(int height, int width, int threads) const;

  GraphPlan plan_;
  std::vector<GraphStretch> stretches_;
  /// Of the size that was asked for last: tiles of one size follow one another.
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const LayerGraphLayout> last_;
};

}  // namespace imgmill
