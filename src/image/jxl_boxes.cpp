#include "jxl_boxes.h"

#include <cstddef>
#include <cstring>

#include "file_box.h"
#include "library_functions.h"
#include "vips_load.h"

namespace imgmill {
namespace {

constexpr uint64_t kMostBytes = uint64_t{4} << 20;

/// What Brotli has made smaller; nothing where it is damaged, or more than kMostBytes. Its decoder is one of
/// the libraries that libvips' module for JPEG XL brings.
std::vector<uint8_t> Unpacked(const std::vector<uint8_t>& packed) {
  using Decompress = int (*)(size_t packed_bytes, const uint8_t* packed, size_t* bytes, uint8_t* unpacked);
  static const Decompress kDecompress = [] {
    LoadModuleFor(ImageFormat::kJxl);
    Decompress found = nullptr;
    FindFunction(RTLD_DEFAULT, "BrotliDecoderDecompress", found);
    return found;
  }();
  if (kDecompress == nullptr) return {};
  for (uint64_t room = uint64_t{64} << 10; room <= kMostBytes; room *= 8) {
    std::vector<uint8_t> unpacked(static_cast<size_t>(room));
    size_t bytes = unpacked.size();
    if (kDecompress(packed.size(), packed.data(), &bytes, unpacked.data()) != 1) continue;
    unpacked.resize(bytes);
    return unpacked;
  }
  return {};
}

/// The content of a box; nothing where the file ends before, or it is more than kMostBytes.
std::vector<uint8_t> ContentOf(const InputFile& file, const FileBox& box, uint64_t end) {
  if (box.end > end || box.end - box.at > kMostBytes) return {};
  std::vector<uint8_t> content(static_cast<size_t>(box.end - box.at));
  return file.ReadExactly(box.at, content.data(), content.size()) ? content : std::vector<uint8_t>();
}

/// Of the first box called `name`. Where it was made smaller, its name stands before the rest.
std::vector<uint8_t> BlockOf(const InputFile& file, const char* name) {
  constexpr int kMostBoxes = 1000;
  const auto end = static_cast<uint64_t>(file.bytes());
  uint64_t at = 0;
  for (int i = 0; i < kMostBoxes; ++i) {
    const std::optional<FileBox> box = ReadFileBox(file, at, end);
    if (!box) return {};
    at = box->end;
    if (box->Is(name)) return ContentOf(file, *box, end);
    if (!box->Is("brob")) continue;
    const std::vector<uint8_t> block = ContentOf(file, *box, end);
    if (block.size() < 4 || std::memcmp(block.data(), name, 4) != 0) continue;
    return Unpacked({block.begin() + 4, block.end()});
  }
  return {};
}

}  // namespace

std::vector<uint8_t> ExifOfJxl(const InputFile& file) {
  std::vector<uint8_t> block = BlockOf(file, "Exif");
  if (block.size() < 4) return {};
  const uint64_t from = 4 + BigEndian(block.data(), 4);  // the first four bytes say where it begins
  if (from >= block.size()) return {};
  block.erase(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(from));
  return block;
}

std::vector<uint8_t> XmpOfJxl(const InputFile& file) {
  return BlockOf(file, "xml ");
}

}  // namespace imgmill
