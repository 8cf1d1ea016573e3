// Which files hold several images that are read one after the other, and by whom.
#include "imgmill/image/frame_source.h"

#include <algorithm>
#include <cmath>

#include "animation.h"
#include "base/try.h"
#include "image/tiff/tiff_directory.h"
#include "image/tiff/tiff_pages.h"
#include "image_count.h"
#include "open_rows.h"
#include "pixel_form.h"
#include "row_by_row.h"
#include "video_frames.h"
#include "vips_load.h"

namespace imgmill {
namespace {

/// An image that stands for all of its file, or that nothing but can be read of a sequence.
class OneFrame final : public FrameSource {
 public:
  OneFrame(const std::string& path, const ImageHeader& header, bool of_sequence)
      : path_(path), header_(header), of_sequence_(of_sequence) {}
  Result<std::optional<Frame>> Next() override {
    if (!std::exchange(given_, true)) return std::optional(Frame{0, std::nullopt, header_});
    if (!std::exchange(of_sequence_, false)) return std::optional<Frame>();
    return Error{
        Stage::kDecode, Code::kUnsupported,
        "of an AVIF or HEIF sequence with alpha, or whose frames are no video, only the primary image is "
        "read (convert it to WebP or APNG)"};
  }
  Result<std::unique_ptr<RowReader>> Open(const ReadOptions& options) override {
    return OpenRows(path_, header_, options);
  }
  bool independent() const override { return false; }

 private:
  const std::string path_;
  const ImageHeader header_;
  bool of_sequence_;
  bool given_ = false;
};

/// A sequence of AVIF or HEIF: the image that stands for it, and then the frames behind the first of its
/// video.
class Sequence final : public FrameSource {
 public:
  Sequence(const std::string& path, const ImageHeader& header, std::unique_ptr<FrameSource> video)
      : path_(path), header_(header), video_(std::move(video)) {}
  Result<std::optional<Frame>> Next() override {
    Result<std::optional<Frame>> frame = video_->Next();
    at_first_ = frame && *frame && (*frame)->number == 0;
    if (at_first_) (*frame)->header = header_;
    return frame;
  }
  Result<std::unique_ptr<RowReader>> Open(const ReadOptions& options) override {
    return at_first_ ? OpenRows(path_, header_, options) : video_->Open(options);
  }
  Result<std::unique_ptr<RowReader>> Look(const ReadOptions& options) override {
    return video_->Look(options);
  }
  std::optional<int64_t> fault_number() const override { return video_->fault_number(); }
  bool independent() const override { return true; }
  bool may_be_partial() const override { return true; }

 private:
  const std::string path_;
  const ImageHeader header_;
  std::unique_ptr<FrameSource> video_;
  bool at_first_ = false;
};

class Pages final : public FrameSource {
 public:
  Pages(const std::string& path, const ImageHeader& header, const ImageLimits& limits, InputFile file)
      : path_(path), first_(header), limits_(limits), file_(std::move(file)), walk_(file_) {}

  Result<std::optional<Frame>> Next() override {
    ++number_;
    const std::optional<uint64_t> directory = TRY(walk_.Next());
    if (!directory) return std::optional<Frame>();
    header_ = first_;
    if (number_ > 0) {
      ImageHeader own = TRY(ProbeTiffPage(path_, limits_, *directory));
      header_ = std::move(own);
    }
    return std::optional(Frame{number_, std::nullopt, header_});
  }
  Result<std::unique_ptr<RowReader>> Open(const ReadOptions& options) override {
    TRY(MayHoldPixels(header_, options));
    return OpenAlone(path_, header_, options);
  }
  bool independent() const override { return true; }
  bool may_be_partial() const override { return false; }  // each page is an image of its own

 private:
  const std::string path_;
  const ImageHeader first_;
  const ImageLimits limits_;
  const InputFile file_;
  TiffPageWalk walk_;
  int64_t number_ = -1;
  ImageHeader header_;
};

/// Rows of an image that stays where it is.
class HeldRows final : public RowByRow {
 public:
  HeldRows(const Image& image, const std::vector<std::string>& notes)
      : RowByRow(image.layout()), image_(image) {
    notes_ = notes;
  }

 protected:
  Status ReadRow(int64_t y, uint8_t* to) override {
    std::copy_n(image_.row(y), layout_.row_bytes(), to);
    return {};
  }

 private:
  const Image& image_;
};

class AnimationFrames final : public FrameSource {
 public:
  AnimationFrames(const std::string& path, const ImageHeader& header, std::unique_ptr<Animation> animation)
      : path_(path), header_(header), animation_(std::move(animation)) {}

  Result<std::optional<Frame>> Next() override {
    ++number_;
    held_ = Image();
    held_notes_.clear();
    const std::optional<double> seconds = TRY(animation_->Next());
    if (!seconds) return std::optional<Frame>();
    FrameTime time;
    time.at_us = Microseconds(at_);
    time.lasts_us = Microseconds(*seconds);
    at_ += *seconds;
    return std::optional(Frame{number_, time, header_});
  }
  Result<std::unique_ptr<RowReader>> Open(const ReadOptions& options) override {
    if (held_ && (options.keep_profile || !header_.has_icc)) return AsHeld(options);
    TRY(MayHoldPixels(header_, options));
    if (number_ == 0) return OpenAlone(path_, header_, options);
    Result<std::unique_ptr<RowReader>> rows = animation_->Rows(options);
    if (!rows) return rows;
    return AsAsked(*std::move(rows), header_, options);
  }
  /// Decoders draw each frame once.
  Result<std::unique_ptr<RowReader>> Look(const ReadOptions& options) override {
    if (!held_) {
      ReadOptions as_is;
      as_is.keep_profile = true;
      as_is.allow_truncated = options.allow_truncated;
      std::unique_ptr<RowReader> rows = TRY(Open(as_is));
      Image whole(rows->layout());
      TRY(rows->Read(whole.layout().height, whole.row(0), whole.layout().row_bytes()));
      held_ = std::move(whole);
      held_notes_ = rows->notes();
    }
    return AsHeld(options);
  }
  bool independent() const override { return false; }

 private:
  Result<std::unique_ptr<RowReader>> AsHeld(const ReadOptions& options) const {
    return WithForm(std::make_unique<HeldRows>(held_, held_notes_), /*linear=*/false, options);
  }
  static int64_t Microseconds(double seconds) { return std::llround(seconds * 1e6); }

  const std::string path_;
  const ImageHeader header_;
  std::unique_ptr<Animation> animation_;
  int64_t number_ = -1;
  Image held_;  ///< the frame, if it was looked at, in the colours of its file
  std::vector<std::string> held_notes_;
  double at_ = 0;  ///< seconds until the next frame; its fractions of any unit add up
};

/// Null: not an animation that is read frame by frame.
OpenedAnimation OpenAnimation(const std::string& path, const ImageHeader& header) {
  // Also of one frame: another may be cut, and not counted for that.
  if (header.format == ImageFormat::kGif) return OpenGifAnimation(path, header);
  if (header.frames == 1) return std::unique_ptr<Animation>();
  if (header.format == ImageFormat::kWebp) return OpenWebpAnimation(path, header);
  if (header.format == ImageFormat::kPng || header.format == ImageFormat::kJxl)
    return OpenStillAnimation(path, header);
  return std::unique_ptr<Animation>();
}

Footprint AnimationFootprint(const ImageHeader& header) {
  if (header.format == ImageFormat::kGif) return GifAnimationFootprint(header);
  if (header.format == ImageFormat::kWebp) return WebpAnimationFootprint(header);
  return StillAnimationFootprint(header);
}

bool IsAnimation(const ImageHeader& header) {
  constexpr ImageFormat kSuch[] = {ImageFormat::kGif, ImageFormat::kWebp, ImageFormat::kPng,
                                   ImageFormat::kJxl};
  return header.frames > 1 && std::ranges::find(kSuch, header.format) != std::end(kSuch);
}

}  // namespace

int64_t FrameTime::Microseconds(int64_t ticks) const {
  constexpr int kMillion = 1000000;
  const __int128 scaled = static_cast<__int128>(ticks) * base_number * kMillion * 2 + base_denominator;
  const __int128 divisor = static_cast<__int128>(base_denominator) * 2;
  // Rounded to the nearest, halves up, also below zero.
  return static_cast<int64_t>(scaled / divisor - (scaled % divisor < 0 ? 1 : 0));
}

Result<ImageHeader> ProbeFrames(const std::string& path, const ImageLimits& limits) {
  InputFile file = TRY(InputFile::Open(path, Stage::kProbe));
  const FileHead head = TRY(ReadHead(file, Stage::kProbe));
  if (head.format == ImageFormat::kVideo) return ProbeVideo(file, limits);
  Result<ImageHeader> image = Probe(path, limits);
  if (image && image->format == ImageFormat::kHeif && image->frames > 1 && HeifFrames(file) > 1)
    NoteSequence(file, *image);
  if (image || image.error().code != Code::kUnknownFormat) return image;
  // Some videos begin as nothing else does: one look at the whole table of FFmpeg's, of those it may use.
  Result<ImageHeader> video = ProbeVideo(file, limits);
  return video || video.error().code != Code::kUnknownFormat ? video : image;
}

Result<std::unique_ptr<FrameSource>> OpenFrames(const std::string& path, const ImageHeader& header,
                                                const ImageLimits& limits, int video_threads) {
  if (header.format == ImageFormat::kVideo) return OpenVideoFrames(path, header, video_threads);
  if (header.format == ImageFormat::kTiff) {
    InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
    return std::unique_ptr<FrameSource>(std::make_unique<Pages>(path, header, limits, std::move(file)));
  }
  std::unique_ptr<Animation> animation = TRY(OpenAnimation(path, header));
  if (!animation) {
    bool sequence = false;
    if (header.format == ImageFormat::kHeif && header.frames > 1) {
      const InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
      sequence = HeifFrames(file) > 1;
      if (sequence && header.video_decoder > 0) {
        std::unique_ptr<FrameSource> video = TRY(OpenVideoFrames(path, header));
        return std::unique_ptr<FrameSource>(std::make_unique<Sequence>(path, header, std::move(video)));
      }
    }
    return std::unique_ptr<FrameSource>(std::make_unique<OneFrame>(path, header, sequence));
  }
  return std::unique_ptr<FrameSource>(std::make_unique<AnimationFrames>(path, header, std::move(animation)));
}

void ForEachFrameHeader(const std::string& path, const ImageHeader& header, const ImageLimits& limits,
                        const std::function<void(const ImageHeader&)>& each) {
  each(header);
  if (header.format != ImageFormat::kTiff || header.frames == 1) return;
  const Result<InputFile> file = InputFile::Open(path, Stage::kProbe);
  if (!file) return;
  TiffPageWalk walk(*file);
  bool first = true;
  for (Result<std::optional<uint64_t>> page = walk.Next(); page && *page; page = walk.Next()) {
    if (std::exchange(first, false)) continue;
    if (const Result<ImageHeader> own = ProbeTiffPage(path, limits, **page)) each(*own);
  }
}

Footprint FrameFootprint(const ImageHeader& header, const ReadOptions& options) {
  const Footprint read = ReadFootprint(header, options);
  // The image that stands for a sequence is read while its video is open.
  if (header.format == ImageFormat::kHeif && header.video_decoder > 0) return read + VideoFootprint(header);
  return IsAnimation(header) ? read + AnimationFootprint(header) : read;
}

}  // namespace imgmill
