// Where a character of UTF-8 ends, and where bytes are none.
#pragma once

#include <cstddef>
#include <string_view>

namespace imgmill {

/// Bytes of the valid character at the front of `text`, which is not empty; 0 if there is none.
size_t Utf8Length(std::string_view text);

/// Whether a valid character acts on the terminal or on the text around it instead of being seen: a control
/// character (U+0000 to U+001F, U+007F to U+009F), a separator of lines or paragraphs (U+2028, U+2029), or a
/// mark that overrides the direction of text (U+202A to U+202E, U+2066 to U+2069).
bool IsControl(std::string_view character);

/// Valid, and without control characters: what PrintablePath shows as it is, but for backslashes.
bool IsPlainText(std::string_view bytes);

}  // namespace imgmill
