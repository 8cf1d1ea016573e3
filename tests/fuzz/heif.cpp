// Fuzzes HEIC and AVIF files through the whole of reading: our decoder of HEVC over libde265, scales of
// samples.
#include <cstring>

#include "fuzz/whole_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  if (bytes < 12 || std::memcmp(data + 4, "ftyp", 4) != 0) return -1;
  fuzz::ReadTwice(data, bytes);
  return 0;
}
