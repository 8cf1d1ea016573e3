// Paths are bytes; these show them as text without losing any.
#pragma once

#include <string>
#include <string_view>

namespace imgmill {

/// For display: a byte that is not part of valid UTF-8, or a control character, becomes \xHH; a backslash
/// becomes \\. Reversible, always valid UTF-8, always one line; JSON documents use the same text for a path.
std::string PrintablePath(std::string_view bytes);

/// The exact inverse of PrintablePath; text that is not such an escape is taken literally.
std::string PathFromPrintable(std::string_view text);

}  // namespace imgmill
