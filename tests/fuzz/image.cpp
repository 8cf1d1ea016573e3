// Fuzzes files of any format through the whole of reading.
#include "fuzz/whole_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  fuzz::ReadTwice(data, bytes);
  return 0;
}
