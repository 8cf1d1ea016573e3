// A triangle filter: thumbnails are looked at, not compared.
#include "small_jpeg.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/try.h"
#include "imgmill/image/encoder.h"

namespace imgmill {
namespace {

const WriteOptions kWriting{.format = FileFormat::kJpeg, .quality = 80};

Layout SmallOf(Layout rows, int64_t long_side) {
  const double scale =
      std::min(1.0, static_cast<double>(long_side) / static_cast<double>(std::max(rows.width, rows.height)));
  rows.width = std::max<int64_t>(1, std::llround(static_cast<double>(rows.width) * scale));
  rows.height = std::max<int64_t>(1, std::llround(static_cast<double>(rows.height) * scale));
  return rows;
}

}  // namespace

SmallJpeg::SmallJpeg(const Layout& rows, int64_t long_side)
    : small_(SmallOf(rows, long_side)), resize_(rows, small_.width, small_.height, ResizeFilter::kTriangle) {}

Result<std::string> SmallJpeg::Finish() {
  const uint8_t* pixels = resize_.Finish();
  std::vector<const uint8_t*> rows;
  for (int64_t y = 0; y < small_.height; ++y)
    rows.push_back(pixels + static_cast<size_t>(y) * small_.row_bytes());
  std::unique_ptr<ImageEncoder> encoder = TRY(ImageEncoder::Create(small_, kWriting, {}));
  const std::span<const uint8_t> bytes = TRY(encoder->Encode(rows));
  return std::string(bytes.begin(), bytes.end());
}

Footprint SmallJpeg::Cost(const Layout& rows, int64_t long_side) {
  const Layout small = SmallOf(rows, long_side);
  Footprint cost = EncodeFootprint(small, kWriting);
  cost.pooled += SmallResize::PooledBytes(rows, small.width, small.height, ResizeFilter::kTriangle);
  return cost;
}

ReadOptions SmallJpeg::Reading(const ImageHeader& header, int64_t long_side) {
  const Layout small = SmallOf({header.upright_width(), header.upright_height(), 3, Sample::kU8}, long_side);
  ReadOptions reading;
  reading.to_8bit = true;
  reading.bands = ReadOptions::Bands::kRgb;
  reading.alpha = ReadOptions::Alpha::kFlattenWhite;
  reading.allow_truncated = true;
  reading.shrink_to_side = static_cast<int>(std::min(small.width, small.height));
  return reading;
}

}  // namespace imgmill
