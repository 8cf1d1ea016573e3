// A file that a flag names: whether it can be opened, asked before anything else is done.
#pragma once

#include <optional>
#include <string>

namespace imgmill {

/// Nothing if it can be read; else "no.pth: the weight file cannot be opened: No such file or directory".
/// @param what  it is: "weight file"
std::optional<std::string> CheckReadable(const std::string& path, const char* what);

}  // namespace imgmill
