// Means of blocks until one shows colour, and a small table of colours until it is full: a photo is done
// with both after a few rows.
#include "imgmill/signals/image_colours.h"

#include <algorithm>
#include <cstring>

#include "imgmill/image/shown_colour.h"

namespace imgmill {
namespace {

constexpr int64_t kPixelsPerColour = 16;

size_t ColumnsOf(const Layout& layout, size_t block) {
  return std::max<size_t>(1, static_cast<size_t>(layout.width) / block);
}

}  // namespace

ColourMeter::ColourMeter(const Layout& layout, int shrink, bool counts)
    : width_(static_cast<size_t>(layout.width)),
      bands_(static_cast<size_t>(layout.bands)),
      block_(static_cast<size_t>(kColourBlock / shrink)),
      columns_(ColumnsOf(layout, block_)),
      sums_(3 * columns_),
      counts_(counts),
      above_(layout.row_bytes()) {
  std::fill_n(sums_.data(), sums_.size(), 0u);
}

void ColourMeter::Add(const ImageView& rows) {
  for (int64_t y = 0; y < rows.layout.height; ++y) {
    if (bands_ == 3 && !shown_) AddToBlocks(rows.row(y));
    if (counts_) Count(rows.row(y));
  }
}

void ColourMeter::AddToBlocks(const uint8_t* row) {
  for (size_t column = 0; column < columns_; ++column) {
    uint32_t* sum = sums_.data() + 3 * column;
    const size_t end = std::min(width_, (column + 1) * block_);
    for (size_t x = column * block_; x < end; ++x) {
      for (size_t band = 0; band < 3; ++band) sum[band] += row[3 * x + band];
    }
  }
  if (++rows_in_block_ == block_) EndBlocks();
}

void ColourMeter::EndBlocks() {
  const auto pixels = static_cast<uint32_t>(rows_in_block_ * std::min(width_, block_));
  for (size_t column = 0; column < columns_; ++column) {
    uint32_t* sum = sums_.data() + 3 * column;
    const auto mean = [&](size_t band) { return static_cast<int>((sum[band] + pixels / 2) / pixels); };
    shown_ = shown_ || ColourSpread(mean(0), mean(1), mean(2)) >= kShownColour;
    std::fill_n(sum, 3, 0u);
  }
  rows_in_block_ = 0;
  had_block_ = true;
}

void ColourMeter::Count(const uint8_t* row) {
  const auto colour = [&](const uint8_t* pixel) {
    return bands_ == 1 ? uint32_t{pixel[0]}
                       : uint32_t{pixel[0]} << 16 | uint32_t{pixel[1]} << 8 | uint32_t{pixel[2]};
  };
  uint32_t left = 0;
  for (size_t x = 0; x < width_ && counts_; ++x) {
    const uint32_t here = colour(row + x * bands_);
    if (x == 0 || here != left) {
      Note(here);
    } else if (rows_ > 0 && here == colour(above_.data() + x * bands_)) {
      ++equal_;
    }
    left = here;
  }
  std::memcpy(above_.data(), row, width_ * bands_);
  ++rows_;
}

void ColourMeter::Note(uint32_t colour) {
  // A multiplier with well spread bits (Knuth, The Art of Computer Programming 3, 6.4).
  size_t at = (colour * 2654435761u) >> 22;
  while (seen_[at] != 0 && seen_[at] != colour + 1) at = (at + 1) % seen_.size();
  if (seen_[at] != 0) return;
  seen_[at] = colour + 1;
  counts_ = ++different_ <= kMostFew;
}

ImageColours ColourMeter::Finish() {
  if (rows_in_block_ > 0 && !had_block_) EndBlocks();
  ImageColours colours;
  colours.shown = shown_;
  if (!counts_) return colours;
  const auto width = static_cast<int64_t>(width_);
  const bool chosen = width * rows_ >= kPixelsPerColour * different_;
  const bool drawn = 4 * equal_ > 3 * (width - 1) * (rows_ - 1);
  if (chosen && !drawn) colours.few = different_;
  return colours;
}

size_t ColourMeter::PooledBytes(const Layout& layout) {
  return layout.row_bytes() + 3 * sizeof(uint32_t) * ColumnsOf(layout, 1);
}

}  // namespace imgmill
