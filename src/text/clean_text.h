// A text as CLIP's tokenizer wants it: repaired, without markup, on one line, in lower case.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imgmill {

/// Characters of UTF-8, without U+0000; nothing if it is not UTF-8.
std::optional<std::u32string> FromUtf8(std::string_view bytes);
std::string ToUtf8(std::u32string_view text);

/// What OpenCLIP's clean="lower" makes of a text: ftfy.fix_text, html.unescape twice, runs of white space to
/// one space, none at the ends, lower case. ftfy's repair of text that was decoded by a wrong table
/// ("voilÃ ") is left out, and of HTML's names those that HTML 4 does not have.
std::u32string CleanText(const std::u32string& text);

}  // namespace imgmill
