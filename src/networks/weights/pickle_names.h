// The names in a checkpoint's pickle that stand for something here.
#pragma once

#include <optional>
#include <string_view>

#include "networks/weights/state_dict.h"

namespace imgmill {

enum class PickleName {
  kUnknown,
  kOrderedDict,
  kDefaultDict,
  kRebuildTensor,
  kRebuildParameter,
  kSize,
  kStorageType
};

/// `name` is "module name", with one space.
PickleName LookUpPickleName(std::string_view name);

/// The names that a program's pickle may use beside these: its own classes, and makers of lists and of
/// devices, which are of no use here.
inline bool IsProgramClass(std::string_view name) {
  return name.starts_with("__torch__");
}
inline bool IsProgramMaker(std::string_view name) {
  return name.starts_with("torch.jit._pickle ") || name == "torch device";
}

/// "torch FloatStorage" is float32.
std::optional<ElementType> StorageElementType(std::string_view name);

}  // namespace imgmill
