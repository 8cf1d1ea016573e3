// Times as text.
#pragma once

#include <ctime>
#include <string>

namespace imgmill {

/// @param format  of strftime, for a text of less than 64 bytes
std::string LocalTime(std::time_t time, const char* format);
std::string LocalTimeNow(const char* format);
std::string UtcTimeNow(const char* format);

}  // namespace imgmill
