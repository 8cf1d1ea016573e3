// What FFmpeg's decoders hold, from the codec and the size of its pictures.
#pragma once

#include <cstdint>

#include "ffmpeg/error_log.h"
#include "image/video_module.h"

namespace imgmill {

/// Bytes on one thread: pictures that are referred to or wait for their turn, tables, packets and demuxer.
/// @param level   as H.264 and HEVC number them; below 1: not known
/// @param format  an AVPixelFormat; AV_PIX_FMT_NONE: not known
int64_t DecoderBytes(AVCodecID codec, const VideoFacts& facts, int level, int format);
/// Bytes of each further thread: a picture that it is at, its tables, and a packet of its own.
int64_t ThreadBytes(AVCodecID codec, const VideoFacts& facts, int format);

}  // namespace imgmill
