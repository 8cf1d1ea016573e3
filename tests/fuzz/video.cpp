// Fuzzes what stands between FFmpeg and the frames of a video: numbers rise, sizes keep to the limits, and
// all of it is the same the second time.
#include "fuzz/image_file.h"
#include "imgmill/image/frame_source.h"

using namespace imgmill;

namespace {

constexpr int64_t kMostPixels = 1 << 16;

/// The numbers of the frames that can be read, and how many times it was said that some cannot.
std::pair<std::vector<int64_t>, int> Walk(const std::string& path, const ImageHeader& header) {
  constexpr int kEnough = 50;
  std::pair<std::vector<int64_t>, int> seen;
  Result<std::unique_ptr<FrameSource>> source = OpenFrames(path, header, {});
  if (!source) return seen;
  for (int step = 0; step < kEnough; ++step) {
    const Result<std::optional<Frame>> frame = (*source)->Next();
    if (!frame) ++seen.second;
    if (!frame) continue;
    if (!*frame) break;
    fuzz::Require(seen.first.empty() || (*frame)->number > seen.first.back());
    seen.first.push_back((*frame)->number);
    Result<std::unique_ptr<RowReader>> rows = (*source)->Open({});
    if (!rows) continue;
    const Layout& layout = (*rows)->layout();
    fuzz::Require(layout.width * layout.height <= kMostPixels);
    std::vector<uint8_t> row(layout.row_bytes());
    for (int64_t y = 0; y < layout.height; ++y) {
      if (!(*rows)->Read(1, row.data(), row.size())) break;
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  ImageLimits limits;
  limits.max_pixels = kMostPixels;
  const Result<ImageHeader> header = ProbeFrames(path, limits);
  if (!header || header->format != ImageFormat::kVideo) return 0;
  fuzz::Require(Walk(path, *header) == Walk(path, *header));
  return 0;
}
