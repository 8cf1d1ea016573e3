// JPEG XL animations: libvips 8.14 decodes every frame over the one before and gives the last. Here libjxl
// counts them, going through the file in pieces and decoding nothing, and decodes one after the other.
#include "stills/jxl_animation.h"

#include <jxl/decode.h>

#include <climits>
#include <cstring>
#include <memory>
#include <vector>

#include "image/still/still_module.h"

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

bool IsSrgb(const JxlColorEncoding& colours) {
  return colours.transfer_function == JXL_TRANSFER_FUNCTION_SRGB &&
         colours.white_point == JXL_WHITE_POINT_D65 &&
         (colours.color_space == JXL_COLOR_SPACE_GRAY ||
          (colours.color_space == JXL_COLOR_SPACE_RGB && colours.primaries == JXL_PRIMARIES_SRGB));
}

/// Frames of 8 bits in sRGB, each drawn onto those before it by libjxl.
class JxlFrames final : public StillFrames {
 public:
  JxlFrames(int64_t width, int64_t height) : width_(width), height_(height) {}

  bool Open(const uint8_t* bytes, size_t size) {
    decoder_.reset(JxlDecoderCreate(nullptr));
    if (!decoder_ ||
        JxlDecoderSubscribeEvents(decoder_.get(), JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING |
                                                      JXL_DEC_FRAME | JXL_DEC_FULL_IMAGE) !=
            JXL_DEC_SUCCESS ||
        JxlDecoderSetInput(decoder_.get(), bytes, size) != JXL_DEC_SUCCESS) {
      return false;
    }
    JxlDecoderCloseInput(decoder_.get());
    return true;
  }

  std::optional<double> Next(std::string* why) override {
    std::optional<double> seconds = Decode(*why);
    return why->empty() ? seconds : std::nullopt;
  }

  void Row(int64_t y, int bands, size_t /*sample_bytes*/, uint8_t* to) const override {
    constexpr uint8_t kOpaque = 255;
    Row(y, bands, kOpaque, to);
  }
  void Row(int64_t y, int bands, uint8_t missing_alpha, uint8_t* to) const {
    const size_t channels = format_.num_channels;
    const uint8_t* from = &pixels_[static_cast<size_t>(y) * info_.xsize * channels];
    const bool alpha = channels == 2 || channels == 4;
    for (size_t x = 0; x < info_.xsize; ++x, from += channels) {
      for (int band = 0; band < bands; ++band) {
        const bool is_alpha = band == bands - 1 && (bands == 2 || bands == 4);
        *to++ = !is_alpha ? from[channels > 2 ? band : 0] : alpha ? from[channels - 1] : missing_alpha;
      }
    }
  }

  /// Only the pixels are still needed.
  void Close() { decoder_.reset(); }

 private:
  std::optional<double> Decode(std::string& why) {
    double seconds = 0;
    for (;;) {
      switch (JxlDecoderProcessInput(decoder_.get())) {
        case JXL_DEC_BASIC_INFO:
          if (JxlDecoderGetBasicInfo(decoder_.get(), &info_) != JXL_DEC_SUCCESS)
            return why = "no header", std::nullopt;
          if (info_.xsize != width_ || info_.ysize != height_) {
            return why = "it decodes to another size than its header says", std::nullopt;
          }
          format_.num_channels = info_.num_color_channels + (info_.alpha_bits > 0 ? 1 : 0);
          break;
        case JXL_DEC_COLOR_ENCODING: {
          JxlColorEncoding colours = {};
          if (JxlDecoderGetColorAsEncodedProfile(decoder_.get(), &format_, JXL_COLOR_PROFILE_TARGET_DATA,
                                                 &colours) != JXL_DEC_SUCCESS ||
              !IsSrgb(colours)) {
            return why = "an animation whose colours are not sRGB is not supported", std::nullopt;
          }
          break;
        }
        case JXL_DEC_FRAME: {
          JxlFrameHeader frame = {};
          const JxlAnimationHeader& times = info_.animation;
          if (JxlDecoderGetFrameHeader(decoder_.get(), &frame) == JXL_DEC_SUCCESS && times.tps_numerator > 0)
            seconds = static_cast<double>(frame.duration) * times.tps_denominator / times.tps_numerator;
          break;
        }
        case JXL_DEC_NEED_IMAGE_OUT_BUFFER: {
          size_t wanted = 0;
          if (JxlDecoderImageOutBufferSize(decoder_.get(), &format_, &wanted) != JXL_DEC_SUCCESS)
            return why = "no image", std::nullopt;
          pixels_.resize(wanted);
          if (JxlDecoderSetImageOutBuffer(decoder_.get(), &format_, pixels_.data(), wanted) !=
              JXL_DEC_SUCCESS)
            return why = "out of memory", std::nullopt;
          break;
        }
        case JXL_DEC_FULL_IMAGE:
          begun_ = true;
          return seconds;
        case JXL_DEC_SUCCESS:
          return std::nullopt;
        case JXL_DEC_NEED_MORE_INPUT:
          return why = begun_ ? "data ends before the frame does" : "data ends before the first frame does",
                 std::nullopt;
        default:
          return why = "its data is broken", std::nullopt;
      }
    }
  }

  const int64_t width_;
  const int64_t height_;
  std::unique_ptr<JxlDecoder, Destroy> decoder_;
  JxlBasicInfo info_ = {};
  JxlPixelFormat format_ = {0, JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};
  std::vector<uint8_t> pixels_;
  bool begun_ = false;  ///< a frame was decoded
};

std::unique_ptr<JxlFrames> Open(const uint8_t* bytes, size_t size, int64_t width, int64_t height,
                                std::string& why) {
  auto frames = std::make_unique<JxlFrames>(width, height);
  if (!frames->Open(bytes, size)) return why = "out of memory", nullptr;
  return frames;
}

class JxlImage final : public StillImage {
 public:
  explicit JxlImage(std::unique_ptr<JxlFrames> frames) : frames_(std::move(frames)) {}
  void Row(int64_t y, int bands, size_t /*sample_bytes*/, uint8_t missing_alpha, uint8_t* to) const override {
    frames_->Row(y, bands, missing_alpha, to);
  }

 private:
  std::unique_ptr<JxlFrames> frames_;
};

}  // namespace

std::unique_ptr<StillImage> DecodeFirstJxlFrame(const uint8_t* bytes, size_t size, int64_t width,
                                                int64_t height, std::string& why) {
  std::unique_ptr<JxlFrames> frames = Open(bytes, size, width, height, why);
  if (!frames) return nullptr;
  const std::optional<double> first = frames->Next(&why);
  if (!first) return why = why.empty() ? "data ends before the first frame does" : why, nullptr;
  frames->Close();
  return std::make_unique<JxlImage>(std::move(frames));
}

std::unique_ptr<StillFrames> OpenJxlFrames(const uint8_t* bytes, size_t size, int64_t width, int64_t height,
                                           std::string& why) {
  return Open(bytes, size, width, height, why);
}

}  // namespace imgmill

extern "C" __attribute__((visibility("default"))) int imgmill_count_jxl_frames(int interface,
                                                                               imgmill::ReadBytesFn read,
                                                                               void* file) {
  return interface == imgmill::kStillInterface ? imgmill::Count(read, file) : 0;
}

static_assert(std::is_same_v<decltype(&imgmill_count_jxl_frames), imgmill::CountJxlFramesFn>);
