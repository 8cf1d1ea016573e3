// Each picture is made RGB when its rows are asked for, whole, and handed out row by row.
#include "video_frames.h"

#include <cstring>
#include <utility>

#include "base/try.h"
#include "open_rows.h"
#include "row_by_row.h"
#include "too_many_pixels.h"
#include "video_module.h"

namespace imgmill {
namespace {

size_t StrideOf(const Layout& layout) {
  constexpr size_t kAligned = 64;
  return (layout.row_bytes() + kVideoPadding + kAligned - 1) / kAligned * kAligned;
}

class PictureRows final : public RowByRow {
 public:
  PictureRows(const Layout& layout, Buffer rows, const std::string& note)
      : RowByRow(layout), rows_(std::move(rows)), stride_(StrideOf(layout)) {
    if (!note.empty()) notes_.push_back(note);
  }

 protected:
  Status ReadRow(int64_t y, uint8_t* to) override {
    std::memcpy(to, rows_.data() + static_cast<size_t>(y) * stride_, layout_.row_bytes());
    return {};
  }

 private:
  Buffer rows_;
  size_t stride_;
};

class BrightnessRows final : public RowByRow {
 public:
  BrightnessRows(const Layout& layout, const VideoFile& video) : RowByRow(layout), video_(video) {}

 protected:
  Status ReadRow(int64_t y, uint8_t* to) override {
    video_.Brightness(y, to);
    return {};
  }

 private:
  const VideoFile& video_;
};

class VideoFrames final : public FrameSource {
 public:
  VideoFrames(InputFile file, ImageHeader header) : file_(std::move(file)), header_(std::move(header)) {}

  Status Open(int threads) {
    std::unique_ptr<VideoFile> video = TRY(OpenVideo(file_, header_.width * header_.height, Stage::kDecode));
    video_ = std::move(video);
    video_->UseThreads(threads);
    header_.orientation = video_->facts().orientation;
    return {};
  }

  Result<std::optional<Frame>> Next() override {
    Error fault;
    switch (video_->Next(picture_, fault)) {
      case VideoFile::Step::kEnd:
        return std::optional<Frame>();
      case VideoFile::Step::kFault:
        fault_number_ = picture_.number;
        return fault;
      case VideoFile::Step::kPicture:
        break;
    }
    header_.width = picture_.width;
    header_.height = picture_.height;
    header_.bands = picture_.alpha ? 4 : 3;
    header_.has_alpha = picture_.alpha;
    header_.sample = picture_.bits > 8 ? Sample::kU16 : Sample::kU8;
    Frame frame{picture_.number, std::nullopt, header_};
    if (picture_.shown) {
      FrameTime& time = frame.time.emplace();
      time.at_ticks = *picture_.shown;
      time.lasts_ticks = picture_.lasts;
      time.base_number = picture_.base_number;
      time.base_denominator = picture_.base_denominator;
      time.at_us = time.Microseconds(time.at_ticks);
      time.lasts_us = time.Microseconds(time.lasts_ticks);
    }
    return std::optional(std::move(frame));
  }

  Result<std::unique_ptr<RowReader>> Open(const ReadOptions& options) override {
    Layout layout = {header_.width, header_.height, header_.bands, header_.sample};
    ImageHeader stored = header_;
    int turned = 1;
    // Where the colour samples lie is said of the picture as it is stored.
    if (picture_.turns && !options.video_as_sited) turned = std::exchange(stored.orientation, 1);
    if (turned >= 5) std::swap(layout.width, layout.height);
    const size_t stride = StrideOf(layout);
    Buffer rows(stride * static_cast<size_t>(layout.height));
    const VideoColours colours = {layout.bands, layout.sample == Sample::kU16, turned,
                                  options.video_as_sited};
    std::string why;
    if (!video_->Convert(colours, rows.data(), stride, why)) {
      const bool memory = why == "out of memory";
      return Error{Stage::kDecode, memory ? Code::kOutOfMemory : Code::kUnsupported, why};
    }
    return AsAsked(std::make_unique<PictureRows>(layout, std::move(rows), std::exchange(picture_.note, {})),
                   stored, options);
  }

  Result<std::unique_ptr<RowReader>> Look(const ReadOptions& options) override {
    if (options.bands != ReadOptions::Bands::kGrey || !picture_.brightness) return Open(options);
    const Layout layout = {header_.width, header_.height, 1, header_.sample};
    return std::unique_ptr<RowReader>(std::make_unique<BrightnessRows>(layout, *video_));
  }

  std::optional<int64_t> fault_number() const override { return fault_number_; }
  bool independent() const override { return true; }
  bool may_be_partial() const override { return true; }

 private:
  const InputFile file_;
  ImageHeader header_;  // of the picture that Next gave last
  std::unique_ptr<VideoFile> video_;
  VideoPicture picture_;
  std::optional<int64_t> fault_number_;
};

}  // namespace

Error VideoIsNoImage(const FileHead& head) {
  return {Stage::kProbe, Code::kUnsupported,
          "it is " + std::string(SignatureOf(head.text()).title) +
              ", not an image (imgmill frames writes the frames of a video as images)"};
}

Result<ImageHeader> ProbeVideo(const InputFile& file, const ImageLimits& limits) {
  const std::unique_ptr<VideoFile> video = TRY(OpenVideo(file, limits.max_pixels, Stage::kProbe));
  const VideoFacts& facts = video->facts();
  if (auto refused = RefuseManyPixels(facts.width, facts.height, limits)) return *std::move(refused);
  ImageHeader header;
  header.format = ImageFormat::kVideo;
  header.width = facts.width;
  header.height = facts.height;
  header.bands = facts.alpha ? 4 : 3;
  header.has_alpha = facts.alpha;
  header.sample = facts.bits == 8 ? Sample::kU8 : Sample::kU16;
  header.sequential = false;
  header.orientation = facts.orientation;
  header.frames = static_cast<int>(facts.pictures);
  header.file_bytes = file.bytes();
  header.video_decoder = facts.decoder_bytes;
  header.video_thread = facts.thread_bytes;
  header.codec = facts.codec;
  return header;
}

void NoteSequence(const InputFile& file, ImageHeader& header) {
  const Result<std::unique_ptr<VideoFile>> video =
      OpenVideo(file, header.width * header.height, Stage::kProbe);
  if (!video) return;
  const VideoFacts& facts = (*video)->facts();
  const bool alike = facts.width == header.width && facts.height == header.height;
  if (facts.streams != 1 || header.has_alpha || !alike) return;
  header.video_decoder = facts.decoder_bytes;
  header.codec = facts.codec;
}

Result<std::unique_ptr<FrameSource>> OpenVideoFrames(const std::string& path, const ImageHeader& header,
                                                     int threads) {
  InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
  auto frames = std::make_unique<VideoFrames>(std::move(file), header);
  TRY(frames->Open(threads));
  return std::unique_ptr<FrameSource>(std::move(frames));
}

Footprint VideoFootprint(const ImageHeader& header, int threads) {
  const Layout layout = {header.width, header.height, header.bands, header.sample};
  constexpr size_t kLineBytes = 256;  // of a column: the rows that libswscale works on
  // Several threads each hold what one does beside the pictures that are shared, and none is the caller's.
  const int64_t further = threads > 1 ? threads * header.video_thread : 0;
  return {
      StrideOf(layout) * static_cast<size_t>(layout.height),
      static_cast<size_t>(header.video_decoder + further) + static_cast<size_t>(header.width) * kLineBytes};
}

}  // namespace imgmill
