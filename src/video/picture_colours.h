// A picture's samples as RGB, in the numbers that ffmpeg's own programs give with the flags named here.
#pragma once

extern "C" {
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "ffmpeg/error_log.h"
#include "image/video_module.h"

namespace imgmill {

/// Converts pictures of one stream; keeps what it has set up as long as their form stays the same.
///
/// With SWS_BICUBIC, SWS_ACCURATE_RND, SWS_FULL_CHR_H_INT and SWS_BITEXACT: the numbers of
/// `ffmpeg -sws_flags bicubic+accurate_rnd+full_chroma_int+bitexact`, which no processor changes. Without
/// full_chroma_int ffmpeg repeats colour samples in place of interpolating them.
///
/// As in ffmpeg 5.1: a stream that does not say its matrix is in BT.601's whatever its size; one that does
/// not say its range is limited, but for the pixel formats that are full by name; grey is always full.
class PictureColours {
 public:
  PictureColours() = default;
  ~PictureColours() { sws_freeContext(context_); }
  PictureColours(const PictureColours&) = delete;
  PictureColours& operator=(const PictureColours&) = delete;

  /// False: `why` tells.
  bool Convert(const AVFrame& picture, const VideoColours& colours, uint8_t* to, size_t stride,
               std::string& why);

 private:
  bool SetUp(const AVFrame& picture, const VideoColours& colours, std::string& why);

  struct Form {
    int width = 0, height = 0, format = 0, matrix = 0, range = 0, sited = 0;
    int bands = 0;
    bool deep = false;
    bool operator==(const Form&) const = default;
  };
  SwsContext* context_ = nullptr;
  Form form_;
};

}  // namespace imgmill
