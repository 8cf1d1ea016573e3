// The text is "\nexif\n     138\n45786966...", its digits broken into lines.
#include "png_text_exif.h"

#include <cctype>
#include <cstdlib>
#include <cstring>
#include <string>

#include "image/exif.h"

namespace imgmill {
namespace {

// A JPEG marker holds 64 KiB, a PNG of a camera's maker a little more.
constexpr size_t kMostBytes = size_t{16} << 20;
constexpr char kExif[] = "Exif\0";
constexpr size_t kExifBytes = 6;

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsSpace(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

struct Found {
  std::string exif;  // libvips' name of the field
};

void* LookAt(VipsImage* /*image*/, const char* name, GValue* /*value*/, void* found) {
  // "png-comment-3-Raw profile type exif"
  const std::string_view field = name;
  if (!field.starts_with("png-comment-")) return nullptr;
  if (!field.ends_with("-Raw profile type exif") && !field.ends_with("-Raw profile type APP1"))
    return nullptr;
  static_cast<Found*>(found)->exif = field;
  return found;  // ends the search
}

}  // namespace

std::vector<uint8_t> BytesOfRawProfile(const char* text) {
  const char* at = text;
  while (IsSpace(*at)) ++at;
  while (*at != 0 && !IsSpace(*at)) ++at;  // its name
  char* behind = nullptr;
  const unsigned long length = std::strtoul(at, &behind, 10);
  if (behind == at || length > kMostBytes) return {};
  std::vector<uint8_t> bytes;
  int high = -1;
  for (at = behind; *at != 0 && bytes.size() < length; ++at) {
    if (IsSpace(*at)) continue;
    const int digit = Digit(*at);
    if (digit < 0) return {};
    if (high < 0) {
      high = digit;
      continue;
    }
    bytes.push_back(static_cast<uint8_t>(high << 4 | digit));
    high = -1;
  }
  return bytes.size() == length ? bytes : std::vector<uint8_t>();
}

void TakeExifFromText(VipsImage* png) {
  if (vips_image_get_typeof(png, VIPS_META_EXIF_NAME) != 0) return;
  Found found;
  vips_image_map(png, &LookAt, &found);
  const char* text = nullptr;
  if (found.exif.empty() || vips_image_get_string(png, found.exif.c_str(), &text) != 0) return;
  std::vector<uint8_t> bytes = BytesOfRawProfile(text);
  // "APP1" may hold XMP as well.
  if (bytes.size() >= kExifBytes && std::memcmp(bytes.data(), kExif, kExifBytes) == 0) {
    bytes.erase(bytes.begin(), bytes.begin() + kExifBytes);
  }
  const bool tiff = bytes.size() >= 8 && (std::memcmp(bytes.data(), "II*\0", 4) == 0 ||
                                          std::memcmp(bytes.data(), "MM\0*", 4) == 0);
  if (!tiff) return;
  vips_image_set_int(png, VIPS_META_ORIENTATION, ExifOrientation(bytes.data(), bytes.size()));
  bytes.insert(bytes.begin(), kExif, kExif + kExifBytes);
  vips_image_set_blob_copy(png, VIPS_META_EXIF_NAME, bytes.data(), bytes.size());
}

}  // namespace imgmill
