// The time now, as text.
#pragma once

#include <string>

namespace imgmill {

/// @param format  of strftime, for a text of less than 64 bytes
std::string LocalTimeNow(const char* format);
std::string UtcTimeNow(const char* format);

}  // namespace imgmill
