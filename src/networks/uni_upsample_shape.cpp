#include "networks/uni_upsample_shape.h"

namespace imgmill {
namespace {

using Kind = UniUpsampleKind;

/// Version, kind, scale, in, bands, middle, groups.
constexpr size_t kNumbers = 7;
constexpr int64_t kMostScale = 8;

/// The numbers of a small tensor. Tools that halve a file make floats of integers, too.
bool ReadNumbers(const WeightTensor& tensor, std::vector<int64_t>& numbers) {
  if (tensor.type == ElementType::kUInt8) {
    const Result<Buffer> bytes = tensor.Values();
    if (bytes) numbers.assign(bytes->data(), bytes->data() + bytes->size());
    return bytes.ok();
  }
  const Result<Buffer> floats = ToFloats(tensor);
  if (!floats) return false;
  const auto* values = reinterpret_cast<const float*>(floats->data());
  for (int64_t i = 0; i < tensor.count(); ++i) {
    if (!(values[i] >= 0 && values[i] < 256)) return false;
    numbers.push_back(static_cast<int64_t>(values[i]));
  }
  return true;
}

}  // namespace

std::vector<int64_t> UniUpsampleShape::steps() const {
  if (scale == 3) return {3};
  std::vector<int64_t> steps;
  int64_t reached = 1;
  for (; reached < scale; reached *= 2) steps.push_back(2);
  return reached == scale ? steps : std::vector<int64_t>();
}

bool ReadUniUpsample(const StateDict& weights, const std::string& name, int64_t in, UniUpsampleShape& shape) {
  const WeightTensor* told = weights.Find(name + ".MetaUpsample");
  std::vector<int64_t> numbers;
  if (told == nullptr || told->shape != std::vector<int64_t>{kNumbers} || !ReadNumbers(*told, numbers) ||
      numbers[1] > static_cast<int64_t>(Kind::kPixelAttention))
    return false;
  shape.scale = numbers[2];
  shape.kind = shape.scale == 1 ? Kind::kConv : static_cast<Kind>(numbers[1]);
  if (shape.kind == Kind::kConv) shape.scale = 1;
  shape.in = in;
  shape.bands = numbers[4];
  shape.middle = numbers[5];
  shape.groups = numbers[6];
  if (shape.scale < 1 || shape.scale > kMostScale || shape.bands < 1) return false;
  switch (shape.kind) {
    case Kind::kConv:
    case Kind::kDirect:
      return true;
    case Kind::kDySample:
      return shape.groups > 0;
    case Kind::kLocal:
      return shape.middle > 0 && shape.middle % 8 == 0;
    case Kind::kTransposed:
      return shape.scale <= 4;
    case Kind::kShuffle:
    case Kind::kNearest:
    case Kind::kPixelAttention:
      return shape.middle > 0 && !shape.steps().empty();
  }
  return false;
}

}  // namespace imgmill
