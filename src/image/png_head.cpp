// libvips and libpng write the metadata around an image of one pixel; its chunks are taken over.
#include "png_head.h"

#include <cstring>
#include <string_view>

#include "png_chunk.h"
#include "rows_image.h"
#include "stored_number.h"

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

/// What lies between the header and the pixels.
void AddDescription(const uint8_t* png, size_t bytes, std::vector<uint8_t>& file) {
  for (size_t at = sizeof kSignature; at + kPngChunkHead <= bytes;) {
    const size_t whole = kPngChunkHead + BigEndian(png + at, 4) + kPngChunkTail;
    const std::string_view name(reinterpret_cast<const char*>(png + at + 4), 4);
    if (name == "IDAT" || whole > bytes - at) return;
    if (name != "IHDR") file.insert(file.end(), png + at, png + at + whole);
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
  AddDescription(static_cast<const uint8_t*>(png), bytes, file);
  g_free(png);
  return file;
}

std::vector<uint8_t> PngEnd() {
  std::vector<uint8_t> chunk(kPngChunkHead + kPngChunkTail);
  ClosePngChunk(chunk.data(), "IEND", 0);
  return chunk;
}

}  // namespace imgmill
