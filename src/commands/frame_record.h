// What a frame is called, and its line in frames.jsonl.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "earlier_outputs.h"
#include "imgmill/image/frame_source.h"

namespace imgmill {

inline constexpr ManifestKind kFrameManifest = {"frames", "output", "", 1};

/// "photo_" and 12 -> "photo_000012.png". Six digits at least, so that names sort by frame.
std::string FrameName(std::string_view prefix, int64_t number, std::string_view extension);

/// The inverse; nothing if `name` is not made so.
std::optional<int64_t> FrameOf(std::string_view name, std::string_view prefix);

struct FrameRecord {
  std::string output;  ///< path below the output folder
  std::string source;
  int64_t number = 0;
  std::optional<FrameTime> time;

  nlohmann::ordered_json Line() const;
};

/// Times of all frames of a content, in order, as the catalog keeps them; none of pages and still images.
std::string PackTimes(const std::vector<FrameTime>& times);
std::vector<FrameTime> UnpackTimes(std::string_view bytes);

}  // namespace imgmill
