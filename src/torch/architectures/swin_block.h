// The block of a Swin Transformer that SwinIR, DRCT and HAT are made of: attention in windows, shifted in
// every other one, and two linear layers for each pixel, each behind a layer normalization.
#pragma once

#include "torch/architectures/packed_linear.h"
#include "torch/architectures/window_attention.h"

namespace imgmill {

/// NAME.fc1, GELU, NAME.fc2.
struct PixelMlp {
  PackedLinear wide, narrow;
  PixelMlp() = default;
  PixelMlp(Layers& layers, const std::string& name, int64_t features);
  torch::Tensor operator()(const torch::Tensor& x) const { return narrow(wide(x, DenseEnd::kGelu)); }
};

/// NAME.qkv, NAME.proj and NAME.relative_position_bias_table.
class WindowSelfAttention {
 public:
  WindowSelfAttention() = default;
  WindowSelfAttention(Layers& layers, const std::string& name, int64_t features, int64_t window);
  /// Of windows of `shape`.
  /// @param norm  of the image, which is not yet normalized; null where it is
  torch::Tensor operator()(const torch::Tensor& image, const WindowShape& shape,
                           const LayerNorm* norm = nullptr) const;
  int64_t heads() const { return heads_; }

 private:
  int64_t heads_ = 1;
  PackedLinear qkv_, out_;
  torch::Tensor table_;
};

/// The shape of block number `number`: every second one is shifted by half a window.
WindowShape SwinWindow(int64_t window, int64_t number);

/// NAME.norm1, NAME.attn, NAME.norm2, NAME.mlp.
class SwinBlock {
 public:
  SwinBlock(Layers& layers, const std::string& name, int64_t features, const WindowShape& window);
  /// Changes the image.
  void operator()(torch::Tensor& image) const;

 private:
  WindowShape window_;
  LayerNorm norm1_, norm2_;
  WindowSelfAttention attention_;
  PixelMlp mlp_;
};

}  // namespace imgmill
