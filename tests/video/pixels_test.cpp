// Every frame against ffmpeg's own, run side by side: matrix, range, depth, alpha, turn, of every codec that
// is common.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "video/drawn_videos.h"

namespace imgmill::video_test {
namespace {

struct Case {
  const char* name;
  const char* pixel_format = "rgb24";
  size_t frames = 10;
};

constexpr Case kCases[] = {{"bt709.mp4"},
                           {"bt601.mp4"},
                           {"untagged.mp4", "rgb24", 3},  // BT.601 whatever the size, as in ffmpeg 5.1
                           {"full.mp4"},
                           {"deep.mkv", "rgb48le"},
                           {"whole_chroma.webm"},
                           {"vp8.webm"},
                           {"av1.mp4", "rgb24", 5},
                           {"editing.mov", "rgb48le", 5},
                           {"glass.mov", "rgba64le", 5},
                           {"rgb.mkv", "rgb24", 5},
                           {"grey.mkv", "rgb24", 5},
                           {"mpeg2.ts"},
                           {"mpeg1.mpg"},
                           {"mpeg4.avi"},
                           {"motion.avi"},
                           {"theora.ogv"},
                           {"flash.flv"},
                           {"windows.wmv"},
                           {"small.avi", "rgb24", 5},
                           {"wavelets.mkv", "rgb24", 5},
                           {"cineform.mov", "rgb48le", 5},
                           {"screen.avi", "rgb24", 5},
                           {"camera.dv", "rgb24", 3},
                           {"plain.y4m", "rgb24", 5},
                           {"turned90.mp4"},
                           {"turned180.mp4"},
                           {"turned270.mp4"},
                           {"slowing.mp4", "rgb24", 25},
                           {"talking.mp4"}};

std::string OwnFrames(const std::string& video, const std::vector<std::string>& more, size_t* frames) {
  const TestFolder where;
  std::vector<std::string> command = {"frames", video, "-o", where / "out"};
  command.insert(command.end(), more.begin(), more.end());
  const ProcessResult run = Run(command);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  std::string pixels;
  *frames = 0;
  for (const nlohmann::json& line : Lines(where / "out/frames.jsonl")) {
    pixels += PixelsOf(where / ("out/" + line["output"].get<std::string>()));
    ++*frames;
  }
  return pixels;
}

}  // namespace

TEST_CASE("every frame has ffmpeg's colours") {
  for (const Case& each : kCases) {
    CAPTURE(each.name);
    const bool deep = std::string(each.pixel_format).find("le") != std::string::npos;
    size_t frames = 0;
    const std::string own = OwnFrames(Video(each.name), {}, &frames);
    CHECK(frames == each.frames);
    const std::string peer = FfmpegFrames(Video(each.name), each.pixel_format);
    // 1/255 of the range is what is promised; and it is the same to the last bit.
    const int allowed = deep ? 257 : 1;
    CHECK(LargestDifference(own, peer, deep ? 2 : 1) <= allowed);
    CHECK(own == peer);
  }
}

TEST_CASE("alpha in a stream beside the pictures' own is that of ffmpeg's libvpx decoders") {
  for (const std::string codec : {"vp8", "vp9"}) {
    const std::string name = "glass_" + codec + ".webm";
    CAPTURE(name);
    size_t frames = 0;
    const std::string own = OwnFrames(Video(name), {}, &frames);
    CHECK(frames == 10);
    const std::string decoder = codec == "vp8" ? "libvpx" : "libvpx-vp9";
    CHECK(own == Shell("ffmpeg -nostdin -v fatal -c:v " + decoder + " -i '" + Video(name) +
                       "' -fps_mode passthrough -sws_flags " + kExactly + " -pix_fmt rgba -f rawvideo -"));
    std::set<char> alphas;
    for (size_t i = 3; i < own.size(); i += 4) alphas.insert(own[i]);
    CHECK(alphas.size() > 200);
  }
}

TEST_CASE("the colours are the same within 1/255 where ffmpeg takes its faster ways") {
  for (const char* name : {"bt709.mp4", "full.mp4", "mpeg2.ts", "whole_chroma.webm"}) {
    CAPTURE(name);
    size_t frames = 0;
    const std::string own = OwnFrames(Video(name), {}, &frames);
    CHECK(LargestDifference(own, FfmpegFrames(Video(name), "rgb24", "accurate_rnd+full_chroma_int"), 1) <= 1);
  }
}

TEST_CASE("another matrix, range or place of the colour samples would be seen") {
  size_t frames = 0;
  const std::string own = OwnFrames(Video("bt709.mp4"), {}, &frames);
  constexpr int kSeen = 8;
  const auto differs = [&](const std::string& filter) {
    return LargestDifference(own, FfmpegFrames(Video("bt709.mp4"), "rgb24", kExactly, filter), 1) >= kSeen;
  };
  CHECK(differs("scale=in_color_matrix=bt601:flags=" + kExactly));
  CHECK(differs("scale=in_range=full:flags=" + kExactly));
  const std::string left = "scale=in_h_chr_pos=0:in_v_chr_pos=128:flags=" + kExactly;
  CHECK(differs(left));
  // H.264 has its colour samples on the left, and says so.
  const std::string sited = OwnFrames(Video("bt709.mp4"), {"--chroma-siting", "file"}, &frames);
  CHECK(LargestDifference(sited, FfmpegFrames(Video("bt709.mp4"), "rgb24", kExactly, left), 1) <= 1);
}

TEST_CASE("an AVIF sequence begins with the image that other commands read, and goes on as ffmpeg has it") {
  const TestFolder where;
  const ProcessResult run = Run({"frames", Video("sequence.avif"), "-o", where / "out"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const std::vector<nlohmann::json> lines = Lines(where / "out/frames.jsonl");
  REQUIRE(lines.size() == 5);
  CHECK(lines[1]["timestamp_ms"] == 40);
  const std::string peer = FfmpegFrames(Video("sequence.avif"), "rgb24");
  const size_t bytes = peer.size() / 5;
  for (size_t i = 0; i < 5; ++i) {
    CAPTURE(i);
    const std::string own = PixelsOf(where / ("out/" + lines[i]["output"].get<std::string>()));
    const bool same = own == peer.substr(i * bytes, bytes);
    CHECK(same == (i > 0));  // libheif makes colours in its own way
  }
  CHECK(PixelsOf(where / "out/sequence_000000.png") == PixelsOf(Video("sequence.avif")));
}

TEST_CASE("frames go into every format, in its depth") {
  const TestFolder where;
  for (const char* format : {"png", "tiff", "webp", "jpg"}) {
    CAPTURE(format);
    const std::string out = where / format;
    const bool wide = std::string(format) == "png" || std::string(format) == "tiff";
    std::vector<std::string> command = {"frames", Video("deep.mkv"), "-o", out, "--format",
                                        format,   "--every",         "5"};
    if (!wide) command.insert(command.end(), {"--quality", "100"});
    const ProcessResult run = Run(command);
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    const Image image =
        process_test::LoadImage(out + "/deep_000005." + (std::string(format) == "tiff" ? "tif" : format), {});
    CHECK(image.layout().width == 320);
    CHECK(image.layout().sample == (wide ? Sample::kU16 : Sample::kU8));
  }
  CHECK(PixelsOf(where / "png/deep_000005.png") == PixelsOf(where / "tiff/deep_000005.tif"));
}

}  // namespace imgmill::video_test
