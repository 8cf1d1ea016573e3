// JPEG XL animations: libvips 8.14 decodes every frame over the one before and gives the last. Here libjxl
// counts them, going through the file in pieces and decoding nothing, and decodes the first.
#include "stills/jxl_animation.h"

#include <jxl/decode.h>

#include <climits>
#include <cstring>
#include <memory>
#include <vector>

#include "image/still_module.h"

namespace imgmill {
namespace {

struct Destroy {
  void operator()(JxlDecoder* decoder) const { JxlDecoderDestroy(decoder); }
};

int Count(ReadBytesFn read, void* file) {
  const std::unique_ptr<JxlDecoder, Destroy> decoder(JxlDecoderCreate(nullptr));
  if (!decoder || JxlDecoderSubscribeEvents(decoder.get(), JXL_DEC_FRAME) != JXL_DEC_SUCCESS) return 0;
  std::vector<uint8_t> input(size_t{64} << 10);
  size_t filled = 0;
  int64_t at = 0;
  int frames = 0;
  while (frames < INT_MAX) {
    const JxlDecoderStatus status = JxlDecoderProcessInput(decoder.get());
    if (status == JXL_DEC_FRAME) {
      ++frames;
      continue;
    }
    if (status != JXL_DEC_NEED_MORE_INPUT) break;
    // What it has not taken comes first again.
    const size_t left = JxlDecoderReleaseInput(decoder.get());
    std::memmove(input.data(), input.data() + (filled - left), left);
    if (left == input.size()) break;  // it takes nothing any more
    const size_t got = read(file, at, input.data() + left, input.size() - left);
    if (got == 0) break;
    at += static_cast<int64_t>(got);
    filled = left + got;
    if (JxlDecoderSetInput(decoder.get(), input.data(), filled) != JXL_DEC_SUCCESS) break;
  }
  return frames;
}

class JxlImage final : public StillImage {
 public:
  JxlImage(std::vector<uint8_t> pixels, size_t width, int channels)
      : pixels_(std::move(pixels)), width_(width), channels_(channels) {}

  void Row(int64_t y, int bands, uint8_t missing_alpha, uint8_t* to) const override {
    const uint8_t* from = &pixels_[static_cast<size_t>(y) * width_ * static_cast<size_t>(channels_)];
    const bool alpha = channels_ == 2 || channels_ == 4;
    for (size_t x = 0; x < width_; ++x, from += channels_) {
      for (int band = 0; band < bands; ++band) {
        const bool is_alpha = band == bands - 1 && (bands == 2 || bands == 4);
        *to++ = !is_alpha ? from[channels_ > 2 ? band : 0] : alpha ? from[channels_ - 1] : missing_alpha;
      }
    }
  }

 private:
  std::vector<uint8_t> pixels_;
  size_t width_;
  int channels_;
};

bool IsSrgb(const JxlColorEncoding& colours) {
  return colours.transfer_function == JXL_TRANSFER_FUNCTION_SRGB &&
         colours.white_point == JXL_WHITE_POINT_D65 &&
         (colours.color_space == JXL_COLOR_SPACE_GRAY ||
          (colours.color_space == JXL_COLOR_SPACE_RGB && colours.primaries == JXL_PRIMARIES_SRGB));
}

}  // namespace

std::unique_ptr<StillImage> DecodeFirstJxlFrame(const uint8_t* bytes, size_t size, int64_t width,
                                                int64_t height, std::string& why) {
  const std::unique_ptr<JxlDecoder, Destroy> decoder(JxlDecoderCreate(nullptr));
  if (!decoder ||
      JxlDecoderSubscribeEvents(decoder.get(), JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING |
                                                   JXL_DEC_FULL_IMAGE) != JXL_DEC_SUCCESS ||
      JxlDecoderSetInput(decoder.get(), bytes, size) != JXL_DEC_SUCCESS) {
    return why = "out of memory", nullptr;
  }
  JxlDecoderCloseInput(decoder.get());
  JxlBasicInfo info = {};
  JxlPixelFormat format = {0, JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};
  std::vector<uint8_t> pixels;
  for (;;) {
    switch (JxlDecoderProcessInput(decoder.get())) {
      case JXL_DEC_BASIC_INFO:
        if (JxlDecoderGetBasicInfo(decoder.get(), &info) != JXL_DEC_SUCCESS)
          return why = "no header", nullptr;
        if (info.xsize != width || info.ysize != height) {
          return why = "it decodes to another size than its header says", nullptr;
        }
        format.num_channels = info.num_color_channels + (info.alpha_bits > 0 ? 1 : 0);
        break;
      case JXL_DEC_COLOR_ENCODING: {
        JxlColorEncoding colours = {};
        if (JxlDecoderGetColorAsEncodedProfile(decoder.get(), &format, JXL_COLOR_PROFILE_TARGET_DATA,
                                               &colours) != JXL_DEC_SUCCESS ||
            !IsSrgb(colours)) {
          return why = "an animation whose colours are not sRGB is not supported", nullptr;
        }
        break;
      }
      case JXL_DEC_NEED_IMAGE_OUT_BUFFER: {
        size_t wanted = 0;
        if (JxlDecoderImageOutBufferSize(decoder.get(), &format, &wanted) != JXL_DEC_SUCCESS)
          return why = "no image", nullptr;
        pixels.resize(wanted);
        if (JxlDecoderSetImageOutBuffer(decoder.get(), &format, pixels.data(), wanted) != JXL_DEC_SUCCESS)
          return why = "out of memory", nullptr;
        break;
      }
      case JXL_DEC_FULL_IMAGE:
        return std::make_unique<JxlImage>(std::move(pixels), info.xsize,
                                          static_cast<int>(format.num_channels));
      case JXL_DEC_NEED_MORE_INPUT:
        return why = "data ends before the first frame does", nullptr;
      default:
        return why = "its data is broken", nullptr;
    }
  }
}

}  // namespace imgmill

extern "C" __attribute__((visibility("default"))) int imgmill_count_jxl_frames(int interface,
                                                                               imgmill::ReadBytesFn read,
                                                                               void* file) {
  return interface == imgmill::kStillInterface ? imgmill::Count(read, file) : 0;
}

static_assert(std::is_same_v<decltype(&imgmill_count_jxl_frames), imgmill::CountJxlFramesFn>);
