// What `imgmill memory info` shows: the machine, this process, and who holds what of the budget now.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// Text for people and the same as JSON.
struct MemoryFigures {
  std::string text;
  nlohmann::ordered_json json;
};

MemoryFigures LookAtMemory(const MemoryManager& manager);

/// One line: a name, padded, and what is to be said of it.
std::string MemoryLine(std::string name, const std::string& value);

}  // namespace imgmill
