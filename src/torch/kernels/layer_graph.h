// A convolutional network on our own kernels, run layer by layer: what a layer gives is a map of features
// that is kept for as long as a later layer reads it. For networks that reach too far for a depth-first
// chain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "imgmill/memory/pool.h"
#include "torch/kernels/kernel_network.h"
#include "torch/kernels/map_sampling.h"

namespace imgmill {

/// What a layer gives: some or all channels of a map.
struct FeatureMap {
  int index = -1;
  int first = 0;  ///< channel; a multiple of kChannelPad
  int channels = 0;
  bool doubled = false;  ///< read at twice its size, by nearest neighbour

  FeatureMap Channels(int from, int count) const { return {index, first + from, count, doubled}; }
  FeatureMap Doubled() const { return {index, first, channels, true}; }
};

/// How an image is continued where it has to be larger, to the right and below.
enum class Continuation {
  kMirrorOrLast,  ///< mirrored about its last pixel; that pixel again where one side has too few to mirror
  kMirror,        ///< mirrored as far as there are pixels, then the last of these again
  kLast,          ///< its last pixel again
};

/// One convolution that keeps its input's size. The pointers need only live until it is added.
struct GraphConv {
  std::vector<FeatureMap> from;  ///< at most kMostConvInputs, one behind the other, all of one size
  int out_channels = 0;
  int side = 3;                    ///< or 1
  const float* weights = nullptr;  ///< [out_channels][channels of `from`][side][side]
  const float* bias = nullptr;     ///< [out_channels], or null for none
  const float* slope = nullptr;    ///< [out_channels], or null for `common_slope`
  float common_slope = 1.0f;       ///< 1: no activation
  ConvEnd end = ConvEnd::kSlope;
  float gain = 1.0f;
  struct Added {
    FeatureMap map;  ///< all channels of a map
    float scale = 1.0f;
  };
  std::vector<Added> added;  ///< at most kMostConvAdded
};

class LayerGraph final : public KernelNetwork {
 public:
  /// What comes in, and how it becomes the first map.
  struct Input {
    int bands = 3;
    int unshuffle =
        1;  ///< side of the squares of pixels that become channels; the image is continued to whole ones
    std::vector<float> mean = {};  ///< of each band, taken away; empty: zeros
    float range = 1.0f;            ///< the factor after that
    int least = 1;                 ///< pixels of a side: a smaller image is continued
    int multiple = 1;              ///< an image's sides are continued to multiples of it; or of `unshuffle`
    Continuation continued = Continuation::kMirrorOrLast;
    std::vector<float> told = {};  ///< values of bands behind the image's, the same at each of its pixels
  };

  LayerGraph(const ConvKernels& kernels, Input input);

  // ---- building, in the order of work
  FeatureMap input() const { return {0, 0, maps_[0].channels, false}; }
  /// @throws OutOfMemory
  FeatureMap Add(const GraphConv& conv);
  /// A convolution with a bias alone, of one whole map, without padding and by strides. Not in bands.
  /// @throws OutOfMemory
  FeatureMap AddStrided(const GraphConv& conv, int stride);
  /// A 1x1 convolution whose values become squares of four pixels: a pixel shuffle, or a convolution of 2x2
  /// transposed. Of one whole map, with bias and slope alone.
  /// @param conv  its weights: [4, the square's pixels row by row][out_channels][channels of `from`]; its
  /// bias: [4][out_channels]
  /// @throws OutOfMemory
  FeatureMap AddDoubled(const GraphConv& conv);
  /// A convolution of each channel of one whole map by itself, of an odd side up to kMostDepthwiseSide, with
  /// a bias alone. Its weights: [out_channels][side][side].
  /// @throws OutOfMemory
  FeatureMap AddDepthwise(const GraphConv& conv);
  /// The mean of each channel of a whole map: a map of one pixel. Not in bands.
  FeatureMap AddMean(const FeatureMap& from);
  /// A function of each value of a whole map. Not in bands.
  FeatureMap AddFunction(const FeatureMap& from, MapFunction function);
  /// from * factors + shifts + each of `added`: whole maps, of which the factors and the shifts have one
  /// pixel. At most kMostConvAdded. Not in bands.
  FeatureMap AddScaled(const FeatureMap& from, const FeatureMap& factors, const FeatureMap& shifts,
                       const std::vector<FeatureMap>& added);
  /// The largest of each channel in windows, without padding. Not in bands.
  FeatureMap AddMaxPool(const FeatureMap& from, int side, int stride);
  /// A whole map at the size of another, bilinear. Not in bands.
  FeatureMap AddResized(const FeatureMap& from, const FeatureMap& like);
  /// What is added from here on is made in bands of rows, none of which is kept: for layers at the output's
  /// size. Once only.
  void BeginBands() { bands_from_ = layers_.size(); }
  /// The last map: bands * shuffle * shuffle channels, which become the pixels of squares.
  /// @param end  what is made of each value
  void Finish(FeatureMap output, int shuffle, MapFunction end = MapFunction::kNone);

  const ConvKernels& kernels() const noexcept override { return kernels_; }
  size_t weight_bytes() const noexcept override;
  size_t WorkBytes(int height, int width, int threads) const override;
  bool Run(const KernelImage& image, uint8_t* work, WorkerTeam& team) const override;

 private:
  friend class LayerGraphWork;
  friend struct LayerGraphLayout;

  struct Map {
    int channels = 0;
  };
  enum class Kind { kConv, kStrided, kDoubled, kDepthwise, kMean, kFunction, kScaled, kMaxPool, kResized };
  struct Layer {
    Kind kind = Kind::kConv;
    std::vector<FeatureMap> from;
    std::vector<GraphConv::Added> added;
    int side = 3;
    int stride = 1;
    int like = 0;  ///< the map whose size a resized one gets
    MapFunction function = MapFunction::kNone;
    ConvLayer conv;
    std::vector<int> packed_from;
    int file_channels = 0;
    Buffer weights;  ///< as in the file: packed ones would be four times as large
    Buffer ends;     ///< bias and slope

    bool packs() const { return kind == Kind::kConv || kind == Kind::kStrided || kind == Kind::kDoubled; }
    /// By Winograd's algorithm; else weights are packed for a product of matrices.
    bool transforms() const { return kind == Kind::kConv && side == 3; }
  };

  static void KeepEnds(const GraphConv& conv, Layer& layer);
  static void KeepWeights(const GraphConv& conv, Layer& layer);
  FeatureMap Add(Layer layer, int channels);

  const ConvKernels& kernels_;
  Input input_;
  std::vector<Map> maps_;  ///< the input, then what each layer gives
  std::vector<Layer> layers_;
  size_t bands_from_ = SIZE_MAX;  ///< a layer
  FeatureMap output_;
  int shuffle_ = 1;
  MapFunction end_ = MapFunction::kNone;
};

}  // namespace imgmill
