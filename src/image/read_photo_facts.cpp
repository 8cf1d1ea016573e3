// Finds the EXIF block of a file: in a JPEG and a TIFF by ourselves, in a JPEG XL file's boxes, else where
// libvips says.
#include <cstring>

#include "base/try.h"
#include "image/jpeg/jpeg_decoder.h"
#include "image/jxl_boxes.h"
#include "image/still/still_header.h"
#include "image/tiff/tiff_directory.h"
#include "image/tiff/tiff_exif.h"
#include "imgmill/image/reader.h"
#include "photo_facts.h"
#include "vips_load.h"

namespace imgmill {
namespace {

constexpr uint64_t kTiffOrientation = 274;

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
