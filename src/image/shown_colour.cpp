// Decodes a JPEG at 1/8 until a block shows colour.
#include "imgmill/image/shown_colour.h"

#include <vector>

#include "base/try.h"
#include "image/jpeg/jpeg_decoder.h"

namespace imgmill {
namespace {

bool RowShowsColour(const std::vector<uint8_t>& row, bool cmyk) {
  const size_t bands = cmyk ? 4 : 3;
  for (size_t i = 0; i + bands <= row.size(); i += bands) {
    int spread = ColourSpread(row[i], row[i + 1], row[i + 2]);
    if (cmyk) spread = spread * row[i + 3] / 255;  // stored inverted: white is 255, and black ink hides all
    if (spread >= kShownColour) return true;
  }
  return false;
}

}  // namespace

Result<bool> JpegShowsColour(const std::string& path) {
  InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
  std::unique_ptr<JpegDecoder> opened = TRY(JpegDecoder::Open(std::move(file), Stage::kDecode));
  JpegDecoder& decoder = *opened;
  const jpeg_decompress_struct& info = decoder.info();
  if (info.num_components < 3) return false;
  const bool cmyk = info.num_components == 4;
  // The first scan of a progressive file mostly has the mean of each block, of all components.
  const bool first_scan = decoder.progressive() && info.comps_in_scan == info.num_components;
  const J_COLOR_SPACE space = cmyk ? JCS_CMYK : JCS_RGB;
  TRY(first_scan ? decoder.StartFirstScan(space, kColourBlock)
                 : decoder.Start(space, kColourBlock, /*lenient=*/true));
  std::vector<uint8_t> row(size_t{info.output_width} * static_cast<size_t>(info.output_components));
  for (JDIMENSION y = 0; y < info.output_height; ++y) {
    TRY(decoder.Read(1, row.data(), row.size()));
    if (RowShowsColour(row, cmyk)) return true;
  }
  return false;
}

}  // namespace imgmill
