// What stands in symbolic links, and what must stand there for them to lead to the same file from elsewhere.
#pragma once

#include <string>

namespace imgmill {

/// The text of the link at `path`; "" if there is none.
std::string LinkTextOf(const std::string& path);
/// A relative text for a link at `path` that leads to `keeper`: it survives that both are moved together.
std::string LinkTextTo(const std::string& path, const std::string& keeper);
/// The text that leads from anywhere to where `text` leads from `path`.
std::string MovedLinkText(const std::string& path, const std::string& text);

}  // namespace imgmill
