// What HTML writes for characters: &eacute; &#233; &#xE9;
#pragma once

#include <string>

namespace imgmill {

/// The character that Windows-1252 has at 0x80 to 0x9F, as which those control characters are meant wherever
/// they occur; the control character itself where it has none.
char32_t Windows1252(char32_t control);

/// By HTML 5's rules, once: numbers, names, and the old names without a semicolon ("&ampamp" is "&amp").
/// Names are those of HTML 4, with apos, AMP, COPY, GT, LT, QUOT, REG and TRADE.
std::u32string UnescapedByStandard(const std::u32string& text);

/// Only what is written in full, with a semicolon; but also names in capitals: "&EACUTE;" is É.
std::u32string UnescapedIfSure(const std::u32string& text);

}  // namespace imgmill
