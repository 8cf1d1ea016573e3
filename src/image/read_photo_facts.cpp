// Finds the EXIF block of a file: in a JPEG and a TIFF by ourselves, in a JPEG XL file's boxes, else where
// libvips says.
#include <cstring>

#include "base/try.h"
#include "file_box.h"
#include "image/jpeg/jpeg_decoder.h"
#include "image/still/still_header.h"
#include "image/tiff/tiff_directory.h"
#include "image/tiff/tiff_exif.h"
#include "imgmill/image/reader.h"
#include "library_functions.h"
#include "photo_facts.h"
#include "vips_load.h"

namespace imgmill {
namespace {

constexpr uint64_t kTiffOrientation = 274;
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

/// libvips 8.14 hands out none. The block may be in a box of its own, or in one that Brotli has made smaller
/// ("brob", ISO 18181-2, 9.10): the name of the box that it was comes first in that.
std::vector<uint8_t> ExifOfJxl(const InputFile& file) {
  constexpr int kMostBoxes = 1000;
  const auto end = static_cast<uint64_t>(file.bytes());
  uint64_t at = 0;
  for (int i = 0; i < kMostBoxes; ++i) {
    const std::optional<FileBox> box = ReadFileBox(file, at, end);
    if (!box) return {};
    at = box->end;
    if (!box->Is("Exif") && !box->Is("brob")) continue;
    std::vector<uint8_t> block = ContentOf(file, *box, end);
    if (box->Is("brob")) {
      if (block.size() < 4 || std::memcmp(block.data(), "Exif", 4) != 0) continue;
      block = Unpacked({block.begin() + 4, block.end()});
    }
    if (block.size() < 4) return {};
    const uint64_t from = 4 + BigEndian(block.data(), 4);  // the first four bytes say where it begins
    if (from >= block.size()) return {};
    block.erase(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(from));
    return block;
  }
  return {};
}

std::vector<uint8_t> ExifByVips(const InputFile& file, const FileHead& head, const std::string& path) {
  InitImageLibraries();
  LoadModuleFor(head.format);
  VipsShared share;
  ImageFormat format = ImageFormat::kOther;
  const ImageRef image = LoadWithVips(file, head, path, VIPS_FAIL_ON_NONE, &format);
  if (!image) {
    vips_error_clear();
    return {};
  }
  return BlobOf(image.get(), VIPS_META_EXIF_NAME);
}

}  // namespace

Result<PhotoFacts> ReadPhotoFacts(const std::string& path) {
  InputFile file = TRY(InputFile::Open(path, Stage::kProbe));
  const FileHead head = TRY(ReadHead(file, Stage::kProbe));
  if (head.format == ImageFormat::kJpeg) {
    const std::unique_ptr<JpegDecoder> decoder = TRY(JpegDecoder::Open(std::move(file), Stage::kProbe));
    return PhotoFactsOf(decoder->exif());
  }
  if (head.format == ImageFormat::kTiff) {
    PhotoFacts facts = PhotoFactsOf(ExifOfTiff(file));
    const std::optional<TiffDirectory> first = ReadTiffDirectory(file);
    const uint64_t orientation = first ? first->Value(kTiffOrientation).value_or(0) : 0;
    if (orientation >= 1 && orientation <= 8) facts.orientation = static_cast<double>(orientation);
    return facts;
  }
  if (head.format == ImageFormat::kJxl) return PhotoFactsOf(ExifOfJxl(file));
  // The first hold none, and libvips would look at each frame of a GIF.
  if (head.format == ImageFormat::kPnm || head.format == ImageFormat::kGif ||
      ReadStillHeader(file, head, false))
    return PhotoFacts();
  return PhotoFactsOf(ExifByVips(file, head, path));
}

}  // namespace imgmill
