// Fuzzes the rows of a JPEG: markers, our source over pread, damage turned into values, strict and lenient;
// and that grey at 1/8, which is mostly read without libjpeg, is what libjpeg makes of it.
#include "image/jpeg/jpeg_rows.h"

#include <algorithm>
#include <vector>

#include "fuzz/whole_image.h"
#include "image/plain_jpeg.h"

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
  return fuzz::AllRows(**rows, before);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  const int shrink = bytes % 5 == 0 ? 8 : 1;
  for (const bool lenient : {false, true}) {
    // A sample that nobody wrote would show what the memory held before.
    fuzz::Require(Rows(path, shrink, lenient, 0) == Rows(path, shrink, lenient, 255));
  }
  if (const auto plane = image_test::DcPlaneOf(path, {data, bytes})) {
    const std::optional<std::vector<uint8_t>> expected = image_test::PlainGreyEighth({data, bytes});
    fuzz::Require(expected && std::equal(plane->begin(), plane->end(), expected->begin(), expected->end()));
  }
  return 0;
}
