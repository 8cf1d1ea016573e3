// Runs the script and the programs.
#include "video/drawn_videos.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

namespace imgmill::video_test {

std::string Shell(const std::string& command) {
  CAPTURE(command);
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::vector<char> piece(size_t{1} << 16);
  while (const size_t got = std::fread(piece.data(), 1, piece.size(), pipe)) out.append(piece.data(), got);
  REQUIRE(::pclose(pipe) == 0);
  return out;
}

std::string Video(const std::string& name) {
  static const std::string folder = [] {
    const std::string script = IMGMILL_SOURCE_DIR "/tests/video/draw_videos.sh";
    std::string where = IMGMILL_BINARY_DIR "/test-videos";
    // Two tests at once draw once.
    Shell("mkdir -p '" + where + "' && flock '" + where + "' '" + script + "' '" + where + "'");
    return where;
  }();
  return folder + "/" + name;
}

std::vector<nlohmann::json> Lines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(TestFolder::Read(path));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::string FfmpegFrames(const std::string& video, const std::string& pixel_format, const std::string& flags,
                         const std::string& filter) {
  return Shell("ffmpeg -nostdin -v fatal -i '" + video + "' -map 0:v:0 -fps_mode passthrough " +
               (filter.empty() ? "" : "-vf '" + filter + "' ") + "-sws_flags " + flags + " -pix_fmt " +
               pixel_format + " -f rawvideo -");
}

std::string PixelsOf(const std::string& image) {
  const Image pixels = process_test::LoadImage(image, {});
  const Layout& layout = pixels.layout();
  return {reinterpret_cast<const char*>(pixels.row(0)),
          layout.row_bytes() * static_cast<size_t>(layout.height)};
}

int LargestDifference(const std::string& a, const std::string& b, int sample_bytes) {
  REQUIRE(a.size() == b.size());
  REQUIRE_FALSE(a.empty());
  const auto at = [&](const std::string& text, size_t i) {
    const int low = static_cast<unsigned char>(text[i]);
    return sample_bytes == 1 ? low : low + 256 * static_cast<unsigned char>(text[i + 1]);
  };
  int most = 0;
  for (size_t i = 0; i < a.size(); i += static_cast<size_t>(sample_bytes))
    most = std::max(most, std::abs(at(a, i) - at(b, i)));
  return most;
}

}  // namespace imgmill::video_test
