// Paths are bytes; these show them as text without losing any.
#pragma once

#include <string>
#include <string_view>

namespace imgmill {

/// For display: bytes that are no valid UTF-8, and those of control characters (IsControl), become \xHH, a
/// backslash \\. Reversible, always valid UTF-8, always one line; JSON documents have the same for paths.
std::string PrintablePath(std::string_view bytes);

/// The exact inverse of PrintablePath; text that is not such an escape is taken literally.
std::string PathFromPrintable(std::string_view text);

}  // namespace imgmill
