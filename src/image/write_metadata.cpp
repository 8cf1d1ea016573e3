// Carries metadata from file to file, so that nothing is stripped silently.
#include "write_metadata.h"

#include <cstring>

#include "icc_profile.h"
#include "vips_load.h"

namespace imgmill {
namespace {

std::vector<uint8_t> Blob(VipsImage* image, const char* name) {
  const void* data = nullptr;
  size_t bytes = 0;
  if (vips_image_get_typeof(image, name) == 0 || vips_image_get_blob(image, name, &data, &bytes) != 0)
    return {};
  const auto* begin = static_cast<const uint8_t*>(data);
  return {begin, begin + bytes};
}

// libvips writes EXIF anew from these fields and drops from the block what they do not name.
void* CopyExifField(VipsImage* /*from*/, const char* name, GValue* value, void* to) {
  if (std::strncmp(name, "exif-", 5) == 0) vips_image_set(static_cast<VipsImage*>(to), name, value);
  return nullptr;
}

/// The source's profile, where it describes the written rows.
std::vector<uint8_t> ProfileToAttach(VipsImage* source, const Layout& layout, bool profile_kept,
                                     std::vector<std::string>& notes) {
  std::vector<uint8_t> profile = Blob(source, VIPS_META_ICC_NAME);
  if (profile.empty()) return {};
  const ProfileSpace rows = layout.colour_bands() == 1 ? ProfileSpace::kGrey : ProfileSpace::kRgb;
  const bool fits = SpaceOfProfile(profile) == rows;
  if (fits && (profile_kept || IsPlainSrgb(profile))) return profile;
  if (!profile_kept) {
    notes.emplace_back("colours were converted to sRGB: the source's colour profile is not attached");
  } else if (!fits) {
    notes.emplace_back("the source's colour profile does not fit the written image and is not attached");
  }
  return {};
}

/// The source, opened for its metadata; null, noted, where that fails.
ImageRef OpenSource(const std::string& source, std::vector<std::string>& notes) {
  const std::string lost = "metadata could not be taken over";
  Result<InputFile> file = InputFile::Open(source, Stage::kEncode);
  if (!file) return notes.push_back(lost + ": " + file.error().message), ImageRef();
  Result<FileHead> head = ReadHead(*file, Stage::kEncode);
  if (!head) return notes.push_back(lost + ": " + head.error().message), ImageRef();
  bool known = false;
  ImageRef from = LoadWithVips(*file, *head, source, VIPS_FAIL_ON_NONE, &known);
  if (!from) {
    vips_error_clear();
    notes.push_back(lost + ": its header cannot be read");
  }
  return from;
}

}  // namespace

std::vector<uint8_t> ReadProfileOf(const std::string& source, const Layout& layout, bool profile_kept,
                                   std::vector<std::string>& notes) {
  InitImageLibraries();
  VipsShared share;
  const ImageRef from = OpenSource(source, notes);
  return from ? ProfileToAttach(from.get(), layout, profile_kept, notes) : std::vector<uint8_t>();
}

void TakeMetadata(VipsImage* image, const std::string& source, const Layout& layout,
                  const WriteOptions& options, std::vector<std::string>& notes) {
  const ImageRef from = OpenSource(source, notes);
  if (!from) return;
  const std::vector<uint8_t> profile = ProfileToAttach(from.get(), layout, options.profile_kept, notes);
  if (!profile.empty()) vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, profile.data(), profile.size());
  for (const char* name : {VIPS_META_EXIF_NAME, VIPS_META_XMP_NAME, VIPS_META_IPTC_NAME}) {
    const std::vector<uint8_t> blob = Blob(from.get(), name);
    if (!blob.empty()) vips_image_set_blob_copy(image, name, blob.data(), blob.size());
  }
  vips_image_map(from.get(), &CopyExifField, image);
  if (!Blob(from.get(), VIPS_META_EXIF_NAME).empty()) {
    vips_image_remove(image, "exif-ifd0-Orientation");
    vips_image_set_int(image, VIPS_META_ORIENTATION, 1);
    if (options.format == FileFormat::kTiff)
      notes.emplace_back("EXIF is not kept: libvips writes none to TIFF");
  }
  image->Xres = from.get()->Xres;
  image->Yres = from.get()->Yres;
  const char* unit = nullptr;
  if (vips_image_get_typeof(from.get(), VIPS_META_RESOLUTION_UNIT) != 0 &&
      vips_image_get_string(from.get(), VIPS_META_RESOLUTION_UNIT, &unit) == 0) {
    vips_image_set_string(image, VIPS_META_RESOLUTION_UNIT, unit);
  }
}

}  // namespace imgmill
