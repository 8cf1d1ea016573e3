// Fuzzes animations and TIFFs of several pages: every frame up to the first that cannot be read, within
// limits, and the same ones the second time.
#include "fuzz/image_file.h"
#include "image/gif_walk.h"
#include "imgmill/image/frame_source.h"

using namespace imgmill;

namespace {

/// How many frames there are, and how they end.
std::pair<int, bool> Walk(const std::string& path, const ImageHeader& header, const ImageLimits& limits) {
  constexpr int kEnough = 50;
  Result<std::unique_ptr<FrameSource>> source = OpenFrames(path, header, limits);
  if (!source) return {0, false};
  for (int frames = 0; frames < kEnough; ++frames) {
    const Result<std::optional<Frame>> frame = (*source)->Next();
    if (!frame || !*frame) return {frames, frame.ok()};
    fuzz::Require((*frame)->number == frames);
    Result<std::unique_ptr<RowReader>> rows = (*source)->Open({});
    if (!rows) return {frames, false};
    const Layout& layout = (*rows)->layout();
    std::vector<uint8_t> row(layout.row_bytes());
    for (int64_t y = 0; y < layout.height; ++y) {
      if (!(*rows)->Read(1, row.data(), row.size())) return {frames, false};
    }
  }
  return {kEnough, true};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  const InputFile file = fuzz::OpenImageFile(data, bytes);
  GifWalk walk(file);
  while (const std::optional<GifImage> image = walk.NextImage()) {
    if (walk.ReadData(*image, GifWalk::Strict::kYes)) break;
  }
  ImageLimits limits;
  limits.max_pixels = 1 << 16;
  const Result<ImageHeader> header = Probe(path, limits);
  if (!header) return 0;
  fuzz::Require(Walk(path, *header, limits) == Walk(path, *header, limits));
  return 0;
}
