// Which file names are an image's: the extensions of raster formats that one of our readers may know.
#include "dataset/image_names.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/path_parts.h"
#include "base/unique_fd.h"

namespace imgmill {
namespace {

// Sorted, for the binary search.
constexpr std::array<std::string_view, 35> kExtensions = {
    "apng", "avif", "avifs", "bmp", "dib",  "exr", "gif", "hdr", "heic", "heif", "hif", "ico",
    "j2k",  "jfif", "jp2",   "jpe", "jpeg", "jpf", "jpg", "jpx", "jxl",  "mpo",  "pam", "pbm",
    "pfm",  "pgm",  "png",   "pnm", "ppm",  "qoi", "sgi", "tga", "tif",  "tiff", "webp"};
static_assert(std::is_sorted(kExtensions.begin(), kExtensions.end()));

constexpr size_t kLongest = 5;

using namespace std::literals;

/// How files of those formats begin, as far as a few bytes tell. TGA has no signature.
constexpr std::array kSignatures = {
    "\xff\xd8\xff"sv,  // JPEG
    "\x89PNG"sv,       // PNG, APNG
    "GIF8"sv,          //
    "II*\0"sv,
    "MM\0*"sv,  // TIFF
    "II+\0"sv,
    "MM\0+"sv,             // BigTIFF
    "\0\0\0\x0cjP  "sv,    // JPEG 2000
    "\xff\x4f\xff\x51"sv,  // its bare code stream
    "\0\0\0\x0cJXL "sv,
    "\xff\x0a"sv,  // JPEG XL
    "BM"sv,        //
    "\0\0\1\0"sv,  // ICO
    "qoif"sv,      // QOI
    "#?RADIANCE"sv,
    "#?RGBE"sv,            // HDR
    "P7\n"sv,              // PAM
    "\x76\x2f\x31\x01"sv,  // OpenEXR
    "\x01\xda"sv,          // SGI
};

bool StartsLikeAnImage(int folder, const std::string& path) {
  // Not blocking: a link may lead to a pipe that nobody writes to.
  const UniqueFd file(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.valid()) return true;
  char head[16] = {};
  const ssize_t got = ReadFull(file.get(), head, sizeof head);
  if (got < 0) return true;
  const std::string_view bytes(head, static_cast<size_t>(got));
  if (bytes.size() >= 12 && bytes.substr(4, 4) == "ftyp") return true;  // HEIF, AVIF
  if (bytes.starts_with("RIFF")) return bytes.substr(8, 4) == "WEBP";
  if (bytes.size() >= 3 && bytes[0] == 'P' && std::string_view("123456fF").find(bytes[1]) != bytes.npos) {
    return std::string_view(" \t\r\n#").find(bytes[2]) != bytes.npos;
  }
  return std::any_of(kSignatures.begin(), kSignatures.end(),
                     [&](std::string_view signature) { return bytes.starts_with(signature); });
}

}  // namespace

bool IsImageFile(int folder, const std::string& path) {
  const std::string_view name = NameOf(path);
  const std::string_view stem = StemOf(name);
  if (stem.size() == name.size()) return StartsLikeAnImage(folder, path);
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
