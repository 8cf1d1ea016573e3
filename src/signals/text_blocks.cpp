// Keeps the rows that a row of cells and its strokes see, and sums up each cell's for the network.
#include "signals/text_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace imgmill {
namespace {

constexpr int64_t kHalvedFrom = 512;
constexpr int kPixels = static_cast<int>(kTextCell * kTextCell);
// Added to a cell's range of levels, so that noise on a flat part is no stroke.
constexpr int kSoftening = 8;
constexpr float kRangeUnit = 1.0F / 128;

bool IsHalved(int64_t width, int64_t height) {
  return std::min(width, height) >= kHalvedFrom;
}

// Cells that are measured at once.
constexpr size_t kRun = 16;

/// What the network is told of a cell: strokes and steps of the mean pixel, in shares of the range of levels
/// and as roots, which spread out the small ones; shares of the pixels; and the range itself.
void Tell(const TextCell& cell, TextNetwork& network, size_t at) {
  const int range = cell.high - cell.low;
  const float scale = 1.0F / static_cast<float>(kPixels * (range + kSoftening));
  for (size_t i = 0; i < kStrokeSums; ++i)
    network.Feature(i)[at] = std::sqrt(static_cast<float>(cell.strokes[i]) * scale);
  const auto share = [](int32_t count) { return static_cast<float>(count) / static_cast<float>(kPixels); };
  network.Feature(kStrokeSums)[at] = share(cell.flat);
  network.Feature(kStrokeSums + 1)[at] = share(cell.near_low);
  network.Feature(kStrokeSums + 2)[at] = share(cell.near_high);
  network.Feature(kStrokeSums + 3)[at] = static_cast<float>(range) * kRangeUnit;
}

}  // namespace

TextBlocks::TextBlocks(int64_t width, int64_t height)
    : halved_(IsHalved(width, height)),
      width_(static_cast<size_t>(halved_ ? width / 2 : width)),
      height_(static_cast<size_t>(halved_ ? height / 2 : height)),
      across_(width_ / kTextCell),
      down_(height_ / kTextCell),
      stride_(width_ + 2 * kTextReach),
      rows_(kTextRows * stride_),
      network_(across_) {}

uint8_t* TextBlocks::Row(size_t y) {
  return rows_.data() + y % kTextRows * stride_ + kTextReach;
}

void TextBlocks::Add(const uint8_t* above, const uint8_t* luma) {
  const size_t y = seen_++;
  if (next_ == height_ || across_ == 0 || (halved_ && y % 2 == 0)) return;
  uint8_t* row = Row(next_);
  if (halved_) {
    kernels_.halve(above, luma, width_, row);
  } else {
    std::memcpy(row, luma, width_);
  }
  // Beyond the edges is what is at the edges.
  std::memset(row - kTextReach, row[0], kTextReach);
  std::memset(row + width_, row[width_ - 1], kTextReach);
  ++next_;
  if (next_ >= (ended_ + 1) * kTextCell + kTextReach) EndCells();
}

void TextBlocks::EndCells() {
  const size_t top = ended_++ * kTextCell;
  const uint8_t* rows[kTextRows];
  for (size_t i = 0; i < kTextRows; ++i) {
    const size_t y = top + i < kTextReach ? 0 : top + i - kTextReach;
    rows[i] = Row(std::min(y, next_ - 1));
  }
  for (size_t from = 0; from < across_; from += kRun) {
    const size_t count = std::min(kRun, across_ - from);
    TextCell cells[kRun];
    kernels_.cells(rows, count, cells);
    for (size_t i = 0; i < count; ++i) Tell(cells[i], network_, from + i);
    for (const uint8_t*& row : rows) row += kRun * kTextCell;
  }
  network_.AddRow();
}

std::optional<double> TextBlocks::Finish() {
  if (across_ == 0 || down_ == 0 || next_ == 0) return std::nullopt;
  while (ended_ < down_) EndCells();
  return 100 * static_cast<double>(network_.Finish()) / static_cast<double>(across_ * down_);
}

size_t TextBlocks::PooledBytes(int64_t width, int64_t height) {
  const auto columns = static_cast<size_t>(IsHalved(width, height) ? width / 2 : width);
  return kTextRows * (columns + 2 * kTextReach) + TextNetwork::PooledBytes(columns / kTextCell);
}

}  // namespace imgmill
