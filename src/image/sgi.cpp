// After SGI's description of the format ("The SGI Image File Format", Paul Haeberli), big-endian throughout.
#include "sgi.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "stored_number.h"

namespace imgmill {
namespace {

constexpr size_t kTableAt = 512;

/// Where the table has the begin of a row; row 0 is the lowest.
size_t EntryOf(const StillHeader& header, int64_t row, int band) {
  return kTableAt + 4 * static_cast<size_t>(band * header.height + row);
}

/// Whether the runs from `at` on make a row, or more than one, which the decoder finds. A count of zero ends
/// a row; files of FFmpeg have none behind pixels that make it whole.
bool IsWholeRow(const StillHeader& header, std::span<const uint8_t> file, size_t at) {
  const auto sample = static_cast<size_t>(header.pixel_bytes);
  int64_t pixels = 0;
  while (at <= file.size() && file.size() - at >= sample) {
    const unsigned code = file[at + sample - 1];
    const unsigned count = code & 127;
    if (count == 0) return false;
    pixels += count;
    if (pixels > header.width) return true;
    at += sample * (1 + ((code & 128) != 0 ? count : 1));
    if (pixels == header.width) return at <= file.size();
  }
  return false;
}

std::string Unsupported(const StillHeader& header, uint64_t dimensions, uint64_t colour_map) {
  if (header.bands == 2 || header.bands > 4)
    return "an SGI image of " + std::to_string(header.bands) + " channels";
  if (dimensions == 1 || (dimensions == 2 && header.bands > 1))
    return "an SGI image of " + std::to_string(dimensions) + " dimensions and " +
           std::to_string(header.bands) + " channels";
  if (colour_map != 0) return "an SGI image with a colour map";
  return {};
}

}  // namespace

std::optional<StillHeader> ReadSgiHeader(const InputFile& file) {
  uint8_t bytes[108];
  if (!file.ReadExactly(0, bytes, sizeof bytes)) return std::nullopt;
  const auto number = [&](size_t at, size_t size) {
    return static_cast<int64_t>(BigEndian(bytes + at, size));
  };
  const int64_t dimensions = number(4, 2);
  StillHeader header;
  header.format = ImageFormat::kSgi;
  header.kind = StillKind::kSgi;
  header.width = number(6, 2);
  header.height = number(8, 2);
  header.bands = static_cast<int>(number(10, 2));
  header.pixel_bytes = bytes[3];
  header.compressed = bytes[2] == 1;
  header.bottom_up = true;
  const bool valid = number(0, 2) == 474 && bytes[2] <= 1 && (bytes[3] == 1 || bytes[3] == 2) &&
                     dimensions >= 1 && dimensions <= 3 && header.width > 0 && header.height > 0 &&
                     header.bands > 0;
  if (!valid) return std::nullopt;
  header.sample = header.pixel_bytes == 2 ? Sample::kU16 : Sample::kU8;
  header.bytes = file.bytes();
  header.pixels_at =
      static_cast<int64_t>(kTableAt) + (header.compressed ? 8 * header.height * header.bands : 0);
  header.row_bytes = header.width * header.bands * header.pixel_bytes;
  header.unsupported = Unsupported(header, static_cast<uint64_t>(dimensions), BigEndian(bytes + 104, 4));
  if (!header.unsupported.empty()) header.unsupported += " (convert it to PNG)";
  return header;
}

int64_t SgiRawPixels(const StillHeader& header, int64_t bytes) {
  const int64_t others = header.width * header.height * header.pixel_bytes * (header.bands - 1);
  return std::max<int64_t>(0, bytes - others) / header.pixel_bytes;
}

int64_t SgiWholeRows(const StillHeader& header, std::span<const uint8_t> file) {
  for (int64_t row = 0; row < header.height; ++row) {
    for (int band = 0; band < header.bands; ++band) {
      if (!IsWholeRow(header, file, BigEndian(&file[EntryOf(header, row, band)], 4))) return row;
    }
  }
  return header.height;
}

void BlackenSgi(const StillHeader& header, int64_t whole_pixels, uint8_t* file) {
  const auto plane = static_cast<size_t>(header.width * header.height * header.pixel_bytes);
  const auto kept = static_cast<size_t>(whole_pixels * header.pixel_bytes);
  for (int band = 0; band < header.bands; ++band) {
    std::memset(file + kTableAt + static_cast<size_t>(band) * plane + kept, 0, plane - kept);
  }
}

std::vector<uint8_t> BlackSgiRow(const StillHeader& header) {
  std::vector<uint8_t> runs;
  const auto put = [&](int64_t value) {
    runs.insert(runs.end(), static_cast<size_t>(header.pixel_bytes) - 1, 0);
    runs.push_back(static_cast<uint8_t>(value));
  };
  for (int64_t left = header.width; left > 0; left -= 127) {
    put(std::min<int64_t>(left, 127));
    put(0);
  }
  put(0);
  return runs;
}

void BlackenSgiRows(const StillHeader& header, int64_t whole_rows, size_t black_row, uint8_t* file) {
  for (int64_t row = whole_rows; row < header.height; ++row) {
    for (int band = 0; band < header.bands; ++band) {
      for (size_t i = 0; i < 4; ++i)
        file[EntryOf(header, row, band) + i] = static_cast<uint8_t>(black_row >> (8 * (3 - i)));
    }
  }
}

}  // namespace imgmill
