// What a frame is called, and its line in frames.jsonl.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/earlier_outputs.h"
#include "imgmill/image/frame_source.h"

namespace imgmill {

inline constexpr ManifestKind kFrameManifest = {"frames", "output", "", 1};

/// "photo_", 12 and 6 -> "photo_000012.png". The digits are so many that names sort by frame.
std::string FrameName(std::string_view prefix, int64_t number, int digits, std::string_view extension);

/// Six, or more for a video of about so many frames.
int FrameDigits(int64_t frames);

/// The inverse; nothing if `name` is not made so.
std::optional<int64_t> FrameOf(std::string_view name, std::string_view prefix);

struct FrameRecord {
  std::string output;  ///< path below the output folder
  std::string source;
  int64_t number = 0;
  std::optional<FrameTime> time;

  nlohmann::ordered_json Line() const;
};

/// The times of a file's frames by their numbers.
class FrameTimes {
 public:
  /// Frames come in order, but some may be missing, or have none. Of a video a frame lasts until the next one
  /// is shown, whatever the file says.
  void Add(const Frame& frame);
  std::optional<FrameTime> Of(int64_t number) const;

  /// As the catalog keeps them.
  std::string Pack() const;
  static FrameTimes Unpack(std::string_view bytes);

 private:
  std::vector<FrameTime> times_;
};

}  // namespace imgmill
