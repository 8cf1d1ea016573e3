// Which of FFmpeg's decoders reads a stream.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace imgmill {

/// Whether each packet of the stream carries another beside it, of its alpha, as Matroska's AlphaMode says of
/// VP8 and VP9.
bool HasAlphaBeside(const AVStream& stream);

/// FFmpeg's own decoder; of such a stream libvpx's, which it can be built with: its own leave alpha out. Null
/// where there is none.
const AVCodec* DecoderOf(const AVStream& stream);

/// Whether DecoderOf gives that alpha.
bool DecodesAlphaBeside(const AVStream& stream);

}  // namespace imgmill
