// AVIF by libheif and libaom, lossless where asked for: libheif does that only if it is told to leave the
// colours as RGB.
#include <libheif/heif.h>

#include <cstring>
#include <memory>
#include <string>

#include "base/try.h"
#include "image/library_functions.h"
#include "image/vips_session.h"
#include "image/whole_encoder.h"

namespace imgmill {
namespace {

#define IMGMILL_HEIF_FUNCTIONS(X)                         \
  X(heif_context_alloc)                                   \
  X(heif_context_free)                                    \
  X(heif_context_get_encoder_descriptors)                 \
  X(heif_context_get_encoder)                             \
  X(heif_encoder_release)                                 \
  X(heif_encoder_set_lossy_quality)                       \
  X(heif_encoder_set_lossless)                            \
  X(heif_encoder_set_parameter_integer)                   \
  X(heif_encoder_set_parameter_boolean)                   \
  X(heif_encoder_set_parameter_string)                    \
  X(heif_image_create)                                    \
  X(heif_image_release)                                   \
  X(heif_image_add_plane)                                 \
  X(heif_image_get_plane)                                 \
  X(heif_image_set_raw_color_profile)                     \
  X(heif_image_set_nclx_color_profile)                    \
  X(heif_nclx_color_profile_alloc)                        \
  X(heif_nclx_color_profile_free)                         \
  X(heif_nclx_color_profile_set_color_primaries)          \
  X(heif_nclx_color_profile_set_transfer_characteristics) \
  X(heif_nclx_color_profile_set_matrix_coefficients)      \
  X(heif_encoding_options_alloc)                          \
  X(heif_encoding_options_free)                           \
  X(heif_context_encode_image)                            \
  X(heif_image_handle_release)                            \
  X(heif_context_add_exif_metadata)                       \
  X(heif_context_add_XMP_metadata)                        \
  X(heif_context_write)

struct Library {
#define IMGMILL_DECLARE(name) decltype(&::name) name = nullptr;
  IMGMILL_HEIF_FUNCTIONS(IMGMILL_DECLARE)
#undef IMGMILL_DECLARE
  /// libaom, by libheif's name for it; null if there is none.
  const heif_encoder_descriptor* aom = nullptr;

  Library() {
    LoadModuleFor(ImageFormat::kHeif);
    bool complete = true;
#define IMGMILL_FIND(name) complete = FindFunction(RTLD_DEFAULT, #name, name) && complete;
    IMGMILL_HEIF_FUNCTIONS(IMGMILL_FIND)
#undef IMGMILL_FIND
    if (!complete) return;
    heif_context* context = heif_context_alloc();
    if (heif_context_get_encoder_descriptors(context, heif_compression_AV1, "aom", &aom, 1) < 1)
      aom = nullptr;
    heif_context_free(context);
  }
};

const Library& Heif() {
  static const Library library;
  return library;
}

using ContextPointer = std::unique_ptr<heif_context, decltype(&::heif_context_free)>;
using EncoderPointer = std::unique_ptr<heif_encoder, decltype(&::heif_encoder_release)>;
using ImagePointer = std::unique_ptr<heif_image, decltype(&::heif_image_release)>;
using HandlePointer = std::unique_ptr<heif_image_handle, decltype(&::heif_image_handle_release)>;
using ProfilePointer = std::unique_ptr<heif_color_profile_nclx, decltype(&::heif_nclx_color_profile_free)>;
using OptionsPointer = std::unique_ptr<heif_encoding_options, decltype(&::heif_encoding_options_free)>;

Status Checked(const heif_error& answer) {
  if (answer.code == heif_error_Ok) return {};
  const bool memory = answer.code == heif_error_Memory_allocation_error;
  return Error{Stage::kEncode, memory ? Code::kOutOfMemory : Code::kUnsupported,
               std::string("libheif: ") + (answer.message != nullptr ? answer.message : "cannot encode it")};
}

/// 12 bits, the most that AV1 has, of 16.
uint16_t TwelveBits(uint16_t value) {
  return static_cast<uint16_t>((uint32_t{value} * 4095 + 32767) / 65535);
}

/// Samples `first`, `first + step`, ... of a row.
void CopySamples(const uint8_t* row, const Layout& layout, int first, int step, int64_t count, uint8_t* to) {
  if (layout.sample == Sample::kU8) {
    if (step == 1) {
      std::memcpy(to, row, static_cast<size_t>(count));
      return;
    }
    for (int64_t i = 0; i < count; ++i) to[i] = row[first + i * step];
    return;
  }
  const auto* wide = reinterpret_cast<const uint16_t*>(row);
  auto* narrow = reinterpret_cast<uint16_t*>(to);
  for (int64_t i = 0; i < count; ++i) narrow[i] = TwelveBits(wide[first + i * step]);
}

Status FillPlane(heif_image* image, heif_channel channel, const ImageView& picture, int first, int step,
                 int64_t count) {
  const Layout& layout = picture.layout;
  TRY(Checked(Heif().heif_image_add_plane(image, channel, static_cast<int>(layout.width),
                                          static_cast<int>(layout.height),
                                          layout.sample == Sample::kU8 ? 8 : 12)));
  int stride = 0;
  uint8_t* plane = Heif().heif_image_get_plane(image, channel, &stride);
  for (int64_t y = 0; y < layout.height; ++y)
    CopySamples(picture.row(y), layout, first, step, count, plane + y * stride);
  return {};
}

heif_chroma ColoursOf(const Layout& layout) {
  if (layout.sample == Sample::kU8)
    return layout.has_alpha() ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
  return layout.has_alpha() ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RRGGBB_LE;
}

Result<ImagePointer> MakeImage(const ImageView& picture) {
  const Layout& layout = picture.layout;
  const bool grey = layout.colour_bands() == 1;
  heif_image* made = nullptr;
  TRY(Checked(Heif().heif_image_create(static_cast<int>(layout.width), static_cast<int>(layout.height),
                                       grey ? heif_colorspace_monochrome : heif_colorspace_RGB,
                                       grey ? heif_chroma_monochrome : ColoursOf(layout), &made)));
  ImagePointer image(made, Heif().heif_image_release);
  if (!grey) {
    TRY(FillPlane(made, heif_channel_interleaved, picture, 0, 1, layout.width * layout.bands));
    return image;
  }
  TRY(FillPlane(made, heif_channel_Y, picture, 0, layout.bands, layout.width));
  if (layout.has_alpha()) TRY(FillPlane(made, heif_channel_Alpha, picture, 1, layout.bands, layout.width));
  return image;
}

/// How numbers become colours: sRGB in full range, or as a profile says.
/// @param as_rgb  by the matrix that leaves them as they are
Result<ProfilePointer> MakeColours(bool as_rgb, bool has_profile) {
  const Library& heif = Heif();
  ProfilePointer colours(heif.heif_nclx_color_profile_alloc(), heif.heif_nclx_color_profile_free);
  if (!colours) return Error{Stage::kEncode, Code::kOutOfMemory, "libheif is out of memory"};
  TRY(Checked(heif.heif_nclx_color_profile_set_color_primaries(
      colours.get(), has_profile ? heif_color_primaries_unspecified : heif_color_primaries_ITU_R_BT_709_5)));
  TRY(Checked(heif.heif_nclx_color_profile_set_transfer_characteristics(
      colours.get(),
      has_profile ? heif_transfer_characteristic_unspecified : heif_transfer_characteristic_IEC_61966_2_1)));
  TRY(Checked(heif.heif_nclx_color_profile_set_matrix_coefficients(
      colours.get(), as_rgb ? heif_matrix_coefficients_RGB_GBR : heif_matrix_coefficients_ITU_R_BT_601_6)));
  colours->full_range_flag = 1;
  return colours;
}

Status SetUp(heif_encoder* encoder, const WriteOptions& options) {
  const Library& heif = Heif();
  const bool lossless = IsLossless(options);
  TRY(Checked(lossless ? heif.heif_encoder_set_lossless(encoder, 1)
                       : heif.heif_encoder_set_lossy_quality(encoder, options.quality)));
  TRY(Checked(heif.heif_encoder_set_parameter_integer(encoder, "threads", 1)));
  TRY(Checked(heif.heif_encoder_set_parameter_integer(encoder, "speed", 9 - EffortOf(options))));
  TRY(Checked(heif.heif_encoder_set_parameter_string(encoder, "chroma",
                                                     lossless || HasFullChroma(options) ? "444" : "420")));
  // Edges of masks are sharp, and cost little.
  return Checked(heif.heif_encoder_set_parameter_boolean(encoder, "lossless-alpha", 1));
}

heif_error HandOn(heif_context*, const void* data, size_t bytes, void* sink) {
  (void)static_cast<ByteSink*>(sink)->Take({static_cast<const uint8_t*>(data), bytes});  // it knows why
  return {heif_error_Ok, heif_suberror_Unspecified, "success"};
}

}  // namespace

Status CanEncodeAvif() {
  if (Heif().aom != nullptr) return {};
  return Error{Stage::kEncode, Code::kUnsupported,
               "no AVIF encoder here: libvips has no module vips-heif.so, or its libheif was built without "
               "libaom (write PNG or WebP, or install a libheif with libaom)"};
}

Status EncodeAvif(const ImageView& picture, const WriteOptions& options, const CarriedMetadata& metadata,
                  ByteSink& sink) {
  const Library& heif = Heif();
  const bool has_profile = !metadata.profile.empty();
  const ContextPointer context(heif.heif_context_alloc(), heif.heif_context_free);
  heif_encoder* made = nullptr;
  TRY(Checked(heif.heif_context_get_encoder(context.get(), heif.aom, &made)));
  const EncoderPointer encoder(made, heif.heif_encoder_release);
  TRY(SetUp(made, options));
  ImagePointer image = TRY(MakeImage(picture));
  // Grey has no colours to leave alone, and readers refuse that matrix with it.
  const bool as_rgb = IsLossless(options) && picture.layout.colour_bands() == 3;
  const ProfilePointer colours = TRY(MakeColours(as_rgb, has_profile));
  TRY(Checked(heif.heif_image_set_nclx_color_profile(image.get(), colours.get())));
  if (has_profile) {
    TRY(Checked(heif.heif_image_set_raw_color_profile(image.get(), "prof", metadata.profile.data(),
                                                      metadata.profile.size())));
  }
  const OptionsPointer how(heif.heif_encoding_options_alloc(), heif.heif_encoding_options_free);
  how->macOS_compatibility_workaround = 0;
  how->macOS_compatibility_workaround_no_nclx_profile = 0;
  how->save_two_colr_boxes_when_ICC_and_nclx_available = 1;  // the matrix stands in one of them only
  how->output_nclx_profile = colours.get();
  heif_image_handle* encoded = nullptr;
  TRY(Checked(heif.heif_context_encode_image(context.get(), image.get(), made, how.get(), &encoded)));
  const HandlePointer handle(encoded, heif.heif_image_handle_release);
  image.reset();
  if (!metadata.exif.empty()) {
    TRY(Checked(heif.heif_context_add_exif_metadata(context.get(), encoded, metadata.exif.data(),
                                                    static_cast<int>(metadata.exif.size()))));
  }
  if (!metadata.xmp.empty()) {
    TRY(Checked(heif.heif_context_add_XMP_metadata(context.get(), encoded, metadata.xmp.data(),
                                                   static_cast<int>(metadata.xmp.size()))));
  }
  heif_writer writer = {1, &HandOn};
  return Checked(heif.heif_context_write(context.get(), &writer, &sink));
}

}  // namespace imgmill
