// One image by FFmpeg's libavcodec: on one thread, without a word to stderr, and refused at the first error
// that the decoder sees.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <mutex>
#include <vector>

#include "image/still_module.h"
#include "stills/jxl_animation.h"

static_assert(imgmill::kStillPadding >= AV_INPUT_BUFFER_PADDING_SIZE);

namespace imgmill {
namespace {

// FFmpeg logs on the thread that decodes; the first error is the cause.
thread_local std::string first_error;

void KeepFirstError(void* /*context*/, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_ERROR || !first_error.empty()) return;
  char line[200];
  std::vsnprintf(line, sizeof line, format, arguments);
  first_error = line;
  while (!first_error.empty() && static_cast<unsigned char>(first_error.back()) <= ' ')
    first_error.pop_back();
}

struct FreeContext {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
using Frame = std::unique_ptr<AVFrame, FreeFrame>;

AVCodecID CodecOf(StillKind kind) {
  switch (kind) {
    case StillKind::kBmp:
      return AV_CODEC_ID_BMP;
    case StillKind::kTga:
      return AV_CODEC_ID_TARGA;
    case StillKind::kQoi:
      return AV_CODEC_ID_QOI;
    case StillKind::kPng:
      return AV_CODEC_ID_PNG;
    case StillKind::kJxl:
      break;
  }
  return AV_CODEC_ID_NONE;
}

class DecodedImage final : public StillImage {
 public:
  DecodedImage(Frame frame, const AVPixFmtDescriptor* descriptor)
      : frame_(std::move(frame)), descriptor_(descriptor) {}

  void Row(int64_t y, int bands, uint8_t missing_alpha, uint8_t* to) const override {
    samples_.resize(static_cast<size_t>(frame_->width));
    const bool palette = (descriptor_->flags & AV_PIX_FMT_FLAG_PAL) != 0;
    const bool colour = (descriptor_->flags & AV_PIX_FMT_FLAG_RGB) != 0;
    const bool alpha = (descriptor_->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
    if (palette) return PaletteRow(y, bands, to);
    for (int band = 0; band < bands; ++band) {
      uint8_t* out = to + band;
      if (band == 3 && !alpha) {
        for (size_t x = 0; x < samples_.size(); ++x, out += bands) *out = missing_alpha;
        continue;
      }
      const int component = band == 3 ? descriptor_->nb_components - 1 : colour ? band : 0;
      const unsigned white = (1U << descriptor_->comp[component].depth) - 1;
      ReadLine(y, component);
      if (frame_->format == AV_PIX_FMT_MONOWHITE) {  // whose set bits are black
        for (uint16_t& sample : samples_) sample ^= 1;
      }
      for (const uint16_t sample : samples_) {
        *out = static_cast<uint8_t>((sample * 510U + white) / (2 * white));
        out += bands;
      }
    }
  }

 private:
  void ReadLine(int64_t y, int component) const {
    av_read_image_line2(samples_.data(), const_cast<const uint8_t**>(frame_->data), frame_->linesize,
                        descriptor_, 0, static_cast<int>(y), component, frame_->width, 0, sizeof samples_[0]);
  }

  // A palette is a table of native words of ARGB.
  void PaletteRow(int64_t y, int bands, uint8_t* to) const {
    constexpr int kShift[] = {16, 8, 0, 24};
    ReadLine(y, 0);
    const auto* colours = reinterpret_cast<const uint32_t*>(frame_->data[1]);
    for (const uint16_t index : samples_) {
      for (int band = 0; band < bands; ++band)
        *to++ = static_cast<uint8_t>(colours[index & 255] >> kShift[band]);
    }
  }

  Frame frame_;
  const AVPixFmtDescriptor* descriptor_;
  mutable std::vector<uint16_t> samples_;  // of a line
};

std::string Text(int error) {
  if (error == AVERROR(ENOMEM)) return "out of memory";
  if (!first_error.empty()) return first_error;
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(error, text, sizeof text);
  return text;
}

std::unique_ptr<StillImage> Decode(StillKind kind, const uint8_t* bytes, size_t size, int64_t width,
                                   int64_t height, std::string& why) {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(&KeepFirstError); });
  first_error.clear();
  const AVCodec* codec = avcodec_find_decoder(CodecOf(kind));
  if (codec == nullptr) return why = "this FFmpeg was built without its decoder", nullptr;
  if (size > INT_MAX) return why = "it has more than 2 GiB", nullptr;
  const std::unique_ptr<AVCodecContext, FreeContext> context(avcodec_alloc_context3(codec));
  const std::unique_ptr<AVPacket, FreePacket> packet(av_packet_alloc());
  Frame frame(av_frame_alloc());
  if (!context || !packet || !frame) return why = "out of memory", nullptr;
  context->thread_count = 1;
  context->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
  if (const int error = avcodec_open2(context.get(), codec, nullptr); error < 0)
    return why = Text(error), nullptr;
  // With an owner, though one that frees nothing: otherwise FFmpeg would copy all of it.
  packet->buf = av_buffer_create(
      const_cast<uint8_t*>(bytes), size, [](void*, uint8_t*) {}, nullptr, AV_BUFFER_FLAG_READONLY);
  if (packet->buf == nullptr) return why = "out of memory", nullptr;
  packet->data = const_cast<uint8_t*>(bytes);
  packet->size = static_cast<int>(size);
  packet->flags = AV_PKT_FLAG_KEY;
  int error = avcodec_send_packet(context.get(), packet.get());
  if (error >= 0) error = avcodec_receive_frame(context.get(), frame.get());
  if (error == AVERROR(EAGAIN))
    error = avcodec_send_packet(context.get(), nullptr) >= 0
                ? avcodec_receive_frame(context.get(), frame.get())
                : error;
  if (error < 0) return why = Text(error), nullptr;
  const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame->format));
  if (frame->width != width || frame->height != height || descriptor == nullptr) {
    return why = "it decodes to another size than its header says", nullptr;
  }
  return std::make_unique<DecodedImage>(std::move(frame), descriptor);
}

}  // namespace
}  // namespace imgmill

extern "C" __attribute__((visibility("default"))) imgmill::StillImage* imgmill_decode_still(
    int interface, imgmill::StillKind kind, const uint8_t* bytes, size_t size, int64_t width, int64_t height,
    std::string* why) {
  if (interface != imgmill::kStillInterface) {
    *why = "the module is from a different build than the program";
    return nullptr;
  }
  if (kind == imgmill::StillKind::kJxl) {
    return imgmill::DecodeFirstJxlFrame(bytes, size, width, height, *why).release();
  }
  return imgmill::Decode(kind, bytes, size, width, height, *why).release();
}

static_assert(std::is_same_v<decltype(&imgmill_decode_still), imgmill::DecodeStillFn>);
