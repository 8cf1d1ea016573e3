// Sizes, names and float conversion of weight tensors.
#include "networks/weights/state_dict.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/try.h"
#include "imgmill/base/half.h"
#include "imgmill/base/path_text.h"
#include "networks/weights/weight_file.h"

namespace imgmill {
namespace {

float FromBFloat16(uint16_t value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value) << 16);
}

/// Calls visit(index, value) for each value, a chunk of the file after the other.
template <typename T, typename Visit>
Status ForEach(const WeightTensor& tensor, Visit visit) {
  constexpr size_t kChunk = size_t{32} << 10;
  T chunk[kChunk / sizeof(T)];
  size_t index = 0;
  for (size_t at = 0; at < tensor.bytes();) {
    const size_t bytes = std::min(tensor.bytes() - at, kChunk);
    TRY(tensor.Read(at, chunk, bytes));
    for (size_t i = 0; i < bytes / sizeof(T); ++i) visit(index++, chunk[i]);
    at += bytes;
  }
  return {};
}

template <typename T, typename Convert>
Result<Buffer> Converted(const WeightTensor& tensor, Convert convert) {
  Buffer floats(static_cast<size_t>(tensor.count()) * sizeof(float));
  float* out = reinterpret_cast<float*>(floats.data());
  TRY(ForEach<T>(tensor, [&](size_t index, T value) { out[index] = convert(value); }));
  return floats;
}

/// Whether an exponent is all ones somewhere. `Bits` is an unsigned integer as wide as the number.
template <typename Bits>
Result<bool> HasNotFinite(const WeightTensor& tensor, Bits exponent) {
  bool found = false;
  TRY(ForEach<Bits>(tensor, [&](size_t, Bits value) { found |= (value & exponent) == exponent; }));
  return found;
}

Result<bool> HasNotFinite(const WeightTensor& tensor) {
  switch (tensor.type) {
    case ElementType::kFloat64:
      return HasNotFinite<uint64_t>(tensor, 0x7FF0000000000000);
    case ElementType::kFloat32:
      return HasNotFinite<uint32_t>(tensor, 0x7F800000);
    case ElementType::kFloat16:
      return HasNotFinite<uint16_t>(tensor, 0x7C00);
    case ElementType::kBFloat16:
      return HasNotFinite<uint16_t>(tensor, 0x7F80);
    default:
      return false;
  }
}

/// Whether a number is finite, but not as float32.
Result<bool> HasBeyondFloat(const WeightTensor& tensor) {
  if (tensor.type != ElementType::kFloat64) return false;
  bool found = false;
  TRY(ForEach<double>(tensor, [&](size_t, double value) { found |= std::isinf(static_cast<float>(value)); }));
  return found;
}

}  // namespace

bool DropPrefix(StateDict& weights, std::string_view prefix) {
  const auto prefixed = [&](const auto& entry) { return entry.first.starts_with(prefix); };
  if (weights.tensors.empty() || !std::all_of(weights.tensors.begin(), weights.tensors.end(), prefixed))
    return false;
  decltype(weights.tensors) renamed;
  for (auto& [name, tensor] : weights.tensors) renamed.emplace(name.substr(prefix.size()), std::move(tensor));
  weights.tensors = std::move(renamed);
  return true;
}

Status CheckFinite(const StateDict& weights) {
  for (const auto& [name, tensor] : weights.tensors) {
    const bool not_finite = TRY(HasNotFinite(tensor));
    if (not_finite)
      return Error{
          Stage::kConfigure, Code::kModelError,
          "its tensor " + PrintablePath(name) +
              " has values that are infinite or not numbers: the file is damaged, or its training failed"};
    const bool beyond_float = TRY(HasBeyondFloat(tensor));
    if (beyond_float)
      return Error{Stage::kConfigure, Code::kModelError,
                   "its tensor " + PrintablePath(name) + " has float64 values that are infinite in float32"};
  }
  return {};
}

size_t ElementBytes(ElementType type) {
  switch (type) {
    case ElementType::kFloat64:
    case ElementType::kInt64:
      return 8;
    case ElementType::kFloat32:
    case ElementType::kInt32:
      return 4;
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
    case ElementType::kInt16:
      return 2;
    case ElementType::kInt8:
    case ElementType::kUInt8:
    case ElementType::kBool:
      return 1;
  }
  return 1;
}

std::string_view ToString(ElementType type) {
  switch (type) {
    case ElementType::kFloat64:
      return "float64";
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kBFloat16:
      return "bfloat16";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kInt16:
      return "int16";
    case ElementType::kInt8:
      return "int8";
    case ElementType::kUInt8:
      return "uint8";
    case ElementType::kBool:
      return "bool";
  }
  return "unknown";
}

Status WeightTensor::Read(size_t from, void* to, size_t bytes) const {
  if (file == nullptr) {
    if (bytes > 0) std::memcpy(to, held.data() + from, bytes);
    return {};
  }
  TRY(file->ReadAt(offset + from, to, bytes));
  return file->Unchanged();
}

Result<Buffer> WeightTensor::Values() const {
  Buffer values(bytes());
  TRY(Read(0, values.data(), values.size()));
  return values;
}

int64_t WeightTensor::count() const {
  return CountElements(shape);
}

int64_t CountElements(const std::vector<int64_t>& shape) {
  constexpr int64_t kMost = int64_t{1} << 40;
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0 || size > kMost) return -1;
    // A zero anywhere makes the product zero, however large the others are.
    if (size != 0 && count > kMost / size) return -1;
    count *= size;
  }
  return count;
}

bool IsFloating(ElementType type) {
  return type == ElementType::kFloat64 || type == ElementType::kFloat32 || type == ElementType::kFloat16 ||
         type == ElementType::kBFloat16;
}

Result<Buffer> ToFloats(const WeightTensor& tensor) {
  switch (tensor.type) {
    case ElementType::kFloat64:
      return Converted<double>(tensor, [](double value) { return static_cast<float>(value); });
    case ElementType::kFloat32:
      return tensor.Values();
    case ElementType::kFloat16:
      return Converted<uint16_t>(tensor, FloatFromHalf);
    case ElementType::kBFloat16:
      return Converted<uint16_t>(tensor, FromBFloat16);
    default:
      return Error{
          Stage::kConfigure, Code::kModelError,
          "a tensor of " + std::string(ToString(tensor.type)) + " where floating point weights belong"};
  }
}

}  // namespace imgmill
