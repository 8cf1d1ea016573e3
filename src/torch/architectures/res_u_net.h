// U-Nets of residual blocks at four sizes, each half the one before, as DRUNet and FBCNN are: what was found
// at a size on the way down is added on the way up.
#pragma once

#include <array>
#include <functional>

#include "torch/architectures/layers.h"

namespace imgmill {

/// NAME.res.0, ReLU, NAME.res.2, and the input added.
class ConvResidual {
 public:
  ConvResidual(Layers& layers, const std::string& name, int64_t features, bool bias);
  /// What is to be added to the input.
  torch::Tensor Found(const torch::Tensor& x) const;
  torch::Tensor operator()(const torch::Tensor& x) const { return Found(x).add_(x); }

 private:
  Convolution first_, second_;
};

/// A transposed convolution that makes a square of four pixels of each.
class Doubling {
 public:
  Doubling() = default;
  Doubling(Layers& layers, const std::string& name, int64_t out, int64_t in, bool bias);
  torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  torch::Tensor weight_, bias_;
};

/// A convolution that makes one pixel of each square of four.
inline Convolution Halving(Layers& layers, const std::string& name, int64_t out, int64_t in, bool bias) {
  return layers.Conv(name, out, in, {.side = 2, .stride = 2, .padding = 0, .bias = bias});
}

/// Read off the tensors of m_head, m_down1 to m_down3, m_up3 to m_up1, m_tail and a body between.
struct ResUNetShape {
  static constexpr size_t kSizes = 4;
  static constexpr int64_t kMultiple = 8;  ///< of an image's sides
  int64_t inputs = 3, bands = 3;
  std::array<int64_t, kSizes> features{};  ///< at each size, from the image's on
  int blocks = 0;                          ///< at each size, on either way
  bool bias = false;

  /// What is held at the peak for an image of this size, which is continued to whole squares.
  size_t Bytes(int height, int width) const;
};

/// @param body  what the tensors at the least size begin with: "m_body"
bool ReadResUNet(const StateDict& weights, const std::string& body, ResUNetShape& shape);

/// So many blocks from NAME.FIRST on.
std::vector<ConvResidual> ConvResiduals(Layers& layers, const std::string& name, int first,
                                        const ResUNetShape& shape, int64_t features);

/// All but what is done at the least size.
class ResUNet {
 public:
  ResUNet(const ResUNetShape& shape, Layers& layers);

  /// The features of the least size. `seen` gets those that are added again by Up.
  torch::Tensor Down(const torch::Tensor& input, std::vector<torch::Tensor>& seen) const;
  /// What a block on the way up makes of its input, at that size.
  using Block = std::function<torch::Tensor(size_t size, const ConvResidual& block, const torch::Tensor& x)>;
  /// The last convolution's output. `x` is changed.
  torch::Tensor Up(torch::Tensor x, std::vector<torch::Tensor> seen, const Block& run) const;

 private:
  struct Size {
    std::vector<ConvResidual> down, up;
    Convolution halve;
    Doubling twice;
  };

  Convolution head_, tail_;
  std::vector<Size> sizes_;  ///< all but the least
};

}  // namespace imgmill
