// What SwinIR and the networks built like it share: a convolution, blocks at the input's size with a residual
// convolution behind them, and one of four ways to make an image of the features.
#pragma once

#include <optional>

#include "torch/architectures/image_bands.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/upscale_network.h"

namespace imgmill {

/// How features become an image.
enum class TailKind {
  kShuffle,   ///< a convolution, then one and a pixel shuffle for each factor, and one to colours
  kDirect,    ///< a convolution to the channels of all output pixels, and one pixel shuffle
  kNearest,   ///< a convolution, then nearest neighbours and one for each doubling, two more
  kResidual,  ///< a convolution to colours, added to the input
};

/// All but the blocks, read off the tensors.
struct FramePlan {
  std::string first = "conv_first";
  int64_t bands = 3;
  int64_t features = 0;
  int64_t unshuffle = 1;  ///< side of the squares of pixels that become channels first
  TailKind tail = TailKind::kShuffle;
  int64_t inner = 0;             ///< features of the enlarging layers
  std::vector<int64_t> factors;  ///< of each enlarging layer
  bool shifts_mean = true;       ///< colours are taken from a fixed mean
  double range = 1;              ///< what 1.0 becomes inside
  int64_t multiple = 1;          ///< sides are padded to this
  int64_t least = 1;             ///< side of the smallest image; smaller ones are padded to it
  bool repeats_edge = false;     ///< padding to `multiple` starts with the last pixels again
  bool auxiliary = false;        ///< Swin2SR's pixelshuffle_aux: an image of the input's size comes first
  int scale() const;             ///< of the output to the input
};

/// False where the tensors are of no such network.
bool ReadFrame(const StateDict& weights, FramePlan& plan);

/// What stands before a residual addition: one 3x3 convolution (NAME), three with LeakyReLU in between
/// (NAME.0, NAME.2, NAME.4), or nothing.
class ResidualConv {
 public:
  ResidualConv() = default;
  ResidualConv(Layers& layers, const std::string& name, int64_t features);
  torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  std::vector<Convolution> convs_;
};

/// Blocks that change an image, and a residual convolution behind them.
template <typename Block>
struct ResidualGroup {
  std::vector<Block> blocks;
  ResidualConv conv;

  /// @param make  block number n, as make(n)
  template <typename Make>
  ResidualGroup(Layers& layers, const std::string& name, int depth, int64_t features, const Make& make)
      : conv(layers, name + ".conv", features) {
    for (int b = 0; b < depth; ++b) blocks.push_back(make(b));
  }

  void operator()(torch::Tensor& image) const {
    torch::Tensor inner = image.clone();
    for (const Block& block : blocks) block(inner);
    Planes(image).add_(conv(Planes(inner)));
  }
};

/// What the tensors of a group of blocks begin with.
inline std::string GroupName(size_t number) {
  return "layers." + std::to_string(number);
}

/// How many blocks each group has: name(group, block) is a tensor of each.
template <typename Name>
std::vector<int> DepthsOf(const StateDict& weights, const Name& name) {
  std::vector<int> depths;
  while (true) {
    const size_t group = depths.size();
    const int count = CountOf(weights, 0, [&](int block) { return name(group, block); });
    if (count == 0) return depths;
    depths.push_back(count);
  }
}

/// A network of which only the blocks are its own. It has a layer normalization behind them, and mostly one
/// before.
class FramedNet : public UpscaleNet {
 public:
  FramedNet(FramePlan plan, Layers& layers);
  torch::Tensor forward(torch::Tensor input) final;

 protected:
  /// Of the first convolution's features, N x H x W x C, contiguous, those that the first normalization gets.
  virtual torch::Tensor Embedded(const torch::Tensor& x) const { return x; }
  /// Everything between the two normalizations: changes N x H x W x C, contiguous.
  virtual void Blocks(torch::Tensor& image) const = 0;

 private:
  torch::Tensor Features(const torch::Tensor& x) const;
  torch::Tensor Image(const torch::Tensor& features) const;
  torch::Tensor AuxiliaryImage(const torch::Tensor& features, const torch::Tensor& shown, int64_t height,
                               int64_t width) const;
  torch::Tensor Enlarged(torch::Tensor x) const;

  torch::Tensor Padded(const torch::Tensor& input) const;

  FramePlan plan_;
  std::optional<LayerNorm> first_norm_;
  LayerNorm last_norm_;
  Convolution first_, before_, hr_, last_;
  Convolution enlarged_, to_auxiliary_, from_auxiliary_;
  std::vector<Convolution> ups_;
  ResidualConv after_body_;
};

/// One whose blocks stand in residual groups: layers.0, layers.1 and so on.
template <typename Block>
class GroupedNet : public FramedNet {
 public:
  /// @param depths  how many blocks each group has
  /// @param make    block b of group g, as make(g, b)
  template <typename Make>
  GroupedNet(const FramePlan& plan, Layers& layers, const std::vector<int>& depths, const Make& make)
      : FramedNet(plan, layers) {
    for (size_t g = 0; g < depths.size(); ++g) {
      groups_.emplace_back(layers, GroupName(g), depths[g], plan.features, [&](int b) { return make(g, b); });
    }
  }

 protected:
  void Blocks(torch::Tensor& image) const final {
    for (const auto& group : groups_) group(image);
  }

 private:
  std::vector<ResidualGroup<Block>> groups_;
};

/// What follows from the blocks of such a network. Pixels are those of the features: behind the unshuffling.
struct FrameTraits {
  int64_t radius = -1;    ///< from which a pixel's value comes, in pixels; -1: from anywhere in the image
  int64_t grid = 1;       ///< tiles begin at multiples of so many pixels
  int64_t per_pixel = 0;  ///< floats that the features hold for each pixel, input and output included
  /// Floats beside them, by the image's height and the padded width in pixels.
  std::function<int64_t(int64_t height, int64_t columns)> at_once;
};

/// What there is to say of such a network but how it is built.
UpscaleNetworkParts FrameParts(const FramePlan& plan, ModelInfo info, FrameTraits traits);

/// Radius of all layers but the blocks', in pixels of the features.
inline constexpr int kFrameRadius = 6;

}  // namespace imgmill
