// Fuzzes what is taken out of a TIFF as EXIF: whatever its directories claim, the block is one, and small.
#include "image/tiff/tiff_exif.h"

#include "fuzz/image_file.h"
#include "image/exif.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const imgmill::InputFile file = fuzz::OpenImageFile(data, bytes);
  const std::vector<uint8_t> exif = imgmill::ExifOfTiff(file);
  fuzz::Require(exif.empty() || (exif.size() > 14 && exif.size() < 65533));
  if (!exif.empty()) fuzz::Require(imgmill::ExifOrientation(exif.data() + 6, exif.size() - 6) == 1);
  return 0;
}
