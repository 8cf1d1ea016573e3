// libheif's own plug-in for libde265 takes whatever comes out of a damaged stream: of 1000 copies of a small
// HEIC file with one to three bytes changed it decoded 600 without an error, some of them other each time, as
// blocks that no data had reached were left as malloc gave them. This one has libde265 hold back faulty
// pictures, and heeds its warnings: 96 of the same 1000.
#include "hevc_decoder.h"

#include <dlfcn.h>
#include <libde265/de265.h>
#include <libheif/heif.h>
#include <libheif/heif_plugin.h>
#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

#include "image/library_functions.h"
#include "image/stored_number.h"

namespace imgmill {
namespace {

/// Above libheif's default of 100, so that ours is chosen.
constexpr int kPriority = 200;

#define IMGMILL_DE265_FUNCTIONS(X)            \
  X(de265_new_decoder)                        \
  X(de265_free_decoder)                       \
  X(de265_set_parameter_bool)                 \
  X(de265_push_NAL)                           \
  X(de265_flush_data)                         \
  X(de265_decode)                             \
  X(de265_get_warning)                        \
  X(de265_get_error_text)                     \
  X(de265_get_next_picture)                   \
  X(de265_release_next_picture)               \
  X(de265_get_image_width)                    \
  X(de265_get_image_height)                   \
  X(de265_get_chroma_format)                  \
  X(de265_get_bits_per_pixel)                 \
  X(de265_get_image_plane)                    \
  X(de265_get_image_full_range_flag)          \
  X(de265_get_image_colour_primaries)         \
  X(de265_get_image_transfer_characteristics) \
  X(de265_get_image_matrix_coefficients)

#define IMGMILL_HEIF_FUNCTIONS(X)                         \
  X(heif_register_decoder_plugin)                         \
  X(heif_image_create)                                    \
  X(heif_image_release)                                   \
  X(heif_image_add_plane)                                 \
  X(heif_image_get_plane)                                 \
  X(heif_image_set_nclx_color_profile)                    \
  X(heif_nclx_color_profile_alloc)                        \
  X(heif_nclx_color_profile_free)                         \
  X(heif_nclx_color_profile_set_color_primaries)          \
  X(heif_nclx_color_profile_set_transfer_characteristics) \
  X(heif_nclx_color_profile_set_matrix_coefficients)

/// The functions of both libraries. They are in memory once libvips' HEIF module is, which links to them;
/// imgmill itself does not, as it starts without.
struct Libraries {
#define IMGMILL_DECLARE(name) decltype(&::name) name = nullptr;
  IMGMILL_DE265_FUNCTIONS(IMGMILL_DECLARE)
  IMGMILL_HEIF_FUNCTIONS(IMGMILL_DECLARE)
#undef IMGMILL_DECLARE

  /// False if a library or a function is not there.
  bool Find() {
    void* de265 = dlopen("libde265.so.0", RTLD_LAZY | RTLD_LOCAL);
    void* heif = dlopen("libheif.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (de265 == nullptr || heif == nullptr) return false;
    bool all = true;
#define IMGMILL_FIND(name) all = FindFunction(de265, #name, name) && all;
    IMGMILL_DE265_FUNCTIONS(IMGMILL_FIND)
#undef IMGMILL_FIND
#define IMGMILL_FIND(name) all = FindFunction(heif, #name, name) && all;
    IMGMILL_HEIF_FUNCTIONS(IMGMILL_FIND)
#undef IMGMILL_FIND
    return all;
  }
};

Libraries lib;

/// While one lives, malloc fills what it hands out with one value: what libde265 leaves undecoded without
/// telling is then the same in every run. For the whole process, since glibc knows no narrower way; it costs
/// others a memset for as long as a HEIC is decoded.
class FilledMalloc {
 public:
  FilledMalloc() {
    const std::lock_guard lock(Mutex());
    if (Users()++ == 0) mallopt(M_PERTURB, kFill);
  }
  ~FilledMalloc() {
    const std::lock_guard lock(Mutex());
    if (--Users() == 0) mallopt(M_PERTURB, 0);
  }
  FilledMalloc(const FilledMalloc&) = delete;
  FilledMalloc& operator=(const FilledMalloc&) = delete;

 private:
  static constexpr int kFill =
      0x7F;  // new blocks are filled with its complement: 128, the middle of a plane's range
  static std::mutex& Mutex() {
    static std::mutex mutex;
    return mutex;
  }
  static int& Users() {
    static int users = 0;
    return users;
  }
};

constexpr heif_error kOk = {heif_error_Ok, heif_suberror_Unspecified, "success"};

heif_error Fault(const char* text) {
  return {heif_error_Decoder_plugin_error, heif_suberror_Unspecified, text};
}

using ImagePointer = std::unique_ptr<heif_image, decltype(&::heif_image_release)>;
using ProfilePointer = std::unique_ptr<heif_color_profile_nclx, decltype(&::heif_nclx_color_profile_free)>;

const char* Name() {
  return "libde265, strict";
}

int Supports(heif_compression_format format) {
  return format == heif_compression_HEVC ? kPriority : 0;
}

heif_error NewDecoder(void** decoder) {
  de265_decoder_context* context = lib.de265_new_decoder();
  if (context == nullptr) return {heif_error_Memory_allocation_error, heif_suberror_Unspecified, "no memory"};
  lib.de265_set_parameter_bool(context, DE265_DECODER_PARAM_SUPPRESS_FAULTY_PICTURES, 1);
  lib.de265_set_parameter_bool(context, DE265_DECODER_PARAM_BOOL_SEI_CHECK_HASH, 1);
  *decoder = context;
  return kOk;
}

void FreeDecoder(void* decoder) {
  lib.de265_free_decoder(decoder);
}

void SetStrict(void*, int) {}  // it is strict always

/// NAL units, each behind its length in four bytes.
heif_error PushData(void* decoder, const void* data, size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(data);
  const uint8_t* end = at + bytes;
  while (end - at >= 4) {
    const auto length = static_cast<uint32_t>(BigEndian(at, 4));
    at += 4;
    if (length > static_cast<size_t>(end - at)) return Fault("HEVC data ends early");
    // No NAL unit ends in a zero (ISO 23008-2, 7.4.2): such an end was never written.
    if (length > 0 && at[length - 1] == 0) return Fault("HEVC data ends in zeros");
    if (lib.de265_push_NAL(decoder, at, static_cast<int>(length), 0, nullptr) != DE265_OK)
      return Fault("HEVC data cannot be parsed");
    at += length;
  }
  return kOk;
}

heif_error CopyPlanes(const de265_image* picture, heif_image* image, int planes) {
  constexpr heif_channel kChannels[] = {heif_channel_Y, heif_channel_Cb, heif_channel_Cr};
  for (int c = 0; c < planes; ++c) {
    const int bits = lib.de265_get_bits_per_pixel(picture, c);
    const int width = lib.de265_get_image_width(picture, c);
    const int height = lib.de265_get_image_height(picture, c);
    int from_stride = 0;
    const uint8_t* from = lib.de265_get_image_plane(picture, c, &from_stride);
    if (from == nullptr || width < 1 || height < 1 || bits < 8 || bits > 16)
      return Fault("HEVC picture without samples");
    if (const heif_error made = lib.heif_image_add_plane(image, kChannels[c], width, height, bits);
        made.code != heif_error_Ok)
      return made;
    int to_stride = 0;
    uint8_t* to = lib.heif_image_get_plane(image, kChannels[c], &to_stride);
    const size_t row = static_cast<size_t>(width) * static_cast<size_t>((bits + 7) / 8);
    for (int y = 0; y < height; ++y)
      std::memcpy(to + int64_t{y} * to_stride, from + int64_t{y} * from_stride, row);
  }
  return kOk;
}

/// As the stream says; a profile of the file's own takes its place later.
heif_error CopyColours(const de265_image* picture, heif_image* image) {
  const ProfilePointer profile(lib.heif_nclx_color_profile_alloc(), lib.heif_nclx_color_profile_free);
  if (!profile) return {heif_error_Memory_allocation_error, heif_suberror_Unspecified, "no memory"};
  const auto code = [](int value) { return static_cast<uint16_t>(value); };
  // Values that libheif does not know are left as "unspecified".
  lib.heif_nclx_color_profile_set_color_primaries(profile.get(),
                                                  code(lib.de265_get_image_colour_primaries(picture)));
  lib.heif_nclx_color_profile_set_transfer_characteristics(
      profile.get(), code(lib.de265_get_image_transfer_characteristics(picture)));
  lib.heif_nclx_color_profile_set_matrix_coefficients(profile.get(),
                                                      code(lib.de265_get_image_matrix_coefficients(picture)));
  profile->full_range_flag = static_cast<uint8_t>(lib.de265_get_image_full_range_flag(picture) != 0);
  return lib.heif_image_set_nclx_color_profile(image, profile.get());
}

heif_error ImageOf(const de265_image* picture, ImagePointer& image) {
  const de265_chroma chroma = lib.de265_get_chroma_format(picture);
  const bool grey = chroma == de265_chroma_mono;
  heif_image* made = nullptr;
  // libde265's numbers of the chroma formats are libheif's.
  const heif_error created = lib.heif_image_create(
      lib.de265_get_image_width(picture, 0), lib.de265_get_image_height(picture, 0),
      grey ? heif_colorspace_monochrome : heif_colorspace_YCbCr, static_cast<heif_chroma>(chroma), &made);
  if (created.code != heif_error_Ok) return created;
  image.reset(made);
  if (const heif_error copied = CopyPlanes(picture, made, grey ? 1 : 3); copied.code != heif_error_Ok)
    return copied;
  return CopyColours(picture, made);
}

/// Warnings that are about what the library does, not about the data.
bool IsAboutData(de265_error warning) {
  return warning != DE265_WARNING_NO_WPP_CANNOT_USE_MULTITHREADING &&
         warning != DE265_WARNING_NUMBER_OF_THREADS_LIMITED_TO_MAXIMUM;
}

heif_error DecodeImage(void* decoder, heif_image** out) {
  *out = nullptr;
  const FilledMalloc filled;
  ImagePointer image(nullptr, lib.heif_image_release);
  if (lib.de265_flush_data(decoder) != DE265_OK) return Fault("HEVC data cannot be parsed");
  for (int more = 1; more != 0;) {
    more = 0;
    if (const de265_error failed = lib.de265_decode(decoder, &more); failed != DE265_OK)
      return Fault(lib.de265_get_error_text(failed));
    const de265_image* picture = lib.de265_get_next_picture(decoder);
    if (picture == nullptr) continue;
    const heif_error made = ImageOf(picture, image);
    lib.de265_release_next_picture(decoder);
    if (made.code != heif_error_Ok) return made;
  }
  for (de265_error warning; (warning = lib.de265_get_warning(decoder)) != DE265_OK;) {
    if (IsAboutData(warning)) return Fault(lib.de265_get_error_text(warning));
  }
  if (!image) return Fault("HEVC data is damaged");
  *out = image.release();
  return kOk;
}

}  // namespace

void RegisterHevcDecoder() {
  if (!lib.Find()) return;
  static heif_decoder_plugin plugin = {};
  plugin.plugin_api_version = 2;
  plugin.get_plugin_name = &Name;
  plugin.does_support_format = &Supports;
  plugin.new_decoder = &NewDecoder;
  plugin.free_decoder = &FreeDecoder;
  plugin.push_data = &PushData;
  plugin.decode_image = &DecodeImage;
  plugin.set_strict_decoding = &SetStrict;
  lib.heif_register_decoder_plugin(&plugin);
}

}  // namespace imgmill
