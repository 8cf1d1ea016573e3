// Weights as they come out of a file, whichever its format: names and plain tensors. Their values stay in the
// file until a layer is made of them, so that a network is never held twice.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/memory/pool.h"

namespace imgmill {

class WeightFile;

enum class ElementType {
  kFloat64,
  kFloat32,
  kFloat16,
  kBFloat16,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUInt8,
  kBool
};

size_t ElementBytes(ElementType type);
std::string_view ToString(ElementType type);
/// Whether ToFloats takes it.
bool IsFloating(ElementType type);

/// A dense row-major tensor, in an open file or in memory. Immutable once read.
struct WeightTensor {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;                   ///< empty for a scalar
  std::shared_ptr<const WeightFile> file = {};  ///< null where the values are held
  uint64_t offset = 0;                          ///< of the first value in the file
  Buffer held = {};                             ///< charged to the pool that was current when it was read

  /// Copies `bytes` of the values, from that byte on. Errors: those of WeightFile::ReadAt, and a kModelError
  /// where the file is no longer what was opened.
  Status Read(size_t from, void* to, size_t bytes) const;
  /// All values, charged to the current pool. @throws OutOfMemory
  Result<Buffer> Values() const;

  int64_t count() const;
  size_t bytes() const { return static_cast<size_t>(count()) * ElementBytes(type); }
  /// Size of a dimension; -1 where there is none.
  int64_t dim(size_t index) const { return index < shape.size() ? shape[index] : -1; }
};

/// What a weight file holds.
struct StateDict {
  std::shared_ptr<const WeightFile> file;
  std::map<std::string, WeightTensor, std::less<>> tensors;
  /// Free text beside them; only .safetensors has any.
  std::map<std::string, std::string, std::less<>> metadata;
  /// Members that are objects of a class that is not read, and its name.
  std::map<std::string, std::string, std::less<>> unread;
  std::string taken;               ///< the set that this is, where the file has several: "params_ema"
  std::vector<std::string> aside;  ///< the others: "params", "12 tensors below loss."

  /// The tensor of that name; null where there is none.
  const WeightTensor* Find(std::string_view name) const {
    const auto found = tensors.find(name);
    return found == tensors.end() ? nullptr : &found->second;
  }
};

/// Values as float32, widened or narrowed. A kModelError for integers and booleans, which are no weights; and
/// the errors of WeightTensor::Read.
/// @throws OutOfMemory
Result<Buffer> ToFloats(const WeightTensor& tensor);

/// Takes `prefix` from the front of all names, if all begin with it. @return whether they did
bool DropPrefix(StateDict& weights, std::string_view prefix);

/// A kModelError that names a tensor with an infinite value or one that is no number, if there is one; and
/// the errors of WeightTensor::Read.
Status CheckFinite(const StateDict& weights);

/// Elements in `shape`; -1 if a dimension is negative or the product passes 2^40, more than any weight has.
int64_t CountElements(const std::vector<int64_t>& shape);

/// Reads a .safetensors file or a .pth, .pt or .th state dict, told apart by their content. Nothing in the
/// file is executed: what a pickle makes of other classes is opaque. Dicts in dicts are unwrapped, down to
/// the one set of tensors (params_ema before params), and `module.` and `_orig_mod.` in front of all names
/// are dropped. Errors: kNotFound, kPermission, kReadError, and kModelError for what is damaged, refused or
/// no weight file.
/// @throws OutOfMemory
Result<StateDict> ReadStateDict(const std::string& path);

/// Whether the file is a ZIP archive with a TorchScript program. Not
/// so programs of CLIP with both its towers, as OpenAI published them: ReadStateDict reads their weights.
/// Errors: kNotFound, kPermission, kReadError, and kModelError for a damaged archive.
Result<bool> IsTorchScript(const std::string& path);

}  // namespace imgmill
