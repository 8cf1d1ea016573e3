// What every page of ours is made of: its head and style, and text that stays text.
#pragma once

#include <string>

namespace imgmill {

/// From the doctype to <body>: one file that needs nothing else, light or dark as the reader's system is.
/// @param style  the page's own rules, after the common ones.
std::string PageHead(const std::string& title, const std::string& style);

/// For text and attribute values; control characters, which no page may hold, become U+FFFD.
std::string Escaped(const std::string& text);

/// Escaped text with places where a long name may be broken: after a slash or an underscore.
std::string Breakable(const std::string& text);

}  // namespace imgmill
