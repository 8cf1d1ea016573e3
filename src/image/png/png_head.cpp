// libvips and libpng write the metadata around an image of one pixel; its chunks are taken over.
#include "png_head.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include "image/exif.h"
#include "image/rows_image.h"
#include "image/stored_number.h"
#include "png_chunk.h"

namespace imgmill {
namespace {

constexpr uint8_t kSignature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

void AddHeader(const Layout& layout, std::vector<uint8_t>& file) {
  constexpr size_t kBytes = 13;
  constexpr uint8_t kColourTypes[] = {0, 4, 2, 6};  // grey, with alpha, RGB, with alpha
  uint8_t chunk[kPngChunkHead + kBytes + kPngChunkTail] = {};
  PutBigEndian32(static_cast<uint32_t>(layout.width), chunk + kPngChunkHead);
  PutBigEndian32(static_cast<uint32_t>(layout.height), chunk + kPngChunkHead + 4);
  chunk[kPngChunkHead + 8] = static_cast<uint8_t>(8 * BytesPerSample(layout.sample));
  chunk[kPngChunkHead + 9] = kColourTypes[layout.bands - 1];
  file.insert(file.end(), chunk, chunk + ClosePngChunk(chunk, "IHDR", kBytes));
}

/// Calls `take` with name, first byte and length of each chunk before the pixels.
template <typename Take>
void ForEachChunk(std::span<const uint8_t> png, const Take& take) {
  for (size_t at = sizeof kSignature; at + kPngChunkHead <= png.size();) {
    const size_t whole = kPngChunkHead + BigEndian(png.data() + at, 4) + kPngChunkTail;
    const std::string_view name(reinterpret_cast<const char*>(png.data()) + at + 4, 4);
    if (name == "IDAT" || whole > png.size() - at) return;
    take(name, png.data() + at, whole);
    at += whole;
  }
}

}  // namespace

ImageRef OnePixel(const Layout& layout) {
  const uint8_t zeros[8] = {};
  const ImageRef raw(vips_image_new_from_memory_copy(
      zeros, static_cast<size_t>(layout.bands) * BytesPerSample(layout.sample), 1, 1, layout.bands,
      BandFormat(layout.sample)));
  VipsImage* image = nullptr;
  if (!raw || vips_copy(raw.get(), &image, "interpretation", InterpretationOf(layout), nullptr) != 0)
    return {};
  return ImageRef(image);
}

Result<std::vector<uint8_t>> PngHead(const Layout& layout, VipsImage* described) {
  void* png = nullptr;
  size_t bytes = 0;
  if (described == nullptr || vips_pngsave_buffer(described, &png, &bytes, "compression", 0, nullptr) != 0) {
    std::string message = vips_error_buffer();
    vips_error_clear();
    message.resize(std::min(message.find('\n'), message.size()));
    return Error{Stage::kEncode, Code::kWriteError,
                 message.empty() ? "libvips cannot write its metadata" : message};
  }
  std::vector<uint8_t> file(kSignature, kSignature + sizeof kSignature);
  AddHeader(layout, file);
  ForEachChunk({static_cast<const uint8_t*>(png), bytes},
               [&](std::string_view name, const uint8_t* chunk, size_t whole) {
                 if (name == "IHDR") return;
                 file.insert(file.end(), chunk, chunk + whole);
                 if (name != "eXIf") return;
                 // libvips put the size of its own image there, which is one pixel.
                 uint8_t* own = file.data() + file.size() - whole;
                 const size_t held = whole - kPngChunkHead - kPngChunkTail;
                 SetExifSize({own + kPngChunkHead, held}, static_cast<uint32_t>(layout.width),
                             static_cast<uint32_t>(layout.height));
                 ClosePngChunk(own, name, held);
               });
  g_free(png);
  return file;
}

std::vector<uint8_t> PngChunk(const std::vector<uint8_t>& head, std::string_view name) {
  std::vector<uint8_t> held;
  ForEachChunk(head, [&](std::string_view each, const uint8_t* chunk, size_t whole) {
    if (each == name && held.empty()) held.assign(chunk + kPngChunkHead, chunk + whole - kPngChunkTail);
  });
  return held;
}

std::vector<uint8_t> PngEnd() {
  std::vector<uint8_t> chunk(kPngChunkHead + kPngChunkTail);
  ClosePngChunk(chunk.data(), "IEND", 0);
  return chunk;
}

}  // namespace imgmill
