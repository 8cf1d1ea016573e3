// Fuzzes the rows of a JPEG: markers, our source over pread, damage turned into values, strict and lenient.
#include "image/jpeg_rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "fuzz/input_file.h"

using namespace imgmill;

namespace {

constexpr int64_t kMostPixels = int64_t{1} << 20;  // limits are checked before rows are asked for

/// All rows, into memory that held `before`; nothing where the file is refused.
std::vector<uint8_t> Rows(const std::string& path, int shrink, bool lenient, uint8_t before) {
  Result<InputFile> file = InputFile::Open(path, Stage::kDecode);
  fuzz::Require(file.ok());
  Result<std::unique_ptr<JpegDecoder>> decoder = JpegDecoder::Open(*std::move(file), Stage::kDecode);
  if (!decoder) return {};
  const jpeg_decompress_struct& info = (*decoder)->info();
  fuzz::Require((*decoder)->orientation() >= 1 && (*decoder)->orientation() <= 8);
  (*decoder)->IccProfile();
  if (int64_t{info.image_width} * info.image_height > kMostPixels) return {};
  const J_COLOR_SPACE space = info.num_components == 1   ? JCS_GRAYSCALE
                              : info.num_components == 4 ? JCS_CMYK
                                                         : JCS_RGB;
  Result<std::unique_ptr<RowReader>> rows = OpenJpegRows(*std::move(decoder), space, shrink, lenient);
  if (!rows) return {};
  const Layout& layout = (*rows)->layout();
  std::vector<uint8_t> pixels(static_cast<size_t>(layout.height) * layout.row_bytes(), before);
  for (int64_t y = 0; y < layout.height;) {
    const int64_t now = std::min<int64_t>(24, layout.height - y);  // no multiple of what libjpeg does at once
    uint8_t* to = pixels.data() + static_cast<size_t>(y) * layout.row_bytes();
    if (!(*rows)->Read(now, to, layout.row_bytes())) return {};
    y += now;
  }
  return pixels;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  const int shrink = bytes % 5 == 0 ? 8 : 1;
  for (const bool lenient : {false, true}) {
    // A sample that nobody wrote would show what the memory held before.
    fuzz::Require(Rows(path, shrink, lenient, 0) == Rows(path, shrink, lenient, 255));
  }
  return 0;
}
