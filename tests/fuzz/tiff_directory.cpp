// Fuzzes the reader of TIFF directories, and the numbers that are taken out of them.
#include "image/tiff/tiff_directory.h"

#include "fuzz/image_file.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const InputFile file = fuzz::OpenImageFile(data, bytes);
  const std::optional<TiffDirectory> directory = ReadTiffDirectory(file);
  if (!directory) return 0;
  fuzz::Require(directory->entries.size() * 12 <= bytes);
  for (const TiffEntry& entry : directory->entries) directory->Value(entry.tag);
  return 0;
}
