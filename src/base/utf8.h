// Where a character of UTF-8 ends, and where bytes are none.
#pragma once

#include <cstddef>
#include <string_view>

namespace imgmill {

/// Bytes of the valid character at the front of `text`, which is not empty; 0 if there is none.
size_t Utf8Length(std::string_view text);

}  // namespace imgmill
