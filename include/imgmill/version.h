// Which imgmill a program is linked to.
#pragma once

#include <string_view>

namespace imgmill {

/// "0.1.0". The interface of libimgmill may change with the second number.
std::string_view Version();

}  // namespace imgmill
