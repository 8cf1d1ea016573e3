// Fuzzes what is changed in the metadata of a picture that was turned: XMP, EXIF, Photoshop's resources.
#include "image/upright_metadata.h"

#include "fuzz/input_file.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::vector<uint8_t> given(data, data + bytes);
  std::vector<uint8_t> xmp = given, exif = given, resources = given;
  MakeXmpUpright(xmp, false);
  fuzz::Require(xmp.size() == bytes);
  MakeXmpUpright(xmp, true);
  fuzz::Require(xmp.size() <= bytes);
  DropExifThumbnail(exif);
  fuzz::Require(exif.size() == bytes);
  DropPhotoshopThumbnail(resources);
  fuzz::Require(resources.size() <= bytes);
  return 0;
}
