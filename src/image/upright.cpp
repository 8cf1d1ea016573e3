// EXIF orientation as a RowReader on top of another: mirrored rows as they come, turned ones out of a held
// image.
#include "upright.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"
#include "held_pixels.h"

namespace imgmill {
namespace {

// Columns of the stored image that are gathered at once: a cache line of 3-band pixels, several times over.
constexpr int64_t kColumns = 32;

void MirrorRow(uint8_t* row, int64_t width, size_t pixel_bytes) {
  uint8_t* left = row;
  uint8_t* right = row + static_cast<size_t>(width - 1) * pixel_bytes;
  for (; left < right; left += pixel_bytes, right -= pixel_bytes) {
    std::swap_ranges(left, left + pixel_bytes, right);
  }
}

class MirroredRows final : public RowReader {
 public:
  explicit MirroredRows(std::unique_ptr<RowReader> rows) : rows_(std::move(rows)) {}
  const Layout& layout() const override { return rows_->layout(); }
  const std::vector<std::string>& notes() const override { return rows_->notes(); }
  int shrink() const override { return rows_->shrink(); }

  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    TRY(rows_->Read(rows, destination, stride));
    const Layout& l = rows_->layout();
    const size_t pixel = l.row_bytes() / static_cast<size_t>(l.width);
    for (int64_t y = 0; y < rows; ++y)
      MirrorRow(destination + static_cast<size_t>(y) * stride, l.width, pixel);
    return {};
  }

 private:
  std::unique_ptr<RowReader> rows_;
};

class TurnedRows final : public RowReader {
 public:
  TurnedRows(std::unique_ptr<RowReader> rows, int orientation, size_t whole_image_bytes)
      : rows_(std::move(rows)),
        stored_(rows_->layout()),
        layout_(stored_),
        shrink_(rows_->shrink()),
        orientation_(orientation),
        whole_image_bytes_(whole_image_bytes) {
    if (orientation_ >= 5) std::swap(layout_.width, layout_.height);
  }
  const Layout& layout() const override { return layout_; }
  const std::vector<std::string>& notes() const override { return rows_ ? rows_->notes() : notes_; }
  int shrink() const override { return shrink_; }

  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    if (rows > layout_.height - next_row_) {
      return Error{Stage::kDecode, Code::kInternal, "rows beyond the end were asked for"};
    }
    if (rows_) {
      std::unique_ptr<HeldPixels> held = TRY(HeldPixels::Take(*rows_, whole_image_bytes_, Bands()));
      held_ = std::move(held);
      notes_ = rows_->notes();
      rows_.reset();  // the decoder's memory is needed no more
    }
    Status status = orientation_ >= 5 ? Columns(rows, destination, stride) : Rows(rows, destination, stride);
    next_row_ += rows;
    if (next_row_ == layout_.height) held_.reset();
    return status;
  }

 private:
  // As Columns asks for them.
  ColumnBands Bands() const {
    if (orientation_ < 5) return {};
    const int64_t rest = orientation_ >= 7 ? stored_.width % kColumns : 0;
    return {kColumns, rest > 0 ? rest : kColumns};
  }

  // 3 and 4: the stored rows from the last one up.
  Status Rows(int64_t rows, uint8_t* destination, size_t stride) {
    const size_t pixel = stored_.row_bytes() / static_cast<size_t>(stored_.width);
    for (int64_t i = 0; i < rows; ++i) {
      uint8_t* row = destination + static_cast<size_t>(i) * stride;
      TRY(held_->Copy(stored_.height - 1 - (next_row_ + i), 0, stored_.row_bytes(), row));
      if (orientation_ == 3) MirrorRow(row, stored_.width, pixel);
    }
    return {};
  }

  // 5 to 8: an upright row is a stored column, from the left (5, 6) or from the right (7, 8), read downwards
  // (5, 8) or upwards (6, 7).
  Status Columns(int64_t rows, uint8_t* destination, size_t stride) {
    const size_t pixel = stored_.row_bytes() / static_cast<size_t>(stored_.width);
    const bool from_right = orientation_ >= 7;
    const bool upwards = orientation_ == 6 || orientation_ == 7;
    std::vector<uint8_t> run(static_cast<size_t>(kColumns) * pixel);
    for (int64_t done = 0, now = 0; done < rows; done += now) {
      const int64_t first = next_row_ + done;
      now = std::min(kColumns - first % kColumns, rows - done);  // within one band
      const int64_t left = from_right ? stored_.width - first - now : first;
      for (int64_t y = 0; y < stored_.height; ++y) {
        TRY(held_->Copy(y, static_cast<size_t>(left) * pixel, static_cast<size_t>(now) * pixel, run.data()));
        const int64_t x = upwards ? stored_.height - 1 - y : y;
        for (int64_t i = 0; i < now; ++i) {
          const int64_t column = from_right ? now - 1 - i : i;
          std::memcpy(destination + static_cast<size_t>(done + i) * stride + static_cast<size_t>(x) * pixel,
                      run.data() + static_cast<size_t>(column) * pixel, pixel);
        }
      }
    }
    return {};
  }

  std::unique_ptr<RowReader> rows_;
  Layout stored_;
  Layout layout_;
  int shrink_;
  int orientation_;
  size_t whole_image_bytes_;
  std::unique_ptr<HeldPixels> held_;
  std::vector<std::string> notes_;
  int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<RowReader> Upright(std::unique_ptr<RowReader> rows, int orientation,
                                   size_t whole_image_bytes) {
  if (orientation <= 1 || orientation > 8) return rows;
  if (orientation == 2) return std::make_unique<MirroredRows>(std::move(rows));
  return std::make_unique<TurnedRows>(std::move(rows), orientation, whole_image_bytes);
}

}  // namespace imgmill
