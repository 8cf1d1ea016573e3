// Rows in a ring, and tiles as pointers into it.
#include "tile_band.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"

namespace imgmill {
namespace {

Layout RingLayout(const Layout& image, int64_t rows) {
  Layout ring = image;
  ring.height = std::min(image.height, rows);
  return ring;
}

size_t PixelBytes(const Layout& layout) {
  return static_cast<size_t>(layout.bands) * BytesPerSample(layout.sample);
}

}  // namespace

TileBand::TileBand(const Layout& rows, const PixelSize& shown, int64_t size, int64_t spare)
    : rows_(rows), image_(rows), size_(size), ring_(RingLayout(rows, size + spare)) {
  image_.width = shown.width;
  image_.height = shown.height;
}

Layout TileBand::tile_layout() const {
  Layout layout = image_;
  layout.width = size_;
  layout.height = size_;
  return layout;
}

size_t TileBand::PooledBytes(const Layout& image, int64_t size, bool padded) {
  const Layout ring = RingLayout(image, size);
  const size_t rows = ring.row_bytes() * static_cast<size_t>(ring.height);
  return padded ? rows + PaddedBytes(image, size) : rows;
}

size_t TileBand::PaddedBytes(const Layout& image, int64_t size) {
  Layout tile = image;
  tile.width = tile.height = size;
  return tile.row_bytes() * static_cast<size_t>(size);
}

size_t TileBand::SpareBytes(const Layout& image, int64_t size, int64_t spare) {
  const int64_t rows = RingLayout(image, size + spare).height - RingLayout(image, size).height;
  return image.row_bytes() * static_cast<size_t>(rows);
}

void TileBand::Put(const uint8_t* row) {
  std::memcpy(Row(seen_), row, rows_.row_bytes());
  ++seen_;
}

Status TileBand::ReadUntil(RowReader& reader, int64_t rows) {
  const int64_t room = ring_.layout().height;
  while (seen_ < rows) {
    const int64_t now = std::min(rows - seen_, room - seen_ % room);
    TRY(reader.Read(now, Row(seen_), rows_.row_bytes()));
    seen_ += now;
  }
  return {};
}

std::span<const uint8_t* const> TileBand::Tile(int64_t x, int64_t y, TileRows& rows) const {
  rows.pointers.resize(static_cast<size_t>(size_));
  if (x + size_ > image_.width || y + size_ > image_.height) return Padded(x, y, rows);
  const size_t offset = static_cast<size_t>(x) * PixelBytes(image_);
  for (int64_t i = 0; i < size_; ++i) rows.pointers[static_cast<size_t>(i)] = Row(y + i) + offset;
  return rows.pointers;
}

std::span<const uint8_t* const> TileBand::Padded(int64_t x, int64_t y, TileRows& rows) const {
  if (!rows.padded) rows.padded = Image(tile_layout());
  const size_t pixel = PixelBytes(image_);
  const int64_t columns = std::min(size_, image_.width - x);
  const int64_t inside = std::min(size_, image_.height - y);
  for (int64_t i = 0; i < inside; ++i) {
    uint8_t* to = rows.padded.row(i);
    std::memcpy(to, Row(y + i) + static_cast<size_t>(x) * pixel, static_cast<size_t>(columns) * pixel);
    const uint8_t* last = to + static_cast<size_t>(columns - 1) * pixel;
    for (int64_t at = columns; at < size_; ++at)
      std::memcpy(to + static_cast<size_t>(at) * pixel, last, pixel);
  }
  for (int64_t i = 0; i < size_; ++i)
    rows.pointers[static_cast<size_t>(i)] = rows.padded.row(std::min(i, inside - 1));
  return rows.pointers;
}

}  // namespace imgmill
