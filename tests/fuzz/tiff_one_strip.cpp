// Fuzzes TIFF files of one strip: what is shown to libtiff in their place, read to its end and from anywhere.
#include "image/tiff_one_strip.h"

#include <vector>

#include "fuzz/input_file.h"
#include "imgmill/image/reader.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  InitImageLibraries();
  Result<InputFile> file = InputFile::Open(fuzz::InputFilePath(data, bytes), Stage::kDecode);
  fuzz::Require(file.ok());
  if (OneStripCutRows(*file) == 0) return 0;
  const GRef<VipsSource> source = CutOneStrip(*file);
  if (!source) return 0;
  std::vector<uint8_t> piece(64 << 10);
  int64_t total = 0;
  while (true) {
    const int64_t got = vips_source_read(source.get(), piece.data(), piece.size());
    fuzz::Require(got >= 0);
    if (got == 0) break;
    total += got;
  }
  fuzz::Require(vips_source_seek(source.get(), total / 3, SEEK_SET) == total / 3);
  fuzz::Require(vips_source_read(source.get(), piece.data(), piece.size()) > 0);
  return 0;
}
