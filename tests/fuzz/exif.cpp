// Fuzzes what is read of EXIF.
#include "image/exif.h"

#include <vector>

#include "fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::vector<uint8_t> exact(data, data + bytes);  // so that one byte too far is seen
  const int orientation = imgmill::ExifOrientation(exact.data(), exact.size());
  fuzz::Require(orientation >= 1 && orientation <= 8);
  return 0;
}
