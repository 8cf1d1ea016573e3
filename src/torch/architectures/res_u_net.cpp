#include "torch/architectures/res_u_net.h"

#include <algorithm>

#include "torch/architectures/feature_maps.h"
#include "torch/architectures/same_bits.h"

namespace imgmill {

ConvResidual::ConvResidual(Layers& layers, const std::string& name, int64_t features, bool bias)
    : first_(layers.Conv(name + ".res.0", features, features, {.bias = bias})),
      second_(layers.Conv(name + ".res.2", features, features, {.bias = bias})) {}

torch::Tensor ConvResidual::Found(const torch::Tensor& x) const {
  torch::Tensor inner = first_(x);
  return second_(inner.relu_());
}

Doubling::Doubling(Layers& layers, const std::string& name, int64_t out, int64_t in, bool bias)
    : weight_(layers.Parameter(name + ".weight", {in, out, 2, 2})) {
  if (bias) bias_ = layers.Parameter(name + ".bias", {out});
}

torch::Tensor Doubling::operator()(const torch::Tensor& x) const {
  return ConvTransposed2d(x, weight_, bias_, /*stride=*/2);
}

size_t ResUNetShape::Bytes(int height, int width) const {
  // What was seen at the larger sizes, and a block's input, what is inside it and what comes of it, one of
  // them in two orders; the image continued, and the output.
  double seen = 0, most = 0, share = 1;
  for (const int64_t each : features) {
    const double here = static_cast<double>(each) * share;
    seen += here;
    most = std::max(most, seen + 4 * here);
    share /= 4;
  }
  const int64_t floats = static_cast<int64_t>(most) + 1 + 2 * inputs + bands;
  return static_cast<size_t>(floats * ToMultiple(height, kMultiple) * ToMultiple(width, kMultiple)) *
         sizeof(float);
}

bool ReadResUNet(const StateDict& weights, const std::string& body, ResUNetShape& shape) {
  const WeightTensor* head = weights.Find("m_head.weight");
  const WeightTensor* tail = weights.Find("m_tail.weight");
  if (head == nullptr || tail == nullptr) return false;
  shape.inputs = head->dim(1);
  shape.bands = tail->dim(0);
  shape.bias = weights.Find("m_head.bias") != nullptr;
  const std::string firsts[] = {"m_down1.0", "m_down2.0", "m_down3.0", body + ".0"};
  for (size_t size = 0; size < ResUNetShape::kSizes; ++size) {
    const WeightTensor* first = weights.Find(firsts[size] + ".res.0.weight");
    if (first == nullptr || first->dim(0) < 1) return false;
    shape.features[size] = first->dim(0);
  }
  shape.blocks = CountOf(weights, 0, [&](int i) { return body + "." + std::to_string(i) + ".res.0.weight"; });
  return shape.blocks > 0 && (shape.bands == 1 || shape.bands == 3);
}

std::vector<ConvResidual> ConvResiduals(Layers& layers, const std::string& name, int first,
                                        const ResUNetShape& shape, int64_t features) {
  std::vector<ConvResidual> blocks;
  for (int i = first; i < first + shape.blocks; ++i)
    blocks.emplace_back(layers, name + "." + std::to_string(i), features, shape.bias);
  return blocks;
}

ResUNet::ResUNet(const ResUNetShape& shape, Layers& layers)
    : head_(layers.Conv("m_head", shape.features[0], shape.inputs, {.bias = shape.bias})),
      tail_(layers.Conv("m_tail", shape.bands, shape.features[0], {.bias = shape.bias})) {
  for (size_t i = 0; i + 1 < ResUNetShape::kSizes; ++i) {
    const std::string number = std::to_string(i + 1), down = "m_down" + number, up = "m_up" + number;
    const int64_t features = shape.features[i], next = shape.features[i + 1];
    sizes_.push_back({ConvResiduals(layers, down, 0, shape, features),
                      ConvResiduals(layers, up, 1, shape, features),
                      Halving(layers, down + "." + std::to_string(shape.blocks), next, features, shape.bias),
                      Doubling(layers, up + ".0", features, next, shape.bias)});
  }
}

torch::Tensor ResUNet::Down(const torch::Tensor& input, std::vector<torch::Tensor>& seen) const {
  torch::Tensor x = head_(input);
  for (const Size& size : sizes_) {
    seen.push_back(x);
    for (const ConvResidual& block : size.down) x = block(x);
    x = size.halve(x);
  }
  seen.push_back(x);
  return x;
}

torch::Tensor ResUNet::Up(torch::Tensor x, std::vector<torch::Tensor> seen, const Block& run) const {
  for (size_t i = sizes_.size(); i-- > 0;) {
    x.add_(seen.back());
    seen.pop_back();
    x = sizes_[i].twice(x);
    for (const ConvResidual& block : sizes_[i].up) x = run(i, block, x);
  }
  return tail_(x.add_(seen.back()));
}

}  // namespace imgmill
