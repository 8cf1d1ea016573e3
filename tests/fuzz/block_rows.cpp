// Fuzzes what is read of how TIFF and JPEG 2000 files are cut up inside, and of what JPEG 2000 is refused
// for.
#include "image/block_rows.h"

#include "fuzz/image_file.h"
#include "image/jpeg2000/jpeg2000_tables.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const InputFile file = fuzz::OpenImageFile(data, bytes);
  constexpr int64_t kHeight = 1000;
  if (const std::optional<TiffFacts> facts = ReadTiffFacts(file)) {
    const TiffBlocks blocks = ReadTiffBlocks(*facts, kHeight);
    fuzz::Require(blocks.rows >= 1 && blocks.rows <= kHeight);
  }
  const Jpeg2000Layout layout = ReadJpeg2000Layout(file);
  fuzz::Require(layout.block_rows >= 1 && (!layout.refused.empty() || layout.block_rows <= layout.height));
  const Jpeg2000Tables tables = ReadJpeg2000Tables(file, layout);
  fuzz::Require(tables.tiles >= 1 && tables.while_probed >= 0 && tables.while_decoded >= tables.while_probed);
  return 0;
}
