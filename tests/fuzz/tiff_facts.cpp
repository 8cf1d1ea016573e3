// Fuzzes what is read of a TIFF's directory before libtiff sees it: sums that stay within their type.
#include "image/tiff/tiff_facts.h"

#include "fuzz/image_file.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const InputFile file = fuzz::OpenImageFile(data, bytes);
  const std::optional<TiffFacts> facts = ReadTiffFacts(file);
  if (!facts) return 0;
  fuzz::Require(facts->extra.size() <= 64);
  fuzz::Require(TiffRowsAtOnce(*facts) <= facts->block_rows || facts->block_rows == 0);
  (void)TiffCannotHold(*facts, file.bytes());
  return 0;
}
