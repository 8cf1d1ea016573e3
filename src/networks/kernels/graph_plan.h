// What a LayerGraph is made of, as it was written down.
#pragma once

#include <cstddef>
#include <vector>

#include "imgmill/memory/pool.h"
#include "networks/kernels/conv_kernels.h"
#include "networks/kernels/map_resizing.h"
#include "networks/kernels/map_sampling.h"

namespace imgmill {

/// What a layer gives: some or all channels of a map.
struct FeatureMap {
  int index = -1;
  int first = 0;  ///< channel; a multiple of kChannelPad where not any one is said to do
  int channels = 0;
  bool doubled = false;  ///< read at twice its size, by nearest neighbour

  FeatureMap Channels(int from, int count) const { return {index, first + from, count, doubled}; }
  FeatureMap Doubled() const { return {index, first, channels, true}; }
};

/// Something that is added to what a layer gives.
struct AddedMap {
  FeatureMap map;  ///< all channels of a map
  float scale = 1.0f;
  int margin = 0;  ///< pixels on each side of it that are left out
};

/// How an image is continued where it has to be larger, to the right and below.
enum class Continuation {
  kMirrorOrLast,  ///< mirrored about its last pixel; that pixel again where one side has too few to mirror
  kMirror,        ///< mirrored as far as there are pixels, then the last of these again
  kBlack,         ///< zeros, where no mean is taken away and no margin mirrored
  kLast,          ///< its last pixel again
};

/// What comes in, and how it becomes the first map.
struct GraphInput {
  int bands = 3;
  int unshuffle =
      1;  ///< side of the squares of pixels that become channels; the image is continued to whole ones
  std::vector<float> mean = {};  ///< of each band, taken away; empty: zeros
  float range = 1.0f;            ///< the factor after that
  int least = 1;                 ///< pixels of a side: a smaller image is continued
  int multiple = 1;              ///< an image's sides are continued to multiples of it; or of `unshuffle`
  Continuation continued = Continuation::kMirrorOrLast;
  std::vector<float> told = {};  ///< values of bands behind the image's, the same at each of its pixels
  /// Pixels on each side, by which the image that is continued so far is mirrored; of whole squares of
  /// `unshuffle`. Layers without padding take them away again.
  int margin = 0;
  int margin_multiple = 1;  ///< below and to the right so many more that the sides are multiples of it
};

/// How the image, as it came in, is added to what goes out, which is larger.
enum class InputAdded {
  kNone,
  kNearest,   ///< to each pixel the one that it is made of
  kBilinear,  ///< bilinear, of the image as it is continued; without a margin and squares that are channels
};

/// What goes out: pixels of 0 to 1, all else clamped.
struct GraphOutput {
  FeatureMap map;   ///< of bands * shuffle * shuffle channels
  int shuffle = 1;  ///< side of the squares of pixels that these become
  int margin = 0;   ///< pixels on each side of `map` that are left out
  InputAdded adds_input = InputAdded::kNone;
  MapFunction end = MapFunction::kNone;  ///< what is made of each value then
};

enum class LayerKind {
  kConv,
  kWide,  ///< a convolution of a kernel larger than 3x3, that keeps the size
  kStrided,
  kDoubled,
  kShuffled,
  kDepthwise,
  kMean,
  kGroupNorm,   ///< what one multiplies and adds: of one pixel
  kEnergyNorm,  ///< the same of a norm by the channels' energy
  kChosen,      ///< the largest share of one pixel's, and zeros for the others
  kFunction,
  kNormalized,
  kScaled,
  kProduct,
  kMaxPool,
  kPooled,  ///< the largest of squares, which are stretched where a side is no multiple of theirs
  kResized,
  kSampled,  ///< enlarged, each pixel from a place that another map says
};

/// How far a layer of kind kSampled looks, in pixels of what it reads. Nothing bounds it, but what is learned
/// hardly goes beyond a pixel.
inline constexpr int kSampleReach = 2;

struct GraphLayer {
  LayerKind kind = LayerKind::kConv;
  std::vector<FeatureMap> from;
  std::vector<AddedMap> added;
  int side = 3;
  int across = 0;   ///< columns of a depthwise kernel
  int stride = 1;   ///< or, of squares that pixels become, the side
  int margin = 0;   ///< pixels on each side that a convolution without padding does not give
  int trimmed = 0;  ///< pixels below and to the right that are left out of what is shuffled
  float epsilon = 0;
  int groups = 1;        ///< of channels that are normalized together, or that look at one place
  bool partial = false;  ///< a wide convolution of the first channels alone; the others are passed on
  int like = 0;          ///< the map whose size a resized one gets
  Resizing resizing = Resizing::kBilinear;
  MapFunction function = MapFunction::kNone;
  ConvLayer conv;
  std::vector<int> packed_from;
  int file_channels = 0;
  std::vector<int> widths;  ///< channels that each share becomes of what is chosen
  Buffer weights;  ///< as in the file: packed ones would be four times as large; of kSampled where it starts
  Buffer ends;     ///< bias and slope

  /// Whether any row needs all rows of what is read.
  bool ReadsWhole() const { return kind == LayerKind::kMean || IsNorm(); }
  /// Whether it gives what is multiplied and added.
  bool IsNorm() const { return kind == LayerKind::kGroupNorm || kind == LayerKind::kEnergyNorm; }
  /// Whether what a pixel is made of depends on the sides of the map.
  bool Stretches() const { return kind == LayerKind::kPooled || kind == LayerKind::kResized; }
  bool packs() const { return kind == LayerKind::kConv || OverWindow() || kind == LayerKind::kDoubled; }
  /// Dense over the pixels of its windows, which are gathered.
  bool OverWindow() const { return kind == LayerKind::kWide || kind == LayerKind::kStrided; }
  /// By Winograd's algorithm; else weights are packed for a product of matrices.
  bool transforms() const { return kind == LayerKind::kConv && side == 3; }
  /// Floats of its packed weights; 0 where it has none.
  size_t packed_floats() const {
    if (!packs()) return 0;
    const size_t all = PackedWinogradFloats(conv.out_channels, conv.in_channels);
    return transforms() ? all : all / 36;
  }
};

/// Floats of the packed weights of layers that take turns, which are read again at each: 8 MiB are there for
/// them in most processors' caches.
inline constexpr size_t kMostPacked = size_t{2} << 20;
/// A network whose weights all fit into this is not cut for their sake: another map that is kept whole would
/// cost more than reading them from further away.
inline constexpr size_t kMostPackedAlone = size_t{6} << 20;

struct GraphPlan {
  GraphInput input;
  std::vector<int> channels;  ///< of the maps: the input, then what each layer gives
  std::vector<GraphLayer> layers;
  GraphOutput output;
  int scale = 1;                     ///< of the output to the image
  size_t most_packed = kMostPacked;  ///< floats of the packed weights of a stretch
};

}  // namespace imgmill
