// Finds the EXIF block of a file: in a JPEG and a TIFF by ourselves, in a JPEG XL file's boxes, else where
// libvips says.
#include "base/try.h"
#include "file_box.h"
#include "imgmill/image/reader.h"
#include "jpeg_decoder.h"
#include "photo_facts.h"
#include "still_header.h"
#include "tiff_directory.h"
#include "tiff_exif.h"
#include "vips_load.h"

namespace imgmill {
namespace {

constexpr uint64_t kTiffOrientation = 274;
constexpr uint64_t kMostBytes = uint64_t{4} << 20;

/// libvips 8.14 hands out none. A compressed box ("brob") is not looked into.
std::vector<uint8_t> ExifOfJxl(const InputFile& file) {
  constexpr int kMostBoxes = 1000;
  const auto end = static_cast<uint64_t>(file.bytes());
  uint64_t at = 0;
  for (int i = 0; i < kMostBoxes; ++i) {
    const std::optional<FileBox> box = ReadFileBox(file, at, end);
    if (!box) return {};
    if (box->Is("Exif")) {
      unsigned char head[4] = {};  // where the block begins behind it (ISO 18181-2)
      if (box->end > end || box->end - box->at < 4 || !file.ReadExactly(box->at, head, 4)) return {};
      const uint64_t from = box->at + 4 + BigEndian(head, 4);
      if (from >= box->end || box->end - from > kMostBytes) return {};
      std::vector<uint8_t> block(static_cast<size_t>(box->end - from));
      return file.ReadExactly(from, block.data(), block.size()) ? block : std::vector<uint8_t>();
    }
    at = box->end;
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
  const void* data = nullptr;
  size_t bytes = 0;
  if (vips_image_get_typeof(image.get(), VIPS_META_EXIF_NAME) == 0 ||
      vips_image_get_blob(image.get(), VIPS_META_EXIF_NAME, &data, &bytes) != 0)
    return {};
  const auto* first = static_cast<const uint8_t*>(data);
  return {first, first + bytes};
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
