// Which file names are an image's: the extensions of raster formats that one of our readers may know.
#include "dataset/image_names.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "dataset/path_parts.h"

namespace imgmill {
namespace {

// Sorted, for the binary search.
constexpr std::array<std::string_view, 30> kExtensions = {
    "apng", "avif", "avifs", "bmp", "exr",  "gif", "hdr", "heic", "heif", "hif",
    "ico",  "j2k",  "jp2",   "jpe", "jpeg", "jpf", "jpg", "jpx",  "jxl",  "pbm",
    "pfm",  "pgm",  "png",   "pnm", "ppm",  "sgi", "tga", "tif",  "tiff", "webp"};
static_assert(std::is_sorted(kExtensions.begin(), kExtensions.end()));

constexpr size_t kLongest = 5;

}  // namespace

bool IsImageName(std::string_view name) {
  const std::string_view stem = StemOf(name);
  if (stem.size() == name.size()) return true;
  const std::string_view extension = name.substr(stem.size() + 1);
  if (extension.size() > kLongest) return false;
  char lower[kLongest];
  for (size_t i = 0; i < extension.size(); ++i) {
    const char c = extension[i];
    lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return std::binary_search(kExtensions.begin(), kExtensions.end(),
                            std::string_view(lower, extension.size()));
}

}  // namespace imgmill
