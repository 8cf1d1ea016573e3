// Names and lines of frames, written and read.
#include "frame_record.h"

#include <charconv>
#include <cstdio>
#include <cstring>

#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

nlohmann::ordered_json Milliseconds(int64_t microseconds) {
  constexpr int64_t kInOne = 1000;
  if (microseconds % kInOne == 0) return microseconds / kInOne;
  return static_cast<double>(microseconds) / kInOne;
}

}  // namespace

std::string FrameName(std::string_view prefix, int64_t number, std::string_view extension) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%06lld", static_cast<long long>(number));
  return std::string(prefix) + digits + std::string(extension);
}

std::optional<int64_t> FrameOf(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  int64_t number = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool followed = end != name.data() + name.size() && *end == '.';
  if (problem != std::errc() || number < 0 || !followed) return std::nullopt;
  return number;
}

nlohmann::ordered_json FrameRecord::Line() const {
  nlohmann::ordered_json line;
  line["output"] = PrintablePath(output);
  line["source"] = PrintablePath(source);
  line["frame"] = number;
  line["timestamp_ms"] = time ? Milliseconds(time->at_us) : nlohmann::ordered_json();
  line["duration_ms"] = time ? Milliseconds(time->lasts_us) : nlohmann::ordered_json();
  return line;
}

std::string PackTimes(const std::vector<FrameTime>& times) {
  return {reinterpret_cast<const char*>(times.data()), times.size() * sizeof(FrameTime)};
}

std::vector<FrameTime> UnpackTimes(std::string_view bytes) {
  std::vector<FrameTime> times(bytes.size() / sizeof(FrameTime));
  std::memcpy(times.data(), bytes.data(), times.size() * sizeof(FrameTime));
  return times;
}

}  // namespace imgmill
