// A video as a sequence of pictures that can be trusted, with an account of those that cannot; and the
// module's entrance.
extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

#include <cstdio>
#include <vector>

#include "image/video_module.h"
#include "video/container.h"
#include "video/display_matrix.h"
#include "video/picture_colours.h"
#include "video/picture_decoder.h"
#include "video/stream_decoder.h"
#include "video/turned_picture.h"
#include "video/video_facts.h"

namespace imgmill {
namespace {

class DecodedVideo final : public VideoFile {
 public:
  DecodedVideo(ReadVideoFn read, void* file, int64_t bytes) : read_(read), file_(file), bytes_(bytes) {
    Rewind();
  }

  bool Open(int64_t most_pixels, Error& why) {
    most_pixels_ = most_pixels;
    return container_->Open(why) && ReadVideoFacts(*container_, most_pixels, facts_, why);
  }

  const VideoFacts& facts() const override { return facts_; }
  void UseThreads(int threads) override { threads_ = facts_.thread_bytes > 0 ? threads : 1; }
  Step Next(VideoPicture& picture, Error& fault) override;
  bool Convert(const VideoColours& colours, uint8_t* to, size_t stride, std::string& why) override {
    if (colours.orientation == 1) return colours_.Convert(decoder_->picture(), colours, to, stride, why);
    const auto turned = Turn(decoder_->picture(), colours.orientation);
    if (!turned) return why = "out of memory", false;
    return colours_.Convert(*turned, colours, to, stride, why);
  }
  void Brightness(int64_t y, uint8_t* to) const override;

 private:
  /// Pictures that were passed over, to be told before the next one.
  struct Lost {
    int64_t pictures = 0;
    std::string why;
  };
  /// To the beginning, with nothing opened.
  void Rewind();
  bool OpenDecoder(Error& fault);
  /// Decodes on one thread from the beginning on, up to behind so many pictures, which were given. False:
  /// `fault` tells.
  bool BeginAgain(int64_t given, Error& fault);
  /// Next, as the decoder has it.
  Step Go(VideoPicture& picture, Error& fault);
  void Lose(int64_t pictures, const std::string& why);
  Step Tell(Error& fault);
  Step AtEnd(Error& fault);
  /// Whether there are more pixels than was planned for.
  bool Grown(Error& fault);
  void Describe(VideoPicture& picture);
  std::string Note() const;
  const AVPixFmtDescriptor& format() const {
    return *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(decoder_->picture().format));
  }

  const ReadVideoFn read_;
  void* const file_;
  const int64_t bytes_;
  int threads_ = 1;
  std::unique_ptr<Container> container_;
  std::unique_ptr<PictureDecoder> decoder_;  // after what it reads from
  PictureColours colours_;
  VideoFacts facts_;
  int64_t most_pixels_ = 0;
  bool opened_ = false;
  bool pending_ = false;  // decoded and not given yet
  bool end_told_ = false;
  int64_t number_ = 0;  // of the next picture
  int64_t given_ = 0;
  std::string before_start_;  // why pictures before the first one that stands for itself were passed over
  Lost lost_;
  mutable std::vector<uint16_t> samples_;
};

void DecodedVideo::Lose(int64_t pictures, const std::string& why) {
  if (pictures == 0) return;
  if (lost_.pictures == 0) lost_.why = why;
  lost_.pictures += pictures;
  number_ += pictures;
}

VideoFile::Step DecodedVideo::Tell(Error& fault) {
  const Lost lost = std::exchange(lost_, {});
  fault = {Stage::kDecode, Code::kMalformed,
           (lost.pictures == 1
                ? std::string("it cannot be decoded")
                : "it and the " + std::to_string(lost.pictures - 1) + " behind it cannot be decoded") +
               ": " + lost.why + " (copy the file again, or use --allow-truncated to do without them)"};
  return Step::kFault;
}

VideoFile::Step DecodedVideo::AtEnd(Error& fault) {
  std::string why;
  const int64_t refused = decoder_->TakeRefused(why);
  Lose(refused, why);
  if (lost_.pictures > 0) return Tell(fault);
  if (std::exchange(end_told_, true)) return Step::kEnd;
  const Container::End& end = container_->end();
  const int64_t missing = container_->PacketsIndexed() - decoder_->packets();
  const bool cut = end.error != 0 || missing > 0 || container_->MissingBytes() > 0;
  if (end.disk) {
    fault = {Stage::kDecode, Code::kReadError, "the file cannot be read: " + end.text};
  } else if (cut) {
    fault = {
        Stage::kDecode, Code::kTruncated,
        "the video ends early" +
            (missing > 0 ? ", " + std::to_string(missing) + " pictures before the end that its index tells of"
             : end.error != 0 ? ": " + end.text
                              : std::string()) +
            " (copy the file again, or use --allow-truncated to do without the rest)"};
  } else if (given_ == 0) {
    fault = {Stage::kDecode, Code::kMalformed,
             "no picture of it can be decoded" + (before_start_.empty() ? "" : ": " + before_start_)};
  } else {
    return Step::kEnd;
  }
  return Step::kFault;
}

bool DecodedVideo::Grown(Error& fault) {
  const AVFrame& frame = decoder_->picture();
  if (int64_t{frame.width} * frame.height <= most_pixels_) return false;
  fault = {Stage::kDecode, Code::kUnsupported,
           "pictures grow from " + std::to_string(facts_.width) + " x " + std::to_string(facts_.height) +
               " to " + std::to_string(frame.width) + " x " + std::to_string(frame.height) +
               " pixels within the file (cut it in two there)"};
  return true;
}

void DecodedVideo::Rewind() {
  decoder_.reset();
  container_ = std::make_unique<Container>(read_, file_, bytes_);
  decoder_ = std::make_unique<PictureDecoder>(*container_);
}

bool DecodedVideo::OpenDecoder(Error& fault) {
  // What decoders compare with it is not the picture alone: blocks and edges are added, wavelets are stored
  // in the next power of two, and screen captures count bytes. Pictures that grow are seen in Grown.
  constexpr int64_t kEdges = 512, kBytes = 4;
  const int64_t coded = kBytes * (facts_.width + kEdges) * (facts_.height + kEdges);
  return decoder_->Open(std::max(most_pixels_, coded), threads_, fault);
}

bool DecodedVideo::BeginAgain(int64_t given, Error& fault) {
  threads_ = 1;
  Rewind();
  if (!container_->Open(fault) || !OpenDecoder(fault)) return false;
  number_ = given_ = 0;
  pending_ = end_told_ = false;
  lost_ = {};
  before_start_.clear();
  VideoPicture seen;
  while (given_ < given) {
    if (Go(seen, fault) != Step::kPicture) return false;
  }
  return true;
}

VideoFile::Step DecodedVideo::Next(VideoPicture& picture, Error& fault) {
  if (!std::exchange(opened_, true) && !OpenDecoder(fault)) return end_told_ = true, Step::kFault;
  if (end_told_) return Step::kEnd;
  const int64_t given = given_;
  picture.number = number_;  // also of a fault
  const Step step = Go(picture, fault);
  if (!decoder_->troubled()) return step;
  if (!BeginAgain(given, fault)) return end_told_ = true, Step::kFault;
  picture.number = number_;
  return Go(picture, fault);
}

VideoFile::Step DecodedVideo::Go(VideoPicture& picture, Error& fault) {
  for (;;) {
    if (!pending_ && !decoder_->Next()) return AtEnd(fault);
    pending_ = true;
    std::string why;
    const int64_t refused = decoder_->TakeRefused(why);
    Lose(refused, why);
    if (const Damage::Gap* gap = decoder_->gap()) {
      pending_ = false;
      if (gap->at_start) {
        before_start_ = gap->why;
      } else {
        Lose(1, gap->why);
      }
      continue;
    }
    // Decoded before those that are lost, and shown behind them: its number would be a guess.
    if (lost_.pictures > 0 && decoder_->ends_damaged()) {
      pending_ = false;
      Lose(1, lost_.why);
      continue;
    }
    if (lost_.pictures > 0) return Tell(fault);
    if (Grown(fault)) return end_told_ = true, Step::kFault;
    pending_ = false;
    Describe(picture);
    return Step::kPicture;
  }
}

void DecodedVideo::Describe(VideoPicture& picture) {
  const AVFrame& frame = decoder_->picture();
  const AVPixFmtDescriptor& form = format();
  const bool palette = (form.flags & AV_PIX_FMT_FLAG_PAL) != 0;
  picture = {};
  picture.number = number_++;
  picture.width = frame.width;
  picture.height = frame.height;
  picture.bits = form.comp[0].depth > 8 ? form.comp[0].depth : 8;
  picture.alpha = (form.flags & AV_PIX_FMT_FLAG_ALPHA) != 0 && !palette;
  picture.brightness = !palette && (form.flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_BITSTREAM)) == 0 &&
                       form.comp[0].depth >= 8;
  picture.turns = CanTurn(frame);
  if (frame.best_effort_timestamp != AV_NOPTS_VALUE) picture.shown = frame.best_effort_timestamp;
  picture.lasts = std::max<int64_t>(0, frame.pkt_duration);
  picture.base_number = container_->stream().time_base.num;
  picture.base_denominator = container_->stream().time_base.den;
  if (given_++ == 0) picture.note = Note();
}

std::string DecodedVideo::Note() const {
  const AVFrame& frame = decoder_->picture();
  std::string note;
  const auto add = [&](const std::string& text) { note += (note.empty() ? "" : "; ") + text; };
  const AVRational shape = frame.sample_aspect_ratio;
  if (shape.num > 0 && shape.den > 0 && shape.num != shape.den)
    add("its pixels are not square (" + std::to_string(shape.num) + ":" + std::to_string(shape.den) +
        "), and are kept as they are");
  if (frame.color_trc == AVCOL_TRC_SMPTE2084 || frame.color_trc == AVCOL_TRC_ARIB_STD_B67)
    add("its colours are of high dynamic range, and are not mapped to that of a screen");
  if (HasAlphaBeside(container_->stream()) && !DecodesAlphaBeside(container_->stream()))
    add("its alpha is left out, since this FFmpeg is built without libvpx");
  if (frame.interlaced_frame != 0) add("it is interlaced, and its frames are kept whole");
  if (!before_start_.empty()) add("it begins with pictures that lean on others which are not in the file");
  return note;
}

void DecodedVideo::Brightness(int64_t y, uint8_t* to) const {
  const AVFrame& frame = decoder_->picture();
  const AVPixFmtDescriptor& form = format();
  const auto width = static_cast<size_t>(frame.width);
  samples_.resize(width);
  av_read_image_line2(samples_.data(), const_cast<const uint8_t**>(frame.data), frame.linesize, &form, 0,
                      static_cast<int>(y), 0, frame.width, 0, sizeof samples_[0]);
  const int depth = form.comp[0].depth;
  if (depth == 8) {
    for (size_t x = 0; x < width; ++x) to[x] = static_cast<uint8_t>(samples_[x]);
    return;
  }
  auto* wide = reinterpret_cast<uint16_t*>(to);
  for (size_t x = 0; x < width; ++x) wide[x] = static_cast<uint16_t>(samples_[x] << (16 - depth));
}

}  // namespace
}  // namespace imgmill

extern "C" __attribute__((visibility("default"))) imgmill::VideoFile* imgmill_open_video(
    int interface, imgmill::ReadVideoFn read, void* file, int64_t bytes, int64_t most_pixels,
    imgmill::Error* why) {
  if (interface != imgmill::kVideoInterface) {
    *why = {imgmill::Stage::kDecode, imgmill::Code::kUnsupported,
            "the module for videos is from a different build than the program (reinstall imgmill)"};
    return nullptr;
  }
  auto video = std::make_unique<imgmill::DecodedVideo>(read, file, bytes);
  return video->Open(most_pixels, *why) ? video.release() : nullptr;
}

static_assert(std::is_same_v<decltype(&imgmill_open_video), imgmill::OpenVideoFn>);
