// One file through the whole of reading, as every command does it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/input_file.h"
#include "imgmill/image/reader.h"

namespace fuzz {

/// All rows, into memory that held `before`; nothing where they cannot be read.
inline std::vector<uint8_t> AllRows(imgmill::RowReader& rows, uint8_t before) {
  const imgmill::Layout layout = rows.layout();
  std::vector<uint8_t> pixels(static_cast<size_t>(layout.height) * layout.row_bytes(), before);
  for (int64_t y = 0; y < layout.height;) {
    const int64_t now = std::min<int64_t>(24, layout.height - y);  // no multiple of what libraries do at once
    uint8_t* to = pixels.data() + static_cast<size_t>(y) * layout.row_bytes();
    if (!rows.Read(now, to, layout.row_bytes())) return {};
    y += now;
  }
  return pixels;
}

/// The same of a file.
inline std::vector<uint8_t> WholeImage(const std::string& path, const imgmill::ImageLimits& limits,
                                       const imgmill::ReadOptions& options, uint8_t before) {
  using namespace imgmill;
  const Result<ImageHeader> header = Probe(path, limits);
  if (!header) return {};
  Require(header->width * header->height <= limits.max_pixels);
  const Layout promised = ReadLayout(*header, options);
  ReadFootprint(*header, options);
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, options);
  if (!rows) return {};
  Require((*rows)->layout() == promised);
  return AllRows(**rows, before);
}

/// Tries strict and lenient reading; pixels that nobody wrote show as a difference.
inline void ReadTwice(const uint8_t* data, size_t bytes) {
  const std::string path = InputFilePath(data, bytes);
  imgmill::ImageLimits limits;
  limits.max_pixels = int64_t{1} << 18;  // a fuzzer's time is not for large pictures
  for (const bool lenient : {false, true}) {
    imgmill::ReadOptions options;
    options.allow_truncated = lenient;
    Require(WholeImage(path, limits, options, 0) == WholeImage(path, limits, options, 255));
  }
}

/// Limits are checked before a picture is opened.
inline bool IsFewPixels(int64_t width, int64_t height) {
  constexpr int64_t kMostPixels = int64_t{1} << 18;
  return width <= kMostPixels && height <= kMostPixels / width;
}

/// Twice all rows of what `open` gives, strict and lenient. @return the lenient pixels; nothing where it
/// gives none
template <typename Open>
std::vector<uint8_t> RowsTwice(const Open& open) {
  std::vector<uint8_t> pixels;
  for (const bool lenient : {false, true}) {
    const auto rows = [&](uint8_t before) {
      imgmill::Result<std::unique_ptr<imgmill::RowReader>> opened = open(lenient);
      return opened ? AllRows(**opened, before) : std::vector<uint8_t>();
    };
    pixels = rows(0);
    Require(pixels == rows(255));
  }
  return pixels;
}

}  // namespace fuzz
