// Predicted bytes of decoding a video against the growth of resident memory while it is decoded.
#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/prctl.h>

#include <fstream>

#include "imgmill/image/frame_source.h"
#include "imgmill/memory/system_memory.h"
#include "video/drawn_videos.h"

namespace imgmill::video_test {
namespace {

/// Resets the kernel's high-water mark. @return resident bytes now
size_t ResetPeak() {
  ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);  // what is touched is resident, and not all of the 2 MiB around it
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;
  return ReadProcessMemory().resident;
}

/// Decodes and converts all frames. @return by how much resident memory grew at most
int64_t Growth(const std::string& video, const ImageHeader& header, int threads) {
  const size_t before = ResetPeak();
  {
    Result<std::unique_ptr<FrameSource>> source = OpenFrames(video, header, {}, threads);
    REQUIRE(source.ok());
    for (;;) {
      const Result<std::optional<Frame>> frame = (*source)->Next();
      REQUIRE(frame.ok());
      if (!*frame) break;
      Result<std::unique_ptr<RowReader>> rows = (*source)->Open({});
      REQUIRE(rows.ok());
      std::vector<uint8_t> row((*rows)->layout().row_bytes());
      for (int64_t y = 0; y < (*rows)->layout().height; ++y)
        REQUIRE((*rows)->Read(1, row.data(), row.size()).ok());
    }
  }
  return static_cast<int64_t>(ReadProcessMemory().peak_resident) - static_cast<int64_t>(before);
}

}  // namespace

TEST_CASE("a video takes what its header lets one expect") {
  const TestFolder where;
  const struct {
    const char* name;
    const char* codec;
  } cases[] = {
      {"h264.mp4", "-pix_fmt yuv420p -c:v libx264 -preset slow -qp 20"},
      {"hevc.mp4", "-pix_fmt yuv420p10 -c:v libx265 -x265-params log-level=none:pools=1 -preset fast"},
      {"vp9.webm", "-pix_fmt yuv420p -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 8M"},
      {"glass.webm",
       "-pix_fmt yuva420p -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 8M -auto-alt-ref 0"},
      {"av1.mp4", "-pix_fmt yuv420p -c:v libsvtav1 -preset 12"},
      {"mpeg2.mpg", "-pix_fmt yuv420p -c:v mpeg2video -q:v 4 -bf 2"},
      {"prores.mov", "-pix_fmt yuv422p10 -c:v prores_ks"},
      {"cineform.mov", "-pix_fmt yuv422p10 -c:v cfhd"},
      {"wavelets.mkv", "-pix_fmt yuv422p -c:v vc2"},
      {"screen.avi", "-pix_fmt rgb24 -c:v zmbv"},
      {"mjpeg.avi", "-pix_fmt yuvj420p -c:v mjpeg -q:v 4"}};
  for (const auto& each : cases) {
    CAPTURE(each.name);
    const std::string video = where / each.name;
    Shell("ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=1920x1080:r=25:d=0.5 " + std::string(each.codec) +
          " '" + video + "' 2>/dev/null");
    const Result<ImageHeader> header = ProbeFrames(video, {});
    REQUIRE(header.ok());
    for (const int threads : {1, 4}) {
      if (threads > 1 && header->video_thread == 0) continue;
      CAPTURE(threads);
      ReadOptions reading;
      reading.video_threads = threads;
      const Footprint footprint = FrameFootprint(*header, reading);
      (void)Growth(video, *header, threads);  // the first time, pages of the libraries become resident
      const int64_t grown = Growth(video, *header, threads);
      const auto expected = static_cast<int64_t>(footprint.untracked);
      MESSAGE(std::string(each.name) << ", " << threads << " threads: " << (grown >> 20) << " MiB of "
                                     << (expected >> 20));
      CHECK(grown <= expected);
      // Decoders of a rare kind share one generous formula (VC-2 takes an eighth of it), and what the
      // allocator keeps from the first time does not grow again: the lower bound only says that the
      // measurement saw the decoder.
      if (threads == 1) CHECK(grown >= expected / 32);
    }
  }
}

TEST_CASE("memory does not grow with the length of a video") {
  const TestFolder where;
  const auto peak = [&](const std::string& seconds) {
    const std::string video = where / (seconds + ".mp4");
    Shell("ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=640x360:r=25:d=" + seconds +
          " -pix_fmt yuv420p -c:v libx264 -preset veryfast '" + video + "'");
    const ProcessResult run = Run({"frames", video, "-o", where / ("out" + seconds), "--format", "jpg", "-j",
                                   "1", "--memory", "256MiB"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    return static_cast<int64_t>(run.peak_resident);
  };
  const int64_t one = peak("1");
  const int64_t twenty = peak("20");
  MESSAGE("one second: " << (one >> 20) << " MiB, twenty: " << (twenty >> 20));
  // Two runs of the same differ by some MiB. The 475 frames more have 342 KB each before they are converted,
  // which makes 155 MiB: a fifth of them would be told.
  CHECK(twenty - one < int64_t{32} << 20);
}

}  // namespace imgmill::video_test
