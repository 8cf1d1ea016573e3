// The JSON header of a safetensors file, read strictly: it comes from strangers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"
#include "networks/weights/state_dict.h"

namespace imgmill {

struct SafetensorsEntry {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;
  uint64_t begin = 0;  ///< bytes from the end of the header
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of their bytes
  std::map<std::string, std::string, std::less<>> metadata;
};

/// Accepts no gap, no overlap, no byte too many or too few, no size that contradicts its shape, no name
/// twice: anything of that kind is a kModelError that says what and where.
Result<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json, uint64_t data_bytes);

}  // namespace imgmill
