#include "base/time_text.h"

namespace imgmill {
namespace {

std::string TextOf(const std::tm& parts, const char* format) {
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

}  // namespace

std::string LocalTime(std::time_t time, const char* format) {
  std::tm parts = {};
  ::localtime_r(&time, &parts);
  return TextOf(parts, format);
}

std::string LocalTimeNow(const char* format) {
  return LocalTime(std::time(nullptr), format);
}

std::string UtcTimeNow(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  ::gmtime_r(&now, &parts);
  return TextOf(parts, format);
}

}  // namespace imgmill
