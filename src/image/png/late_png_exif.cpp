// The chunks are put before the one pixel of another PNG, which libvips then reads: there is one reader of
// compressed texts, and one answer to damaged ones.
#include "late_png_exif.h"

#include <cstring>
#include <string>
#include <string_view>

#include "image/stored_number.h"
#include "png_text_exif.h"

namespace imgmill {
namespace {

// Encoders write the pixels in chunks of 8 KiB and more; a file of more chunks, 2 GiB, is not looked through.
constexpr int kMostChunks = 1 << 18;
// A JPEG marker holds 64 KiB, and digits of it are twice as much.
constexpr uint64_t kMostBytes = uint64_t{4} << 20;
constexpr size_t kAround = 12;  // length, name and checksum of a chunk

constexpr uint8_t kBefore[] = {0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00,
                               0x0D, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
                               0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3A, 0x7E, 0x9B, 0x55};
constexpr uint8_t kBehind[] = {0x00, 0x00, 0x00, 0x0A, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x60,
                               0x00, 0x00, 0x00, 0x02, 0x00, 0x01, 0x48, 0xAF, 0xA4, 0x71, 0x00, 0x00,
                               0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82};

bool IsNamedExif(std::string_view text) {
  return text.starts_with(std::string_view("Raw profile type exif\0", 22)) ||
         text.starts_with(std::string_view("Raw profile type APP1\0", 22));
}

}  // namespace

std::vector<uint8_t> LatePngExifChunks(const InputFile& file) {
  std::vector<uint8_t> chunks;
  bool pixels = false;
  bool block = false;
  bool text = false;
  uint64_t at = 8;
  for (int step = 0; step < kMostChunks; ++step) {
    unsigned char head[8] = {};
    if (!file.ReadExactly(at, head, sizeof head)) break;
    const uint64_t bytes = BigEndian(head, 4) + kAround;
    const std::string_view name(reinterpret_cast<const char*>(head) + 4, 4);
    if (name == "IEND") break;
    if (name == "IDAT") pixels = true;
    const bool is_block = name == "eXIf" && !block;
    const bool is_text = (name == "tEXt" || name == "zTXt" || name == "iTXt") && !text;
    if (pixels && (is_block || is_text) && bytes <= kMostBytes) {
      std::vector<uint8_t> chunk(static_cast<size_t>(bytes));
      if (!file.ReadExactly(at, chunk.data(), chunk.size())) break;
      const std::string_view content(reinterpret_cast<const char*>(chunk.data()) + 8, chunk.size() - kAround);
      if (is_block || IsNamedExif(content)) {
        chunks.insert(chunks.end(), chunk.begin(), chunk.end());
        (is_block ? block : text) = true;
      }
    }
    at += bytes;
  }
  return chunks;
}

void TakeLateExif(VipsImage* png, const InputFile& file) {
  if (vips_image_get_typeof(png, VIPS_META_EXIF_NAME) != 0) return;
  const std::vector<uint8_t> chunks = LatePngExifChunks(file);
  if (chunks.empty()) return;
  std::vector<uint8_t> small(std::begin(kBefore), std::end(kBefore));
  small.insert(small.end(), chunks.begin(), chunks.end());
  small.insert(small.end(), std::begin(kBehind), std::end(kBehind));
  ImageRef other;
  if (vips_pngload_buffer(small.data(), small.size(), other.out(), nullptr) != 0) {
    vips_error_clear();  // as if there was none
    return;
  }
  TakeExifFromText(other.get());
  const std::vector<uint8_t> exif = BlobOf(other.get(), VIPS_META_EXIF_NAME);
  if (exif.empty()) return;
  vips_image_set_blob_copy(png, VIPS_META_EXIF_NAME, exif.data(), exif.size());
  vips_image_set_int(png, VIPS_META_ORIENTATION, vips_image_get_orientation(other.get()));
}

}  // namespace imgmill
