// Most of it is pictures: how many, the codec's own rules say.
#include "video/decoder_memory.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>

namespace imgmill {
namespace {

/// ITU-T H.264, table A-1: MaxDpbMbs by level.
int64_t MostMacroblocks(int level) {
  struct Row {
    int level;
    int64_t macroblocks;
  };
  constexpr Row kRows[] = {{10, 396},    {11, 900},    {12, 2376},  {20, 2376},  {21, 4752},
                           {30, 8100},   {31, 18000},  {32, 20480}, {41, 32768}, {42, 34816},
                           {50, 110400}, {52, 184320}, {62, 696320}};
  for (const Row& row : kRows) {
    if (level <= row.level) return row.macroblocks;
  }
  return 696320;
}

bool StandsAlone(AVCodecID codec) {
  const AVCodecDescriptor* about = avcodec_descriptor_get(codec);
  return about != nullptr && (about->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
}

int64_t HeldPictures(AVCodecID codec, const VideoFacts& facts, int level) {
  constexpr int64_t kMost = 16;
  const int64_t pixels = facts.width * facts.height;
  switch (codec) {
    case AV_CODEC_ID_H264: {
      const int64_t macroblocks = ((facts.width + 15) / 16) * ((facts.height + 15) / 16);
      // A level that is too low for one picture says nothing of how many there are.
      if (level < 1 || MostMacroblocks(level) < macroblocks) return kMost + 2;
      // Of those that are referred to, and the one that is decoded and those that are handed out.
      return std::min(MostMacroblocks(level) / std::max<int64_t>(1, macroblocks), kMost) + 3;
    }
    case AV_CODEC_ID_HEVC: {
      // ITU-T H.265, A.4.2: 6 pictures of the level's largest size, more of smaller ones. Levels are numbered
      // in thirtieths; MaxLumaPs grows fourfold with each whole one from 3 on.
      constexpr int64_t kLargest[] = {36864, 122880, 552960, 983040, 2228224, 8912896, 35651584};
      const int64_t most = level < 1 ? 0 : kLargest[std::clamp(level / 30, 0, 6)];
      const int64_t held = pixels <= most / 4 ? 16 : pixels <= most / 2 ? 12 : pixels <= most * 3 / 4 ? 8 : 6;
      return (level < 1 ? kMost : held) + 3;
    }
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_AV1:
      return 8 + 3;
    case AV_CODEC_ID_VP8:
      return 4 + 2;
    default:
      return StandsAlone(codec) ? 2 : 6;
  }
}

/// Rows are padded, and edges added around the pictures that are predicted from.
int64_t SamplesOf(const VideoFacts& facts) {
  return (facts.width + 128) * (facts.height + 128);
}

/// Where the form of the pictures is not known, with colour samples of their own, and as much alpha as may
/// be.
int64_t PictureBytes(const VideoFacts& facts, int format) {
  const AVPixFmtDescriptor* form = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(format));
  const int64_t bands = facts.alpha ? 4 : 3;
  const int64_t pixel_bits =
      form != nullptr ? av_get_padded_bits_per_pixel(form) : bands * (facts.bits == 8 ? 8 : 16);
  return SamplesOf(facts) * pixel_bits / 8;
}

/// Motion vectors, modes and coefficients: about a byte a pixel.
int64_t TableBytes(AVCodecID codec, const VideoFacts& facts) {
  return StandsAlone(codec) ? 0 : SamplesOf(facts);
}

}  // namespace

int64_t DecoderBytes(AVCodecID codec, const VideoFacts& facts, int level, int format) {
  const int64_t picture = PictureBytes(facts, format);
  const int64_t turned = facts.orientation > 1 ? picture : 0;
  constexpr int64_t kSmall = int64_t{6} << 20;  // demuxer, packets read ahead, tables of fixed size
  return picture * HeldPictures(codec, facts, level) + turned + TableBytes(codec, facts) + kSmall;
}

int64_t ThreadBytes(AVCodecID codec, const VideoFacts& facts, int format) {
  const AVCodec* decoder = avcodec_find_decoder(codec);
  if (decoder == nullptr || (decoder->capabilities & AV_CODEC_CAP_FRAME_THREADS) == 0) return 0;
  constexpr int64_t kSmall = int64_t{1} << 20;  // stack, packet, tables of fixed size
  return PictureBytes(facts, format) + TableBytes(codec, facts) + kSmall;
}

}  // namespace imgmill
