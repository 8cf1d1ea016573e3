#include "base/time_text.h"

#include <ctime>

namespace imgmill {
namespace {

std::string TimeText(const char* format, std::tm* (*split)(const std::time_t*, std::tm*)) {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  split(&now, &parts);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

}  // namespace

std::string LocalTimeNow(const char* format) {
  return TimeText(format, localtime_r);
}

std::string UtcTimeNow(const char* format) {
  return TimeText(format, gmtime_r);
}

}  // namespace imgmill
