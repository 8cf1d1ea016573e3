// Whether two paths lead to one file.
#pragma once

#include <string>

namespace imgmill {

/// By any links; false where one of them cannot be reached.
bool IsSameFile(const std::string& a, const std::string& b);

}  // namespace imgmill
