// Names and lines of frames, written and read.
#include "frame_record.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// In the place of a denominator: the frame has no time.
constexpr int32_t kNone = -1;

nlohmann::ordered_json Milliseconds(int64_t microseconds) {
  constexpr int64_t kInOne = 1000;
  if (microseconds % kInOne == 0) return microseconds / kInOne;
  return static_cast<double>(microseconds) / kInOne;
}

}  // namespace

std::string FrameName(std::string_view prefix, int64_t number, int digits, std::string_view extension) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*lld", digits, static_cast<long long>(number));
  return std::string(prefix) + text + std::string(extension);
}

int FrameDigits(int64_t frames) {
  constexpr int kLeast = 6;
  // The number is a guess where the file does not count: half of it again is enough for most.
  const std::string last = std::to_string(frames + frames / 2);
  return std::max(kLeast, static_cast<int>(last.size()));
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
  const bool ticks = time && time->has_ticks();
  const bool lasts = time && (!ticks || time->lasts_ticks > 0);
  line["timestamp_ms"] = time ? Milliseconds(time->at_us) : nlohmann::ordered_json();
  line["duration_ms"] = lasts ? Milliseconds(time->lasts_us) : nlohmann::ordered_json();
  if (!ticks) return line;
  line["timestamp"] = time->at_ticks;
  line["duration"] = lasts ? nlohmann::ordered_json(time->lasts_ticks) : nlohmann::ordered_json();
  line["time_base"] = std::to_string(time->base_number) + "/" + std::to_string(time->base_denominator);
  return line;
}

void FrameTimes::Add(const Frame& frame) {
  if (!frame.time && times_.empty()) return;
  FrameTime none;
  none.base_denominator = kNone;
  const auto number = static_cast<size_t>(frame.number);
  times_.resize(number, none);
  times_.push_back(frame.time.value_or(none));
  if (number == 0) return;
  const FrameTime& own = times_[number];
  FrameTime& before = times_[number - 1];
  const bool comparable = own.base_denominator > 0 && before.base_denominator == own.base_denominator &&
                          before.base_number == own.base_number;
  if (!comparable || own.at_ticks <= before.at_ticks) return;
  before.lasts_ticks = own.at_ticks - before.at_ticks;
  before.lasts_us = own.Microseconds(before.lasts_ticks);
}

std::optional<FrameTime> FrameTimes::Of(int64_t number) const {
  const auto index = static_cast<size_t>(number);
  if (index >= times_.size() || times_[index].base_denominator == kNone) return std::nullopt;
  return times_[index];
}

std::string FrameTimes::Pack() const {
  return {reinterpret_cast<const char*>(times_.data()), times_.size() * sizeof(FrameTime)};
}

FrameTimes FrameTimes::Unpack(std::string_view bytes) {
  FrameTimes times;
  times.times_.resize(bytes.size() / sizeof(FrameTime));
  std::memcpy(times.times_.data(), bytes.data(), times.times_.size() * sizeof(FrameTime));
  return times;
}

}  // namespace imgmill
