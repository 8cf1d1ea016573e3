// Attention in rectangular windows, as DAT and RGT have it: half of the features in wide windows and half in
// high ones, with relative positions from a small network.
#pragma once

#include <array>
#include <vector>

#include "torch/architectures/packed_linear.h"
#include "torch/architectures/window_attention.h"

namespace imgmill {

/// Height and width of the first half's windows; the second half has them turned.
struct RectangleSides {
  int64_t height = 0, width = 0;
  int64_t longer() const { return std::max(height, width); }
};

/// The sides, from the last of the offsets that such a network keeps: their product and sum would tell no
/// order. Zeros where there is none.
RectangleSides ReadRectangle(const StateDict& weights, const std::string& attention);

/// Whether this block's windows are moved by half of their sides.
bool RectangleMoves(size_t group, int block);

/// NAME.qkv, and NAME.attns.0.pos, NAME.attns.1.pos. The layer behind it is the network's.
class RectangleAttention {
 public:
  RectangleAttention(Layers& layers, const std::string& name, int64_t features, const RectangleSides& sides,
                     bool moves);
  /// Of a normalized image. What lies beyond it, up to whole windows, has queries, keys and values of 0.
  /// @param values  set to all values, N x H x W x C
  torch::Tensor operator()(const torch::Tensor& image, torch::Tensor& values) const;

 private:
  /// Offsets of two pixels to what is added to their logit, for each head.
  struct PositionNet {
    Linear first;
    std::array<LayerNorm, 3> norms;
    std::array<Linear, 3> layers;
    PositionNet(Layers& from, const std::string& name);
    torch::Tensor operator()(const WindowShape& window, const torch::TensorOptions& options) const;
  };

  int64_t features_, longer_;
  std::array<WindowShape, 2> windows_;
  std::array<PackedLinear, 2> qkv_;  ///< of each half, its queries, keys and values
  std::vector<PositionNet> positions_;
};

/// Floats that it holds for each pixel, its output and `values` included.
constexpr int64_t RectangleFloats(int64_t features) {
  return 6 * features;
}
/// And what it holds beside them for an image of this size.
int64_t RectangleFloatsAtOnce(const RectangleSides& sides, int64_t height, int64_t width, int64_t features,
                              int64_t half_heads);

}  // namespace imgmill
