// FFmpeg's pixel formats, read line by line through their descriptors.
#include "stills/decoded_picture.h"

#include <limits>
#include <type_traits>

namespace imgmill {

Context MakeContext(AVCodecID codec, ErrorLog& log) {
  const AVCodec* decoder = avcodec_find_decoder(codec);
  Context context(decoder != nullptr ? avcodec_alloc_context3(decoder) : nullptr);
  if (!context) return context;
  KeepErrors(*context, log);
  context->thread_count = 1;
  context->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
  return context;
}

Packet MakePacket(const uint8_t* bytes, size_t size) {
  Packet packet(av_packet_alloc());
  if (!packet) return packet;
  // With an owner, though one that frees nothing: otherwise FFmpeg would copy all of it.
  packet->buf = av_buffer_create(
      const_cast<uint8_t*>(bytes), size, [](void*, uint8_t*) {}, nullptr, AV_BUFFER_FLAG_READONLY);
  if (packet->buf == nullptr) return nullptr;
  packet->data = const_cast<uint8_t*>(bytes);
  packet->size = static_cast<int>(size);
  packet->flags = AV_PKT_FLAG_KEY;
  return packet;
}

template <typename T>
void DecodedPicture::Row(int64_t y, int bands, T missing_alpha, T* to) const {
  constexpr unsigned kFull = std::numeric_limits<T>::max();
  samples_.resize(static_cast<size_t>(frame_->width));
  if constexpr (std::is_same_v<T, uint8_t>) {
    if ((descriptor_->flags & AV_PIX_FMT_FLAG_PAL) != 0) return PaletteRow(y, bands, to);
  }
  const bool colour = (descriptor_->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  const bool alpha = (descriptor_->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
  for (int band = 0; band < bands; ++band) {
    T* out = to + band;
    const bool is_alpha = band == bands - 1 && bands % 2 == 0;
    if (is_alpha && !alpha) {
      for (size_t x = 0; x < samples_.size(); ++x, out += bands) *out = missing_alpha;
      continue;
    }
    const int component = is_alpha ? descriptor_->nb_components - 1 : colour ? band : 0;
    const unsigned white = (1U << descriptor_->comp[component].depth) - 1;
    ReadLine(y, component);
    if (frame_->format == AV_PIX_FMT_MONOWHITE) {  // whose set bits are black
      for (uint16_t& sample : samples_) sample ^= 1;
    }
    for (const uint16_t sample : samples_) {
      *out = static_cast<T>((uint64_t{sample} * 2 * kFull + white) / (2 * white));
      out += bands;
    }
  }
}

template void DecodedPicture::Row(int64_t, int, uint8_t, uint8_t*) const;
template void DecodedPicture::Row(int64_t, int, uint16_t, uint16_t*) const;

void DecodedPicture::ReadLine(int64_t y, int component) const {
  av_read_image_line2(samples_.data(), const_cast<const uint8_t**>(frame_->data), frame_->linesize,
                      descriptor_, 0, static_cast<int>(y), component, frame_->width, 0, sizeof samples_[0]);
}

// A palette is a table of native words of ARGB.
void DecodedPicture::PaletteRow(int64_t y, int bands, uint8_t* to) const {
  constexpr int kShift[] = {16, 8, 0, 24};
  ReadLine(y, 0);
  const auto* colours = reinterpret_cast<const uint32_t*>(frame_->data[1]);
  for (const uint16_t index : samples_) {
    for (int band = 0; band < bands; ++band)
      *to++ = static_cast<uint8_t>(colours[index & 255] >> kShift[band]);
  }
}

}  // namespace imgmill
