// Converts rows to what a file format can hold; done in double, one row at a time, since it is rare.
#include "stored_form.h"

#include <algorithm>
#include <cmath>

namespace imgmill {
namespace {

// Sample `i` of a row as 0..1 (float may lie outside).
double Value(const uint8_t* row, Sample sample, int64_t i) {
  switch (sample) {
    case Sample::kU8:
      return row[i] / 255.0;
    case Sample::kU16:
      return reinterpret_cast<const uint16_t*>(row)[i] / 65535.0;
    case Sample::kF32:
      return static_cast<double>(reinterpret_cast<const float*>(row)[i]);
  }
  return 0;
}

}  // namespace

int64_t LongestSide(FileFormat format) {
  switch (format) {
    case FileFormat::kJpeg:
      return 65500;  // libjpeg's JPEG_MAX_DIMENSION
    case FileFormat::kWebp:
      return 16383;  // WEBP_MAX_DIMENSION
    case FileFormat::kJxl:
      return 1 << 18;  // ISO 18181-1, level 5, which every decoder has
    case FileFormat::kAvif:
      return 32768;  // what libheif 1.15 agrees to read
    case FileFormat::kPng:
    case FileFormat::kTiff:
      break;
  }
  return 10000000;  // libvips' own limit
}

Status FitsFormat(const Layout& layout, FileFormat format) {
  const int64_t most = LongestSide(format);
  if (layout.width < 1 || layout.height < 1 || layout.bands < 1 || layout.bands > 4) {
    return Error{Stage::kEncode, Code::kInternal, "an image without pixels or with other than 1 to 4 bands"};
  }
  if (std::max(layout.width, layout.height) <= most) return {};
  return Error{Stage::kEncode, Code::kUnsupported,
               std::string(Title(format)) + " holds at most " + std::to_string(most) +
                   " pixels a side, and the image has " + std::to_string(layout.width) + " x " +
                   std::to_string(layout.height) + " (write PNG or TIFF instead)"};
}

Layout StoredForm(const Layout& layout, FileFormat format) {
  Layout stored = layout;
  if (format == FileFormat::kJpeg) stored.bands = layout.colour_bands();
  if (format == FileFormat::kJpeg || format == FileFormat::kWebp) {
    stored.sample = Sample::kU8;
  } else if (layout.sample == Sample::kF32) {
    stored.sample = Sample::kU16;
  }
  return stored;
}

void NoteConversions(const Layout& layout, const Layout& stored, FileFormat format,
                     std::vector<std::string>& notes) {
  const std::string title(Title(format));
  if (layout.has_alpha() && !stored.has_alpha()) {
    notes.push_back("alpha flattened on white: " + title + " has none");
  }
  const bool as_twelve = format == FileFormat::kAvif && stored.sample == Sample::kU16;
  if (layout.sample == stored.sample && !as_twelve) return;
  const char* from = layout.sample == Sample::kU16 ? "16 bits" : "float";
  const char* to = stored.sample == Sample::kU8 ? "8 bits" : as_twelve ? "12 bits" : "16 bits";
  notes.push_back(std::string(from) + " reduced to " + to + " for " + title);
}

void StoreRow(const uint8_t* from, const Layout& layout, const Layout& stored, uint8_t* to) {
  const bool flatten = layout.has_alpha() && !stored.has_alpha();
  const double full = stored.sample == Sample::kU8 ? 255 : 65535;
  for (int64_t x = 0; x < layout.width; ++x) {
    const double alpha =
        flatten ? std::clamp(Value(from, layout.sample, (x + 1) * layout.bands - 1), 0.0, 1.0) : 1;
    for (int b = 0; b < stored.bands; ++b) {
      double value = Value(from, layout.sample, x * layout.bands + b);
      value = std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0);
      const double rounded = (value * alpha + (1 - alpha)) * full + 0.5;
      const int64_t i = x * stored.bands + b;
      if (stored.sample == Sample::kU8) {
        to[i] = static_cast<uint8_t>(rounded);
      } else {
        reinterpret_cast<uint16_t*>(to)[i] = static_cast<uint16_t>(rounded);
      }
    }
  }
}

}  // namespace imgmill
