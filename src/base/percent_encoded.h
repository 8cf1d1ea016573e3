// Bytes as URLs write them.
#pragma once

#include <string>
#include <string_view>

namespace imgmill {

/// Letters and digits of ASCII and the bytes of `plain` as they are, all others as %XX.
std::string PercentEncoded(std::string_view text, std::string_view plain);

}  // namespace imgmill
