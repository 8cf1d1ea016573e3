// APNG and JPEG XL, whose frames the loadable module decodes out of the whole file in memory.
#include <cerrno>

#include "base/try.h"
#include "image/animation.h"
#include "image/open_file.h"
#include "still_module.h"

namespace imgmill {
namespace {

class StillAnimation final : public Animation {
 public:
  StillAnimation(const std::string& path, const ImageHeader& header)
      : path_(path),
        header_(header),
        kind_(header.format == ImageFormat::kJxl ? StillKind::kJxl : StillKind::kApng) {}

  Status Open() {
    const InputFile file = TRY(InputFile::Open(path_, Stage::kDecode));
    const auto bytes = static_cast<size_t>(file.bytes());
    data_ = Buffer(bytes + kStillPadding);
    std::fill_n(data_.data() + bytes, kStillPadding, uint8_t{0});
    const ptrdiff_t got = file.ReadAt(0, data_.data(), bytes);
    if (got < 0) return ReadErrorFromErrno(Stage::kDecode, errno);
    if (static_cast<size_t>(got) != bytes) return FileChanged();
    std::unique_ptr<StillFrames> frames =
        TRY(OpenStillFrames(kind_, {data_.data(), bytes}, header_.width, header_.height));
    frames_ = std::move(frames);
    return {};
  }

  Result<std::optional<double>> Next() override {
    std::string why;
    const std::optional<double> seconds = frames_->Next(&why);
    if (!why.empty()) return StillError(kind_, why);
    return seconds;
  }

  Result<std::unique_ptr<RowReader>> Rows(const ReadOptions& options) override {
    const size_t sample_bytes = BytesPerSample(header_.sample);
    return CanvasRows(path_, header_, options,
                      [frames = frames_.get(), bands = header_.bands, sample_bytes](int64_t y, uint8_t* to) {
                        frames->Row(y, bands, sample_bytes, to);
                      });
  }

 private:
  const std::string path_;
  const ImageHeader header_;
  const StillKind kind_;
  Buffer data_;
  std::unique_ptr<StillFrames> frames_;
};

}  // namespace

OpenedAnimation OpenStillAnimation(const std::string& path, const ImageHeader& header) {
  auto animation = std::make_unique<StillAnimation>(path, header);
  TRY(animation->Open());
  return std::unique_ptr<Animation>(std::move(animation));
}

Footprint StillAnimationFootprint(const ImageHeader& header) {
  const double pixels = static_cast<double>(header.width) * static_cast<double>(header.height);
  const auto pooled = static_cast<size_t>(header.file_bytes) + kStillPadding;
  // libjxl draws in float, and keeps frames that others refer to. Measured: 87 with loss, 50 without.
  constexpr double kJxlBytes = 95;
  // FFmpeg: the frame, the one before it, and the one that is to be restored.
  const double png_bytes = 3.2 * 4 * static_cast<double>(BytesPerSample(header.sample));
  const bool jxl = header.format == ImageFormat::kJxl;
  return {pooled, static_cast<size_t>(pixels * (jxl ? kJxlBytes : png_bytes)) + (size_t{1} << 20)};
}

}  // namespace imgmill
