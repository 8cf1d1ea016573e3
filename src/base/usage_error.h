// The error of a wrong flag or configuration value, found before anything was done.
#pragma once

#include <string>
#include <utility>

#include "imgmill/base/error.h"

namespace imgmill {

inline Error UsageError(std::string message) {
  return {Stage::kConfigure, Code::kUsage, std::move(message)};
}

}  // namespace imgmill
