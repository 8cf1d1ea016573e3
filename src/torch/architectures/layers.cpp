#include "torch/architectures/layers.h"

#include "imgmill/base/path_text.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

std::string ShapeText(const std::vector<int64_t>& shape) {
  if (shape.empty()) return "a number";
  std::string text;
  for (const int64_t side : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(side);
  }
  return text;
}

}  // namespace

Convolution Layers::Conv(const std::string& name, int64_t out, int64_t in, int64_t side) {
  Convolution layer;
  layer.weight = Take(name + ".weight", {out, in, side, side});
  if (layer.weight.defined()) layer.weight = layer.weight.contiguous(torch::MemoryFormat::ChannelsLast);
  layer.bias = Take(name + ".bias", {out});
  layer.padding = side / 2;
  return layer;
}

int64_t Layers::Outputs(std::string_view name) const {
  const WeightTensor* found = weights_.Find(name);
  return found == nullptr ? -1 : found->dim(0);
}

void Layers::PassOver(const std::string& name) {
  if (Has(name)) taken_.insert(name);
}

torch::Tensor Layers::Take(const std::string& name, const std::vector<int64_t>& shape) {
  if (!status_) return {};
  const WeightTensor* found = weights_.Find(name);
  if (found == nullptr) {
    status_ = WeightError("its tensor " + name + " of " + ShapeText(shape) + " is missing");
    return {};
  }
  if (found->shape != shape) {
    status_ =
        WeightError("its tensor " + name + " is " + ShapeText(found->shape) + ", not " + ShapeText(shape));
    return {};
  }
  taken_.insert(name);
  if (!device_) return {};
  Result<torch::Tensor> tensor = ToTensor(*found, *device_);
  if (!tensor) {
    status_ = tensor.error();
    return {};
  }
  return *std::move(tensor);
}

Status Layers::Finish() const {
  if (!status_ || taken_.size() == weights_.tensors.size()) return status_;
  for (const auto& [name, tensor] : weights_.tensors) {
    if (!taken_.contains(name)) {
      return WeightError("its tensor " + PrintablePath(name) + " (" + ShapeText(tensor.shape) +
                         ") does not belong to any layer of this network");
    }
  }
  return {};
}

int ShuffleScale(int64_t channels) {
  for (int scale = 1; scale <= 8; ++scale) {
    if (channels == 3 * scale * scale) return scale;
  }
  return 0;
}

}  // namespace imgmill
