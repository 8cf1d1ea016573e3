// The names that a checkpoint's pickle may use.
#pragma once

#include <optional>
#include <string_view>

#include "torch/weights/state_dict.h"

namespace imgmill {

enum class PickleName { kUnknown, kOrderedDict, kRebuildTensor, kRebuildParameter, kSize, kStorageType };

/// `name` is "module name", with one space.
PickleName LookUpPickleName(std::string_view name);

/// "torch FloatStorage" is float32.
std::optional<ElementType> StorageElementType(std::string_view name);

}  // namespace imgmill
