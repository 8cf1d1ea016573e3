// Where a character of UTF-8 ends, and where bytes are none.
#pragma once

#include <cstddef>
#include <string_view>

namespace imgmill {

/// Bytes of the valid character at the front of `text`, which is not empty; 0 if there is none.
size_t Utf8Length(std::string_view text);

/// Valid, and without control characters: what PrintablePath shows as it is, but for backslashes.
bool IsPlainText(std::string_view bytes);

}  // namespace imgmill
