// The videos that draw_videos.sh draws, and what Debian's ffmpeg and ffprobe say of them: the peer of these
// tests.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "commands/program.h"

namespace imgmill::video_test {

using process_test::Json;
using process_test::ProcessResult;
using process_test::Run;

/// Of one that is drawn; all are, the first time.
std::string Video(const std::string& name);

/// What a shell command prints; the test ends if it fails.
std::string Shell(const std::string& command);

/// The lines of a manifest.
std::vector<nlohmann::json> Lines(const std::string& path);

/// How ffmpeg converts colours as exactly as it can.
inline const std::string kExactly = "bicubic+accurate_rnd+full_chroma_int+bitexact";
/// All frames of a video by ffmpeg, one behind the other, in one of its pixel formats (rgb48le, ...).
std::string FfmpegFrames(const std::string& video, const std::string& pixel_format,
                         const std::string& flags = kExactly, const std::string& filter = "");

/// An image as ffmpeg would write its pixels in FfmpegFrames: samples in order, lowest byte first.
std::string PixelsOf(const std::string& image);

/// The largest difference between samples of 1 or 2 bytes.
int LargestDifference(const std::string& a, const std::string& b, int sample_bytes);

}  // namespace imgmill::video_test
