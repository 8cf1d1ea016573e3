// Fuzzes EXIF as text: a name, a length and hexadecimal digits.
#include <string>

#include "fuzz/input_file.h"
#include "image/exif.h"
#include "image/png/png_text_exif.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string text(reinterpret_cast<const char*>(data), bytes);
  const std::vector<uint8_t> block = BytesOfRawProfile(text.c_str());
  fuzz::Require(2 * block.size() <= bytes);
  ExifOrientation(block.data(), block.size());
  return 0;
}
