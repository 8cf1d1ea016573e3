#include "torch/architectures/swin_block.h"

namespace imgmill {

PixelMlp::PixelMlp(Layers& layers, const std::string& name, int64_t features) {
  const int64_t inner = layers.Outputs(name + ".fc1.weight");
  wide = PackedLinear(layers.Dense(name + ".fc1", inner, features));
  narrow = PackedLinear(layers.Dense(name + ".fc2", features, inner));
}

WindowSelfAttention::WindowSelfAttention(Layers& layers, const std::string& name, int64_t features,
                                         int64_t window) {
  const std::string table = name + ".relative_position_bias_table";
  heads_ = layers.Side(table, 1);
  qkv_ = PackedLinear(layers.Dense(name + ".qkv", 3 * features, features, layers.Has(name + ".qkv.bias")));
  out_ = PackedLinear(layers.Dense(name + ".proj", features, features));
  table_ = layers.Parameter(table, {(2 * window - 1) * (2 * window - 1), heads_});
}

torch::Tensor WindowSelfAttention::operator()(const torch::Tensor& image, const WindowShape& shape,
                                              const LayerNorm* norm) const {
  const torch::Tensor index = RelativeIndex(shape.height, shape.width, image.device());
  return ForWindows(image, shape, RelativeBias(table_, index),
                    [&](const torch::Tensor& windows, const torch::Tensor& bias) {
                      const torch::Tensor qkv =
                          SplitHeads(qkv_(norm == nullptr ? windows : (*norm)(windows)), 3, heads_);
                      return out_(Attend(qkv[0], qkv[1], qkv[2], bias));
                    });
}

WindowShape SwinWindow(int64_t window, int64_t number) {
  const int64_t shift = number % 2 == 0 ? 0 : window / 2;
  return {.height = window, .width = window, .down = shift, .right = shift};
}

SwinBlock::SwinBlock(Layers& layers, const std::string& name, int64_t features, const WindowShape& window)
    : window_(window),
      norm1_(layers.Norm(name + ".norm1", features)),
      norm2_(layers.Norm(name + ".norm2", features)),
      attention_(layers, name + ".attn", features, window.height),
      mlp_(layers, name + ".mlp", features) {}

void SwinBlock::operator()(torch::Tensor& image) const {
  image.add_(attention_(image, window_, &norm1_));
  AddPerPixel(image, [&](const torch::Tensor& x) { return mlp_(norm2_(x)); });
}

}  // namespace imgmill
