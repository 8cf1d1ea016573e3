#include "video/stream_decoder.h"

#include <string_view>

namespace imgmill {
namespace {

/// Null where this FFmpeg has none.
const AVCodec* Libvpx(AVCodecID codec) {
  if (codec == AV_CODEC_ID_VP8) return avcodec_find_decoder_by_name("libvpx");
  if (codec == AV_CODEC_ID_VP9) return avcodec_find_decoder_by_name("libvpx-vp9");
  return nullptr;
}

}  // namespace

bool HasAlphaBeside(const AVStream& stream) {
  const AVCodecID codec = stream.codecpar->codec_id;
  if (codec != AV_CODEC_ID_VP8 && codec != AV_CODEC_ID_VP9) return false;
  const AVDictionaryEntry* mode = av_dict_get(stream.metadata, "alpha_mode", nullptr, 0);
  return mode != nullptr && std::string_view(mode->value) == "1";
}

bool DecodesAlphaBeside(const AVStream& stream) {
  return HasAlphaBeside(stream) && Libvpx(stream.codecpar->codec_id) != nullptr;
}

const AVCodec* DecoderOf(const AVStream& stream) {
  const AVCodecID codec = stream.codecpar->codec_id;
  return DecodesAlphaBeside(stream) ? Libvpx(codec) : avcodec_find_decoder(codec);
}

}  // namespace imgmill
