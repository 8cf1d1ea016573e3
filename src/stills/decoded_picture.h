// A picture out of one of FFmpeg's decoders, and what every use of these needs.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
}

#include <cstdint>
#include <string>
#include <vector>

#include "ffmpeg/error_log.h"
#include "ffmpeg/owned.h"

namespace imgmill {

/// A decoder on one thread that refuses what it sees is broken, not open yet, and what it says of that. Null:
/// there is none.
Context MakeContext(AVCodecID codec, ErrorLog& log);

/// A packet of bytes that stay the caller's. Null: out of memory.
Packet MakePacket(const uint8_t* bytes, size_t size);

/// Grey, RGB or a palette, with or without alpha, of any depth, in the samples that the readers want.
class DecodedPicture {
 public:
  DecodedPicture(DecodedFrame frame, const AVPixFmtDescriptor* descriptor)
      : frame_(std::move(frame)), descriptor_(descriptor) {}

  /// Row `y` of 1 to 4 bands, the last of 2 and of 4 being alpha, `missing_alpha` where it has none. Of
  /// uint8_t or uint16_t.
  template <typename T>
  void Row(int64_t y, int bands, T missing_alpha, T* to) const;

 private:
  void ReadLine(int64_t y, int component) const;
  void PaletteRow(int64_t y, int bands, uint8_t* to) const;

  DecodedFrame frame_;
  const AVPixFmtDescriptor* descriptor_;
  mutable std::vector<uint16_t> samples_;  // of a line
};

}  // namespace imgmill
