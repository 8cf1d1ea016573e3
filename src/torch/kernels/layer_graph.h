// A convolutional network on our own kernels, run layer by layer: what a layer gives is a map of features
// that is kept for as long as a later layer reads it. For networks that reach too far for a depth-first
// chain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "imgmill/memory/pool.h"
#include "torch/kernels/kernel_network.h"

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
        1;  ///< side of the squares of pixels that become channels; the image is continued by mirroring
    std::vector<float> mean = {};  ///< of each band, taken away; empty: zeros
    float range = 1.0f;            ///< the factor after that
    int least = 1;                 ///< pixels of a side: a smaller image is continued by mirroring
  };

  LayerGraph(const ConvKernels& kernels, Input input);

  // ---- building, in the order of work
  FeatureMap input() const { return {0, 0, maps_[0].channels, false}; }
  /// @throws OutOfMemory
  FeatureMap Add(const GraphConv& conv);
  /// A convolution with a bias alone, of one whole map, without padding and by strides. Not in bands.
  /// @throws OutOfMemory
  FeatureMap AddStrided(const GraphConv& conv, int stride);
  /// The largest of each channel in windows, without padding. Not in bands.
  FeatureMap AddMaxPool(const FeatureMap& from, int side, int stride);
  /// A whole map at the size of another, bilinear. Not in bands.
  FeatureMap AddResized(const FeatureMap& from, const FeatureMap& like);
  /// What is added from here on is made in bands of rows, none of which is kept: for layers at the output's
  /// size. Once only.
  void BeginBands() { bands_from_ = layers_.size(); }
  /// The last map: bands * shuffle * shuffle channels, which become the pixels of squares.
  void Finish(FeatureMap output, int shuffle);

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
  enum class Kind { kConv, kStrided, kMaxPool, kResized };
  struct Layer {
    Kind kind = Kind::kConv;
    std::vector<FeatureMap> from;
    std::vector<GraphConv::Added> added;
    int side = 3;
    int stride = 1;
    int like = 0;  ///< the map whose size a resized one gets
    ConvLayer conv;
    std::vector<int> packed_from;
    int file_channels = 0;
    Buffer weights;  ///< as in the file: packed ones would be four times as large
    Buffer ends;     ///< bias and slope

    bool packs() const { return kind == Kind::kConv || kind == Kind::kStrided; }
    /// By Winograd's algorithm; else weights are packed for a product of matrices.
    bool transforms() const { return kind == Kind::kConv && side == 3; }
  };

  void KeepWeights(const GraphConv& conv, Layer& layer);
  FeatureMap Add(Layer layer, int channels);

  const ConvKernels& kernels_;
  Input input_;
  std::vector<Map> maps_;  ///< the input, then what each layer gives
  std::vector<Layer> layers_;
  size_t bands_from_ = SIZE_MAX;  ///< a layer
  FeatureMap output_;
  int shuffle_ = 1;
};

}  // namespace imgmill
