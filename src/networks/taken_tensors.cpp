#include "networks/taken_tensors.h"

#include <algorithm>

#include "imgmill/base/path_text.h"
#include "networks/weights/weight_file.h"

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

int64_t TakenTensors::Side(std::string_view name, size_t index) const {
  const WeightTensor* found = weights_.Find(name);
  return found == nullptr ? -1 : found->dim(index);
}

void TakenTensors::PassOver(const std::string& name) {
  if (Has(name)) taken_.insert(name);
}

void TakenTensors::PassOverAll(std::string_view ending) {
  for (const auto& [name, tensor] : weights_.tensors) {
    if (name.ends_with(ending)) taken_.insert(name);
  }
}

void TakenTensors::PassOverBelow(std::string_view beginning) {
  for (const auto& [name, tensor] : weights_.tensors) {
    if (name.starts_with(beginning)) taken_.insert(name);
  }
}

void TakenTensors::Refuse(Error error) {
  if (status_) status_ = std::move(error);
}

void TakenTensors::RefuseEmpty(const std::string& name, int64_t out, int64_t in) {
  if (Has(name + ".weight") && (out == 0 || in == 0))
    Refuse(WeightError("its layer " + name + " has no channels"));
}

const WeightTensor* TakenTensors::TakeMatrix(const std::string& name, int64_t out, int64_t in) {
  RefuseEmpty(name, out, in);
  return Take(name + ".weight", {out, in});
}

const WeightTensor* TakenTensors::TakeConv(const std::string& name, int64_t out, int64_t in,
                                           const ConvShape& shape) {
  // Groups are counted by another tensor; where that one is missing there are none.
  const int64_t inputs = shape.groups > 0 ? in / shape.groups : 0;
  RefuseEmpty(name, out, inputs);
  return Take(name + ".weight", {out, inputs, shape.side, shape.width > 0 ? shape.width : shape.side});
}

const WeightTensor* TakenTensors::Take(const std::string& name, const std::vector<int64_t>& shape) {
  if (!status_) return nullptr;
  const WeightTensor* found = weights_.Find(name);
  // A side that another tensor would tell is -1 where that one is missing.
  const bool known = std::all_of(shape.begin(), shape.end(), [](int64_t side) { return side >= 0; });
  if (found == nullptr) {
    Refuse(WeightError("its tensor " + name + (known ? " of " + ShapeText(shape) : "") + " is missing"));
    return nullptr;
  }
  if (found->shape != shape) {
    Refuse(WeightError("its tensor " + name + " is " + ShapeText(found->shape) +
                       (known ? ", not " + ShapeText(shape) : ", which is not the shape of this layer")));
    return nullptr;
  }
  if (!IsFloating(found->type)) {
    Refuse(WeightError("its tensor " + name + " is of " + std::string(ToString(found->type)) +
                       ", where floating point weights belong"));
    return nullptr;
  }
  taken_.insert(name);
  return found;
}

Status TakenTensors::Finish() const {
  if (!status_ || taken_.size() == weights_.tensors.size()) return status_;
  for (const auto& [name, tensor] : weights_.tensors) {
    if (!taken_.contains(name)) {
      return WeightError("its tensor " + PrintablePath(name) + " (" + ShapeText(tensor.shape) +
                         ") does not belong to any layer of this network");
    }
  }
  return {};
}

int ShuffleScale(int64_t channels, int64_t bands) {
  for (int scale = 1; scale <= 8; ++scale) {
    if (channels == bands * scale * scale) return scale;
  }
  return 0;
}

}  // namespace imgmill
