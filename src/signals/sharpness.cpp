// The Laplacian on strips of luma, each with the last two rows of the one before as its context.
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <opencv2/imgproc.hpp>

#include "imgmill/memory/pool_array.h"
#include "imgmill/signals/quality.h"
#include "signals/luma.h"

namespace imgmill {
namespace {

// Long enough that OpenCV's cost per call does not show, short enough to stay in the cache.
constexpr int64_t kStripRows = 32;
constexpr int64_t kContextRows = 2;

}  // namespace

struct SharpnessMeter::Impl {
  explicit Impl(const Layout& image)
      : layout(image),
        luma(static_cast<size_t>((kStripRows + kContextRows) * image.width)),
        laplacian(luma.size()) {
    assert(image.sample == Sample::kU8 && (image.bands == 1 || image.bands == 3));
  }

  void AddRow(const uint8_t* row) {
    if (layout.width < 3) return;  // no pixel has a full neighbourhood
    if (rows_held == kStripRows + kContextRows) FilterStrip();
    const auto width = static_cast<size_t>(layout.width);
    uint8_t* target = luma.data() + static_cast<size_t>(rows_held) * width;
    if (layout.bands == 1) {
      std::copy_n(row, width, target);
    } else {
      for (size_t x = 0; x < width; ++x) target[x] = Luma(row[3 * x], row[3 * x + 1], row[3 * x + 2]);
    }
    ++rows_held;
  }

  // Sums over all inner rows held, then keeps the last two rows as the next strip's context.
  void FilterStrip() {
    if (rows_held < 3) return;
    const int rows = static_cast<int>(rows_held);
    const int width = static_cast<int>(layout.width);
    const cv::Mat source(rows, width, CV_8UC1, luma.data());
    cv::Mat filtered(rows, width, CV_16SC1, laplacian.data());
    cv::Laplacian(source, filtered, CV_16S, 1);
    // OpenCV mirrors the picture at its border; those values are left out.
    for (int y = 1; y + 1 < rows; ++y) {
      const int16_t* values = filtered.ptr<int16_t>(y);
      int64_t row_sum = 0;
      int64_t row_squares = 0;
      for (int x = 1; x + 1 < width; ++x) {
        row_sum += values[x];
        row_squares += values[x] * values[x];
      }
      sum += row_sum;
      squares += row_squares;
      count += width - 2;
    }
    const auto context = static_cast<size_t>(kContextRows * layout.width);
    const auto end = static_cast<size_t>(rows_held * layout.width);
    std::copy_n(luma.data() + (end - context), context, luma.data());
    rows_held = kContextRows;
  }

  Layout layout;
  PoolArray<uint8_t> luma;
  PoolArray<int16_t> laplacian;
  int64_t rows_held = 0;
  // |Laplacian| is at most 1020: 2^43 pixels before the squares overflow.
  int64_t sum = 0;
  int64_t squares = 0;
  int64_t count = 0;
};

SharpnessMeter::SharpnessMeter(const Layout& layout) : impl_(new Impl(layout)) {}
SharpnessMeter::~SharpnessMeter() = default;

void SharpnessMeter::Add(const ImageView& rows) {
  for (int64_t y = 0; y < rows.layout.height; ++y) impl_->AddRow(rows.row(y));
}

double SharpnessMeter::Finish() {
  impl_->FilterStrip();
  if (impl_->count == 0) return 0.0;
  // n * sum(v^2) - sum(v)^2 needs up to 100 bits. In whole numbers it is exact, and only the division rounds.
  __extension__ using Wide = __int128;
  const Wide n = impl_->count;
  const Wide numerator = n * impl_->squares - static_cast<Wide>(impl_->sum) * impl_->sum;
  return static_cast<double>(numerator) /
         (static_cast<double>(impl_->count) * static_cast<double>(impl_->count));
}

size_t SharpnessMeter::PooledBytes(const Layout& layout) {
  const auto pixels = static_cast<size_t>((kStripRows + kContextRows) * layout.width);
  // OpenCV keeps a few rows of its own while it filters.
  return pixels * (1 + sizeof(int16_t)) + static_cast<size_t>(layout.width) * 32;
}

double Sharpness(const ImageView& image) {
  SharpnessMeter meter(image.layout);
  meter.Add(image);
  return meter.Finish();
}

}  // namespace imgmill
