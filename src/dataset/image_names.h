// Which file names are an image's.
#pragma once

#include <string_view>

namespace imgmill {

/// By its extension, in any case, or by having none.
bool IsImageName(std::string_view name);

}  // namespace imgmill
