// JPEG XL by libjxl, with the profile, EXIF and XMP in their places.
#include <jxl/decode.h>
#include <jxl/encode.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>

#include "base/try.h"
#include "library_functions.h"
#include "vips_session.h"
#include "whole_encoder.h"

namespace imgmill {
namespace {

#define IMGMILL_JXL_FUNCTIONS(X)      \
  X(JxlEncoderCreate)                 \
  X(JxlEncoderDestroy)                \
  X(JxlEncoderGetError)               \
  X(JxlEncoderInitBasicInfo)          \
  X(JxlEncoderSetBasicInfo)           \
  X(JxlColorEncodingSetToSRGB)        \
  X(JxlEncoderSetColorEncoding)       \
  X(JxlEncoderSetICCProfile)          \
  X(JxlEncoderFrameSettingsCreate)    \
  X(JxlEncoderFrameSettingsSetOption) \
  X(JxlEncoderSetFrameLossless)       \
  X(JxlEncoderSetFrameDistance)       \
  X(JxlEncoderUseBoxes)               \
  X(JxlEncoderAddBox)                 \
  X(JxlEncoderAddImageFrame)          \
  X(JxlEncoderCloseInput)             \
  X(JxlEncoderProcessOutput)          \
  X(JxlDecoderCreate)                 \
  X(JxlDecoderDestroy)                \
  X(JxlDecoderSubscribeEvents)        \
  X(JxlDecoderSetInput)               \
  X(JxlDecoderProcessInput)

struct Library {
#define IMGMILL_DECLARE(name) decltype(&::name) name = nullptr;
  IMGMILL_JXL_FUNCTIONS(IMGMILL_DECLARE)
#undef IMGMILL_DECLARE
  bool complete = false;

  // Where libvips' module is loaded, its libjxl can be seen by all.
  Library() {
    LoadModuleFor(ImageFormat::kJxl);
    complete = true;
#define IMGMILL_FIND(name) complete = FindFunction(RTLD_DEFAULT, #name, name) && complete;
    IMGMILL_JXL_FUNCTIONS(IMGMILL_FIND)
#undef IMGMILL_FIND
  }
};

const Library& Jxl() {
  static const Library library;
  return library;
}

using EncoderPointer = std::unique_ptr<JxlEncoder, decltype(&::JxlEncoderDestroy)>;

/// The distance that cjxl 0.7 takes for a quality.
float DistanceOf(int quality) {
  const auto q = static_cast<float>(quality);
  if (quality >= 100) return 0;
  if (quality >= 30) return 0.1F + (100 - q) * 0.09F;
  return 53.0F / 3000 * q * q - 23.0F / 20 * q + 25;
}

Error Failure(JxlEncoder* encoder, const char* what) {
  const JxlEncoderError cause = Jxl().JxlEncoderGetError(encoder);
  if (cause == JXL_ENC_ERR_OOM) return {Stage::kEncode, Code::kOutOfMemory, "libjxl is out of memory"};
  return {Stage::kEncode, Code::kUnsupported, std::string("libjxl refuses ") + what};
}

Status Describe(JxlEncoder* encoder, const Layout& layout, bool lossless, const CarriedMetadata& metadata) {
  const Library& jxl = Jxl();
  JxlBasicInfo info;
  jxl.JxlEncoderInitBasicInfo(&info);
  info.xsize = static_cast<uint32_t>(layout.width);
  info.ysize = static_cast<uint32_t>(layout.height);
  info.bits_per_sample = static_cast<uint32_t>(8 * BytesPerSample(layout.sample));
  info.num_color_channels = static_cast<uint32_t>(layout.colour_bands());
  info.num_extra_channels = layout.has_alpha() ? 1 : 0;
  info.alpha_bits = layout.has_alpha() ? info.bits_per_sample : 0;
  info.uses_original_profile = lossless ? JXL_TRUE : JXL_FALSE;
  if (jxl.JxlEncoderSetBasicInfo(encoder, &info) != JXL_ENC_SUCCESS)
    return Failure(encoder, "an image of this kind");
  if (!metadata.profile.empty()) {
    if (jxl.JxlEncoderSetICCProfile(encoder, metadata.profile.data(), metadata.profile.size()) !=
        JXL_ENC_SUCCESS)
      return Failure(encoder,
                     "the source's colour profile (write PNG, TIFF or WebP, which take it as it is)");
    return {};
  }
  JxlColorEncoding colours;
  jxl.JxlColorEncodingSetToSRGB(&colours, layout.colour_bands() == 1 ? JXL_TRUE : JXL_FALSE);
  if (jxl.JxlEncoderSetColorEncoding(encoder, &colours) != JXL_ENC_SUCCESS) return Failure(encoder, "sRGB");
  return {};
}

Status AddBoxes(JxlEncoder* encoder, const CarriedMetadata& metadata) {
  const Library& jxl = Jxl();
  if (metadata.exif.empty() && metadata.xmp.empty()) return {};
  if (jxl.JxlEncoderUseBoxes(encoder) != JXL_ENC_SUCCESS) return Failure(encoder, "metadata");
  const auto add = [&](const char* type, const std::vector<uint8_t>& bytes) {
    return bytes.empty() ||
           jxl.JxlEncoderAddBox(encoder, type, bytes.data(), bytes.size(), JXL_FALSE) == JXL_ENC_SUCCESS;
  };
  // ISO 18181-2: before the TIFF structure stands where it begins, here at once.
  std::vector<uint8_t> exif;
  if (!metadata.exif.empty()) {
    exif.assign(4, 0);
    exif.insert(exif.end(), metadata.exif.begin(), metadata.exif.end());
  }
  if (!add("Exif", exif) || !add("xml ", metadata.xmp)) return Failure(encoder, "metadata");
  return {};
}

Status AddPicture(JxlEncoder* encoder, const ImageView& picture, const WriteOptions& options) {
  const Library& jxl = Jxl();
  JxlEncoderFrameSettings* settings = jxl.JxlEncoderFrameSettingsCreate(encoder, nullptr);
  if (settings == nullptr || jxl.JxlEncoderFrameSettingsSetOption(settings, JXL_ENC_FRAME_SETTING_EFFORT,
                                                                  EffortOf(options)) != JXL_ENC_SUCCESS)
    return Failure(encoder, "this effort");
  const bool set = IsLossless(options) ? jxl.JxlEncoderSetFrameLossless(settings, JXL_TRUE) == JXL_ENC_SUCCESS
                                       : jxl.JxlEncoderSetFrameDistance(
                                             settings, DistanceOf(options.quality)) == JXL_ENC_SUCCESS;
  if (!set) return Failure(encoder, "this quality");
  const Layout& layout = picture.layout;
  const JxlPixelFormat format = {static_cast<uint32_t>(layout.bands),
                                 layout.sample == Sample::kU8 ? JXL_TYPE_UINT8 : JXL_TYPE_UINT16,
                                 JXL_NATIVE_ENDIAN, 0};
  if (jxl.JxlEncoderAddImageFrame(settings, &format, picture.data,
                                  picture.stride * static_cast<size_t>(layout.height)) != JXL_ENC_SUCCESS)
    return Failure(encoder, "the pixels");
  jxl.JxlEncoderCloseInput(encoder);
  return {};
}

/// What the file begins with, as far as it is needed to read its profile.
class Beginning {
 public:
  explicit Beginning(const CarriedMetadata& metadata) {
    constexpr size_t kHeaders = size_t{1} << 16;
    if (!metadata.profile.empty())
      most_ = metadata.profile.size() + metadata.exif.size() + metadata.xmp.size() + kHeaders;
  }

  void Take(std::span<const uint8_t> bytes) {
    const size_t taken = std::min(bytes.size(), most_ - bytes_.size());
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken));
  }

  /// libjxl 0.7 packs large profiles that repeat themselves so tightly that no decoder unpacks them.
  Status CheckProfile() const {
    if (most_ == 0) return {};
    const Library& jxl = Jxl();
    const std::unique_ptr<JxlDecoder, decltype(&::JxlDecoderDestroy)> decoder(jxl.JxlDecoderCreate(nullptr),
                                                                              jxl.JxlDecoderDestroy);
    if (!decoder) return Error{Stage::kEncode, Code::kOutOfMemory, "libjxl is out of memory"};
    if (jxl.JxlDecoderSubscribeEvents(decoder.get(), JXL_DEC_COLOR_ENCODING) == JXL_DEC_SUCCESS &&
        jxl.JxlDecoderSetInput(decoder.get(), bytes_.data(), bytes_.size()) == JXL_DEC_SUCCESS &&
        jxl.JxlDecoderProcessInput(decoder.get()) == JXL_DEC_COLOR_ENCODING)
      return {};
    return Error{
        Stage::kEncode, Code::kUnsupported,
        "libjxl cannot read back the source's colour profile (write PNG, TIFF or WebP, which take it as "
        "it is)"};
  }

 private:
  size_t most_ = 0;
  std::vector<uint8_t> bytes_;
};

}  // namespace

Status CanEncodeJxl() {
  if (Jxl().complete) return {};
  return Error{Stage::kEncode, Code::kUnsupported,
               "no JPEG XL encoder here: libvips has no module vips-jxl.so, or its libjxl is older than 0.7 "
               "(write PNG or WebP, or install a libvips built with libjxl)"};
}

Status EncodeJxl(const ImageView& picture, const WriteOptions& options, const CarriedMetadata& metadata,
                 ByteSink& sink) {
  const Library& jxl = Jxl();
  // Without a runner it works on this thread.
  const EncoderPointer encoder(jxl.JxlEncoderCreate(nullptr), jxl.JxlEncoderDestroy);
  if (!encoder) return Error{Stage::kEncode, Code::kOutOfMemory, "libjxl is out of memory"};
  // Whatever is in the boxes: they must be announced before the pixels.
  TRY(Describe(encoder.get(), picture.layout, IsLossless(options), metadata));
  TRY(AddBoxes(encoder.get(), metadata));
  TRY(AddPicture(encoder.get(), picture, options));
  Beginning beginning(metadata);
  std::vector<uint8_t> piece(size_t{1} << 16);
  for (JxlEncoderStatus status = JXL_ENC_NEED_MORE_OUTPUT; status == JXL_ENC_NEED_MORE_OUTPUT;) {
    uint8_t* next = piece.data();
    size_t room = piece.size();
    status = jxl.JxlEncoderProcessOutput(encoder.get(), &next, &room);
    if (status == JXL_ENC_ERROR) return Failure(encoder.get(), "to encode it");
    const std::span<const uint8_t> made(piece.data(), piece.size() - room);
    beginning.Take(made);
    if (!sink.Take(made)) return {};  // the sink knows why
  }
  return beginning.CheckProfile();
}

}  // namespace imgmill
