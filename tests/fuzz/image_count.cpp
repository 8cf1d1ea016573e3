// Fuzzes how many pictures PNG, HEIF, TIFF and MPO files say that they hold, and the walk to what lies behind
// the pixels of PNG.
#include "image/image_count.h"

#include "fuzz/image_file.h"
#include "image/png/late_png_exif.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const InputFile file = fuzz::OpenImageFile(data, bytes);
  fuzz::Require(PngImages(file) >= 1 && HeifFrames(file) >= 0 && TiffPages(file) >= 1);
  fuzz::Require(JpegImages({data, bytes}) >= 1);
  fuzz::Require(LatePngExifChunks(file).size() <= bytes);
  return 0;
}
