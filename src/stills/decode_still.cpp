// One image by FFmpeg's libavcodec, refused at the first error that the decoder sees; and the module's
// entrances.
#include <climits>
#include <memory>

#include "image/still/still_module.h"
#include "stills/apng_frames.h"
#include "stills/decoded_picture.h"
#include "stills/jxl_animation.h"

static_assert(imgmill::kStillPadding >= AV_INPUT_BUFFER_PADDING_SIZE);

namespace imgmill {
namespace {

AVCodecID CodecOf(StillKind kind) {
  switch (kind) {
    case StillKind::kBmp:
      return AV_CODEC_ID_BMP;
    case StillKind::kTga:
      return AV_CODEC_ID_TARGA;
    case StillKind::kQoi:
      return AV_CODEC_ID_QOI;
    case StillKind::kDds:
      return AV_CODEC_ID_DDS;
    case StillKind::kSgi:
      return AV_CODEC_ID_SGI;
    case StillKind::kPng:
      return AV_CODEC_ID_PNG;
    case StillKind::kJxl:
    case StillKind::kApng:
      break;
  }
  return AV_CODEC_ID_NONE;
}

class DecodedImage final : public StillImage {
 public:
  explicit DecodedImage(DecodedPicture picture) : picture_(std::move(picture)) {}
  void Row(int64_t y, int bands, size_t sample_bytes, uint8_t missing_alpha, uint8_t* to) const override {
    if (sample_bytes == 1) return picture_.Row(y, bands, missing_alpha, to);
    picture_.Row(y, bands, static_cast<uint16_t>(missing_alpha * 257), reinterpret_cast<uint16_t*>(to));
  }

 private:
  DecodedPicture picture_;
};

std::unique_ptr<StillImage> Decode(StillKind kind, const uint8_t* bytes, size_t size, int64_t width,
                                   int64_t height, std::string& why) {
  ErrorLog log;
  const AVCodecID codec = CodecOf(kind);
  if (avcodec_find_decoder(codec) == nullptr)
    return why = "this FFmpeg was built without its decoder", nullptr;
  if (size > INT_MAX) return why = "it has more than 2 GiB", nullptr;
  const Context context = MakeContext(codec, log);
  const Packet packet = MakePacket(bytes, size);
  DecodedFrame frame(av_frame_alloc());
  if (!context || !packet || !frame) return why = "out of memory", nullptr;
  if (const int error = avcodec_open2(context.get(), nullptr, nullptr); error < 0)
    return why = log.Text(error), nullptr;
  int error = avcodec_send_packet(context.get(), packet.get());
  if (error >= 0) error = avcodec_receive_frame(context.get(), frame.get());
  if (error == AVERROR(EAGAIN))
    error = avcodec_send_packet(context.get(), nullptr) >= 0
                ? avcodec_receive_frame(context.get(), frame.get())
                : error;
  if (error < 0) return why = log.Text(error), nullptr;
  const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame->format));
  if (frame->width != width || frame->height != height || descriptor == nullptr) {
    return why = "it decodes to another size than its header says", nullptr;
  }
  return std::make_unique<DecodedImage>(DecodedPicture(std::move(frame), descriptor));
}

constexpr char kOtherBuild[] = "the module is from a different build than the program";

}  // namespace
}  // namespace imgmill

extern "C" __attribute__((visibility("default"))) imgmill::StillImage* imgmill_decode_still(
    int interface, imgmill::StillKind kind, const uint8_t* bytes, size_t size, int64_t width, int64_t height,
    std::string* why) {
  if (interface != imgmill::kStillInterface) {
    *why = imgmill::kOtherBuild;
    return nullptr;
  }
  if (kind == imgmill::StillKind::kJxl) {
    return imgmill::DecodeFirstJxlFrame(bytes, size, width, height, *why).release();
  }
  return imgmill::Decode(kind, bytes, size, width, height, *why).release();
}

static_assert(std::is_same_v<decltype(&imgmill_decode_still), imgmill::DecodeStillFn>);

extern "C" __attribute__((visibility("default"))) imgmill::StillFrames* imgmill_open_still_frames(
    int interface, imgmill::StillKind kind, const uint8_t* bytes, size_t size, int64_t width, int64_t height,
    std::string* why) {
  if (interface != imgmill::kStillInterface) {
    *why = imgmill::kOtherBuild;
    return nullptr;
  }
  const auto open = kind == imgmill::StillKind::kJxl ? &imgmill::OpenJxlFrames : &imgmill::OpenApngFrames;
  return open(bytes, size, width, height, *why).release();
}

static_assert(std::is_same_v<decltype(&imgmill_open_still_frames), imgmill::OpenStillFramesFn>);
