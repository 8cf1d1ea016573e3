// Size, depth, turn, number of pictures, and what its decoder will hold.
#include "video/video_facts.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>

#include "video/decoder_memory.h"
#include "video/display_matrix.h"
#include "video/stream_decoder.h"

namespace imgmill {
namespace {

struct CloseParser {
  void operator()(AVCodecParserContext* parser) const { av_parser_close(parser); }
};
/// What a stream's own headers say.
struct Seen {
  int width = 0;
  int height = 0;
  int format = AV_PIX_FMT_NONE;
  int level = 0;
};

Seen Parse(Container& container) {
  constexpr size_t kPackets = 64;
  const AVCodecParameters& stored = *container.stream().codecpar;
  Seen seen{stored.width, stored.height, stored.format, stored.level};
  const std::unique_ptr<AVCodecParserContext, CloseParser> parser(av_parser_init(stored.codec_id));
  const Context context(avcodec_alloc_context3(nullptr));
  if (!parser || !context || avcodec_parameters_to_context(context.get(), &stored) < 0) return seen;
  ErrorLog log;
  KeepErrors(*context, log);
  parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
  for (size_t i = 0; i < kPackets && (seen.width <= 0 || seen.format == AV_PIX_FMT_NONE); ++i) {
    const AVPacket* packet = container.Peek(i);
    if (packet == nullptr) break;
    uint8_t* out = nullptr;
    int bytes = 0;
    av_parser_parse2(parser.get(), context.get(), &out, &bytes, packet->data, packet->size, packet->pts,
                     packet->dts, packet->pos);
    if (seen.width <= 0) seen.width = parser->width > 0 ? parser->width : context->width;
    if (seen.height <= 0) seen.height = parser->height > 0 ? parser->height : context->height;
    if (parser->format >= 0) seen.format = parser->format;
    if (seen.format == AV_PIX_FMT_NONE) seen.format = context->pix_fmt;
    if (context->level > 0) seen.level = context->level;
    // Of these the first packet tells all that any will.
    if (seen.width > 0 && (packet->flags & AV_PKT_FLAG_KEY) != 0) break;
  }
  return seen;
}

/// Where no parser knows, the decoder does as soon as it has seen a picture: DV, and what old cameras and web
/// sites wrote.
void DecodeFirst(Container& container, int64_t most_pixels, Seen& seen) {
  constexpr size_t kPackets = 8;
  const AVCodecParameters& stored = *container.stream().codecpar;
  const AVCodec* codec = DecoderOf(container.stream());
  ErrorLog log;
  const Context context(avcodec_alloc_context3(codec));
  if (codec == nullptr || !context || avcodec_parameters_to_context(context.get(), &stored) < 0) return;
  KeepErrors(*context, log);
  context->thread_count = 1;
  context->max_pixels = most_pixels;
  if (avcodec_open2(context.get(), codec, nullptr) < 0) return;
  for (size_t i = 0; i < kPackets && context->width <= 0; ++i) {
    const AVPacket* packet = container.Peek(i);
    if (packet == nullptr || avcodec_send_packet(context.get(), packet) < 0) break;
  }
  seen.width = context->width;
  seen.height = context->height;
  if (context->pix_fmt != AV_PIX_FMT_NONE) seen.format = context->pix_fmt;
}

/// "VP9 Bitstream & Decoding Process", 6.2: 0 is 4:2:0 of 8 bits, 1 of other subsampling, 2 and 3 are deeper.
/// -1: no packet.
int Vp9Profile(const AVPacket* first) {
  if (first == nullptr || first->size < 1) return -1;
  return (first->data[0] >> 5 & 1) | (first->data[0] >> 4 & 1) << 1;
}

/// Of codecs that have no other depth; 0: any.
int BitsOfCodec(const AVCodecParameters& stored, const AVPacket* first) {
  switch (stored.codec_id) {
    case AV_CODEC_ID_VP9:
      return Vp9Profile(first) == 1 ? 8 : 0;
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_MSMPEG4V1:
    case AV_CODEC_ID_MSMPEG4V2:
    case AV_CODEC_ID_MSMPEG4V3:
    case AV_CODEC_ID_WMV1:
    case AV_CODEC_ID_WMV2:
    case AV_CODEC_ID_WMV3:
    case AV_CODEC_ID_VC1:
    case AV_CODEC_ID_H261:
    case AV_CODEC_ID_H263:
    case AV_CODEC_ID_FLV1:
    case AV_CODEC_ID_VP6:
    case AV_CODEC_ID_VP6F:
    case AV_CODEC_ID_VP7:
    case AV_CODEC_ID_VP8:
    case AV_CODEC_ID_THEORA:
    case AV_CODEC_ID_MJPEG:
    case AV_CODEC_ID_DVVIDEO:
    case AV_CODEC_ID_SVQ1:
    case AV_CODEC_ID_SVQ3:
    case AV_CODEC_ID_CINEPAK:
      return 8;
    default:
      return 0;
  }
}

bool MayHaveAlpha(const AVCodecParameters& stored) {
  constexpr AVCodecID kOpaque[] = {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1, AV_CODEC_ID_VP9,
                                   AV_CODEC_ID_DNXHD};
  // "ap4h" and "ap4x": ProRes 4444.
  if (stored.codec_id == AV_CODEC_ID_PRORES)
    return stored.codec_tag == MKTAG('a', 'p', '4', 'h') || stored.codec_tag == MKTAG('a', 'p', '4', 'x');
  return std::ranges::find(kOpaque, stored.codec_id) == std::end(kOpaque);
}

int64_t PicturesOf(const Container& container, int64_t pixels) {
  const AVStream& stream = container.stream();
  // No picture takes less, with what an index or a head says of it.
  constexpr int64_t kLeastBytes = 8;
  const int64_t most = std::max<int64_t>(1, container.bytes() / kLeastBytes);
  if (stream.nb_frames > 0) return std::min<int64_t>(stream.nb_frames, most);
  const auto rate_of = [](AVRational rate) { return rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0.0; };
  const double rate = std::max(rate_of(stream.avg_frame_rate), rate_of(stream.r_frame_rate));
  double seconds = 0;
  if (stream.duration > 0) seconds = static_cast<double>(stream.duration) * av_q2d(stream.time_base);
  if (seconds <= 0 && container.microseconds() > 0)
    seconds = static_cast<double>(container.microseconds()) / AV_TIME_BASE;
  constexpr double kUsualRate = 30;
  constexpr int64_t kUsualBytes = 12 << 10;  // of a picture: 3 Mbit/s
  constexpr int64_t kPixelsAByte = 32;       // of small ones
  const int64_t bytes = std::clamp<int64_t>(pixels / kPixelsAByte, kLeastBytes, kUsualBytes);
  const double pictures =
      seconds > 0 ? seconds * (rate > 0 ? rate : kUsualRate) : static_cast<double>(container.bytes() / bytes);
  return std::clamp<int64_t>(std::llround(std::min(pictures, 1e8)), 1, most);
}

}  // namespace

bool ReadVideoFacts(Container& container, int64_t most_pixels, VideoFacts& facts, Error& why) {
  const AVStream& stream = container.stream();
  const AVCodecParameters& stored = *stream.codecpar;
  Seen seen = Parse(container);
  if (seen.width <= 0 || seen.height <= 0) DecodeFirst(container, most_pixels, seen);
  facts.codec = avcodec_get_name(stored.codec_id);
  facts.streams = container.picture_streams();
  facts.width = seen.width;
  facts.height = seen.height;
  if (facts.width <= 0 || facts.height <= 0) {
    why = {Stage::kDecode, Code::kMalformed,
           "a " + facts.codec + " video of which neither the file nor its first pictures say the size"};
    return false;
  }
  if (stored.codec_id == AV_CODEC_ID_VP9 && seen.format == AV_PIX_FMT_NONE &&
      Vp9Profile(container.Peek(0)) == 0)
    seen.format = AV_PIX_FMT_YUV420P;
  const bool alpha_beside = DecodesAlphaBeside(stream);
  if (const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(seen.format))) {
    facts.bits = format->comp[0].depth;
    facts.alpha = (format->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
  } else {
    facts.bits = BitsOfCodec(stored, container.Peek(0));
    facts.alpha = facts.bits == 0 && MayHaveAlpha(stored);
  }
  size_t bytes = 0;
  const uint8_t* matrix = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  constexpr size_t kNumbers = 9;
  if (matrix != nullptr && bytes >= kNumbers * sizeof(int32_t))
    facts.orientation = std::max(1, OrientationOf(reinterpret_cast<const int32_t*>(matrix)));
  facts.pictures = PicturesOf(container, facts.width * facts.height);
  facts.decoder_bytes = DecoderBytes(stored.codec_id, facts, seen.level, seen.format);
  facts.thread_bytes = ThreadBytes(stored.codec_id, facts, seen.format);
  if (!alpha_beside) return true;
  facts.alpha = true;
  facts.decoder_bytes *= 2;  // a decoder of its own, for pictures of the same size
  facts.thread_bytes = 0;    // libvpx decodes one picture after the other
  return true;
}

}  // namespace imgmill
