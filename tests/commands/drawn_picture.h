// Pictures that a test draws by a formula or takes from elsewhere, written in the format that their name
// says.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include "imgmill/image/writer.h"

namespace imgmill::process_test {

/// Level of a band at a place.
using Drawing = std::function<double(int64_t x, int64_t y, int band)>;

inline Image Draw(int64_t width, int64_t height, int bands, const Drawing& level) {
  Image image(Layout{width, height, bands, Sample::kU8});
  for (int64_t y = 0; y < height; ++y) {
    uint8_t* to = image.row(y);
    for (int64_t x = 0; x < width; ++x) {
      for (int band = 0; band < bands; ++band) {
        *to++ = static_cast<uint8_t>(std::clamp(level(x, y, band) + 0.5, 0.0, 255.0));
      }
    }
  }
  return image;
}

/// In 8-bit RGB.
inline Image ReadPicture(const std::string& path) {
  ReadOptions reading;
  reading.bands = ReadOptions::Bands::kRgb;
  reading.to_8bit = true;
  const Result<ImageHeader> header = Probe(path, {});
  REQUIRE_MESSAGE(header.ok(), path);
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, reading);
  REQUIRE_MESSAGE(rows.ok(), path);
  Image image((*rows)->layout());
  REQUIRE((*rows)->Read(image.layout().height, image.row(0), image.layout().row_bytes()).ok());
  return image;
}

/// @param quality  1 to 100 of JPEG and WebP; 100 makes WebP lossless
inline void WritePicture(const std::string& path, const Image& image, int quality = 100) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  WriteOptions options;
  const auto format = FileFormatFromExtension(std::filesystem::path(path).extension().string());
  REQUIRE(format.has_value());
  options.format = *format;
  options.quality = quality;
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, image.layout(), options, "");
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
}

}  // namespace imgmill::process_test
