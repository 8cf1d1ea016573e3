// WebP by libwebp's own decoder of animations: libvips 8.14 decodes all frames into a file before it gives
// the first row.
#include <webp/demux.h>

#include <cerrno>

#include "animation.h"
#include "base/try.h"
#include "missing_end.h"
#include "open_file.h"

namespace imgmill {
namespace {

constexpr int kCanvasBands = 4;

struct Delete {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

class WebpAnimation final : public Animation {
 public:
  WebpAnimation(const std::string& path, const ImageHeader& header, InputFile file)
      : path_(path), header_(header), file_(std::move(file)) {}

  Status Open() {
    const auto bytes = static_cast<size_t>(file_.bytes());
    data_ = Buffer(bytes);
    const ptrdiff_t got = file_.ReadAt(0, data_.data(), bytes);
    if (got < 0) return ReadErrorFromErrno(Stage::kDecode, errno);
    const WebPData data = {data_.data(), static_cast<size_t>(got)};
    WebPAnimDecoderOptions options;
    if (WebPAnimDecoderOptionsInit(&options) == 0) return FileChanged();
    options.color_mode = MODE_RGBA;
    decoder_.reset(WebPAnimDecoderNew(&data, &options));
    WebPAnimInfo info = {};
    if (!decoder_ || WebPAnimDecoderGetInfo(decoder_.get(), &info) == 0 ||
        info.canvas_width != header_.width || info.canvas_height != header_.height) {
      return FileChanged();
    }
    frames_ = static_cast<int>(info.frame_count);
    return {};
  }

  Result<std::optional<double>> Next() override {
    if (++number_ >= frames_) return std::optional<double>();
    WebPIterator frame = {};
    if (WebPDemuxGetFrame(WebPAnimDecoderGetDemuxer(decoder_.get()), number_ + 1, &frame) == 0)
      return FileChanged();
    const double seconds = frame.duration / 1000.0;
    const auto at = static_cast<uint64_t>(frame.fragment.bytes - data_.data());
    const uint64_t bytes = frame.fragment.size;
    WebPDemuxReleaseIterator(&frame);
    if (const std::optional<Error> missing = FindMissingWebpFrameEnd(file_, at, bytes)) return *missing;
    int end = 0;
    if (WebPAnimDecoderGetNext(decoder_.get(), &canvas_, &end) == 0)
      return Error{Stage::kDecode, Code::kMalformed, "libwebp cannot decode it: its data is broken"};
    return std::optional(seconds);
  }

  Result<std::unique_ptr<RowReader>> Rows(const ReadOptions& options) override {
    const int bands = header_.bands;
    const int64_t width = header_.width;
    return CanvasRows(path_, header_, options, [this, bands, width](int64_t y, uint8_t* to) {
      const uint8_t* from = canvas_ + y * width * kCanvasBands;
      for (int64_t x = 0; x < width; ++x, from += kCanvasBands) {
        for (int band = 0; band < bands; ++band) *to++ = from[band];
      }
    });
  }

 private:
  const std::string path_;
  const ImageHeader header_;
  const InputFile file_;
  Buffer data_;
  std::unique_ptr<WebPAnimDecoder, Delete> decoder_;
  uint8_t* canvas_ = nullptr;  ///< the decoder's
  int frames_ = 0;
  int number_ = -1;
};

}  // namespace

OpenedAnimation OpenWebpAnimation(const std::string& path, const ImageHeader& header) {
  InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
  auto animation = std::make_unique<WebpAnimation>(path, header, std::move(file));
  TRY(animation->Open());
  return std::unique_ptr<Animation>(std::move(animation));
}

Footprint WebpAnimationFootprint(const ImageHeader& header) {
  // Two canvases, and what a frame takes while it is decoded.
  const double pixels = static_cast<double>(header.width) * static_cast<double>(header.height);
  return {static_cast<size_t>(header.file_bytes),
          static_cast<size_t>(pixels * (8 + 8.2)) + (size_t{384} << 10)};
}

}  // namespace imgmill
