// Fuzzes PNG files through the whole of reading: our look at their first bytes, libpng's filters, our rows.
#include <cstring>

#include "fuzz/whole_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  if (bytes < 8 || std::memcmp(data, "\x89PNG\r\n\x1a\n", 8) != 0)
    return -1;  // others have programs of their own
  fuzz::ReadTwice(data, bytes);
  return 0;
}
