// Fuzzes TIFF files through the whole of reading: their directory, strips and tiles, extra samples, colours.
#include <cstring>

#include "fuzz/whole_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  if (bytes < 8 || (std::memcmp(data, "II", 2) != 0 && std::memcmp(data, "MM", 2) != 0)) return -1;
  fuzz::ReadTwice(data, bytes);
  return 0;
}
