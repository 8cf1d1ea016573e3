#include "torch/architectures/rectangle_attention.h"

#include <algorithm>
#include <cmath>

#include "networks/weights/weight_file.h"

namespace imgmill {

RectangleSides ReadRectangle(const StateDict& weights, const std::string& attention) {
  const WeightTensor* offsets = weights.Find(attention + ".attns.0.rpe_biases");
  if (offsets == nullptr || offsets->dim(0) < 1 || offsets->dim(1) != 2) return {};
  const Result<Buffer> values = ToFloats(*offsets);
  if (!values) return {};
  const float* last = reinterpret_cast<const float*>(values->data()) + 2 * (offsets->dim(0) - 1);
  RectangleSides sides;
  for (auto& [side, value] : {std::pair{&sides.height, last[0]}, std::pair{&sides.width, last[1]}}) {
    if (!(value >= 0 && value < 1024)) return {};
    *side = std::lround(value) + 1;
  }
  const bool fits = (2 * sides.height - 1) * (2 * sides.width - 1) == offsets->dim(0) &&
                    sides.longer() % std::min(sides.height, sides.width) == 0;
  return fits ? sides : RectangleSides{};
}

bool RectangleMoves(size_t group, int block) {
  return group % 2 == 0 ? block > 0 && (block - 2) % 4 == 0 : block % 4 == 0;
}

RectangleAttention::PositionNet::PositionNet(Layers& from, const std::string& name) {
  const int64_t inner = from.Outputs(name + ".pos_proj.weight");
  first = from.Dense(name + ".pos_proj", inner, 2);
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::string each = name + ".pos" + std::to_string(i + 1);
    norms[i] = from.Norm(each + ".0", inner);
    layers[i] = from.Dense(each + ".2", i < 2 ? inner : from.Outputs(each + ".2.weight"), inner);
  }
}

torch::Tensor RectangleAttention::PositionNet::operator()(const WindowShape& window,
                                                          const torch::TensorOptions& options) const {
  const torch::Tensor down = torch::arange(1 - window.height, window.height, options);
  const torch::Tensor right = torch::arange(1 - window.width, window.width, options);
  const std::vector<int64_t> shape = {down.size(0), right.size(0)};
  torch::Tensor x = first(
      torch::stack({down.unsqueeze(1).expand(shape), right.unsqueeze(0).expand(shape)}, 2).view({-1, 2}));
  for (size_t i = 0; i < layers.size(); ++i) x = layers[i](torch::relu(norms[i](x)));
  return x;
}

RectangleAttention::RectangleAttention(Layers& layers, const std::string& name, int64_t features,
                                       const RectangleSides& sides, bool moves)
    : features_(features), longer_(sides.longer()) {
  windows_[0] = {.height = sides.height, .width = sides.width};
  windows_[1] = {.height = sides.width, .width = sides.height};
  for (WindowShape& window : windows_) {
    window.down = moves ? window.height / 2 : 0;
    window.right = moves ? window.width / 2 : 0;
  }
  const Linear qkv = layers.Dense(name + ".qkv", 3 * features, features, layers.Has(name + ".qkv.bias"));
  for (size_t i = 0; i < qkv_.size(); ++i) {
    const int64_t half = features / 2, first = static_cast<int64_t>(i) * half;
    const auto part = [&](const torch::Tensor& of) {
      return of.defined() ? of.unflatten(0, {3, features}).narrow(1, first, half).flatten(0, 1) : of;
    };
    qkv_[i] = PackedLinear({part(qkv.weight), part(qkv.bias)});
  }
  for (int i = 0; i < 2; ++i) positions_.emplace_back(layers, name + ".attns." + std::to_string(i) + ".pos");
}

torch::Tensor RectangleAttention::operator()(const torch::Tensor& image, torch::Tensor& values) const {
  const int64_t n = image.size(0), height = image.size(1), width = image.size(2), half = features_ / 2;
  const auto whole = [&](int64_t side) { return (side + longer_ - 1) / longer_ * longer_; };
  values = torch::empty_like(image);
  torch::Tensor output = torch::empty_like(image);
  for (size_t i = 0; i < 2; ++i) {
    const int64_t first = static_cast<int64_t>(i) * half;
    torch::Tensor qkv = torch::zeros({n, whole(height), whole(width), 3 * half}, image.options());
    const torch::Tensor inside = qkv.narrow(1, 0, height).narrow(2, 0, width);
    const int64_t rows = std::max<int64_t>(1, kPixelsAtOnce / (n * width));
    for (int64_t top = 0; top < height; top += rows) {
      const int64_t count = std::min(rows, height - top);
      inside.narrow(1, top, count).copy_(qkv_[i](image.narrow(1, top, count)));
    }
    values.narrow(3, first, half).copy_(inside.narrow(3, 2 * half, half));
    const torch::Tensor table = positions_[i](windows_[i], image.options());
    const torch::Tensor index = RelativeIndex(windows_[i].height, windows_[i].width, image.device());
    const torch::Tensor made = ForWindows(qkv, windows_[i], RelativeBias(table, index),
                                          [&](const torch::Tensor& windows, const torch::Tensor& bias) {
                                            const torch::Tensor split = SplitHeads(windows, 3, table.size(1));
                                            return Attend(split[0], split[1], split[2], bias);
                                          });
    output.narrow(3, first, half).copy_(made.narrow(1, 0, height).narrow(2, 0, width));
  }
  return output;
}

int64_t RectangleFloatsAtOnce(const RectangleSides& sides, int64_t height, int64_t width, int64_t features,
                              int64_t half_heads) {
  // Padding makes the image up to a window longer each way.
  const int64_t longer = sides.longer(), padding = longer * (height + width + longer);
  const WindowShape high = {.height = longer, .width = 1};
  return 3 * padding * features +
         WindowFloats(high, width + longer, features, half_heads, sides.height * sides.width);
}

}  // namespace imgmill
