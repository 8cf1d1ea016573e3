// Holds a decoded image in a pool's buffer or in a file that has no name, so that nothing is left behind
// whatever happens.
#include "held_pixels.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/temporary_file.h"
#include "base/try.h"
#include "imgmill/memory/out_of_memory.h"

namespace imgmill {
namespace {

constexpr size_t kStripBytes = size_t{1} << 20;
constexpr size_t kReadAhead = size_t{256} << 10;

class InMemory final : public HeldPixels {
 public:
  explicit InMemory(const Layout& layout) : image_(layout) {}
  Image& image() { return image_; }
  Status Copy(int64_t y, size_t offset, size_t bytes, uint8_t* destination) override {
    std::memcpy(destination, image_.row(y) + offset, bytes);
    return {};
  }

 private:
  Image image_;
};

class InFile final : public HeldPixels {
 public:
  InFile(const Layout& layout, const ColumnBands& bands)
      : height_(layout.height),
        row_bytes_(layout.row_bytes()),
        pixel_(row_bytes_ / static_cast<size_t>(layout.width)),
        columns_(bands.columns > 0 ? static_cast<size_t>(bands.columns) : static_cast<size_t>(layout.width)),
        first_(bands.columns > 0 ? static_cast<size_t>(bands.first) : columns_) {}

  Status Open() {
    NamelessFile made = TRY(OpenTemporaryFile(Stage::kDecode));
    file_ = std::move(made);
    if (columns_ * pixel_ < row_bytes_) ahead_ = Buffer(HostPool(), kReadAhead);
    // Bands grow side by side: a file system that knows their places beforehand keeps each in one piece.
    const auto bytes = static_cast<off_t>(row_bytes_ * static_cast<size_t>(height_));
    // One that cannot do this can still be written to.
    if (fallocate(file_.fd.get(), 0, 0, bytes) != 0 && (errno == ENOSPC || errno == EDQUOT))
      return TemporaryFileError(Stage::kDecode, errno, "write", file_.folder);
    return {};
  }

  /// The next `rows` rows.
  Status Append(const uint8_t* data, int64_t rows) {
    std::vector<uint8_t> cut;
    for (size_t column = 0; column * pixel_ < row_bytes_;) {
      const Band band = BandOf(column);
      const uint8_t* from = data + band.first_column * pixel_;
      if (band.row_bytes < row_bytes_) {
        cut.resize(band.row_bytes * static_cast<size_t>(rows));
        for (size_t y = 0; y < static_cast<size_t>(rows); ++y) {
          std::memcpy(cut.data() + y * band.row_bytes, from + y * row_bytes_, band.row_bytes);
        }
        from = cut.data();
      }
      const size_t at = band.at + static_cast<size_t>(appended_) * band.row_bytes;
      TRY(file_.WriteAt(Stage::kDecode, from, band.row_bytes * static_cast<size_t>(rows), at));
      column = band.first_column + band.row_bytes / pixel_;
    }
    appended_ += rows;
    return {};
  }

  Status Copy(int64_t y, size_t offset, size_t bytes, uint8_t* destination) override {
    const Band band = BandOf(offset / pixel_);
    const size_t at =
        band.at + static_cast<size_t>(y) * band.row_bytes + (offset - band.first_column * pixel_);
    if (band.row_bytes == row_bytes_) return file_.ReadAt(Stage::kDecode, destination, bytes, at);
    if (at < ahead_at_ || at + bytes > ahead_at_ + ahead_bytes_) {
      ahead_at_ = at;
      ahead_bytes_ = std::min(kReadAhead, row_bytes_ * static_cast<size_t>(height_) - at);
      Status read = file_.ReadAt(Stage::kDecode, ahead_.data(), ahead_bytes_, at);
      if (!read) return ahead_bytes_ = 0, read;
    }
    std::memcpy(destination, ahead_.data() + (at - ahead_at_), bytes);
    return {};
  }

 private:
  struct Band {
    size_t at;  ///< in the file
    size_t first_column;
    size_t row_bytes;
  };

  Band BandOf(size_t column) const {
    const size_t width = row_bytes_ / pixel_;
    const size_t start = column < first_ ? 0 : first_ + (column - first_) / columns_ * columns_;
    const size_t end = column < first_ ? first_ : start + columns_;
    return {static_cast<size_t>(height_) * start * pixel_, start, (std::min(end, width) - start) * pixel_};
  }

  const int64_t height_;
  const size_t row_bytes_;
  const size_t pixel_;
  const size_t columns_;
  const size_t first_;
  NamelessFile file_;
  int64_t appended_ = 0;
  Buffer ahead_;  ///< what was read last of a band
  size_t ahead_at_ = 0;
  size_t ahead_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<HeldPixels>> HeldPixels::Take(RowReader& rows, size_t most_bytes_in_memory,
                                                     const ColumnBands& bands) {
  const Layout& layout = rows.layout();
  const size_t row_bytes = layout.row_bytes();
  try {
    if (row_bytes * static_cast<size_t>(layout.height) <= most_bytes_in_memory) {
      auto held = std::make_unique<InMemory>(layout);
      TRY(rows.Read(layout.height, held->image().row(0), row_bytes));
      return std::unique_ptr<HeldPixels>(std::move(held));
    }
    auto held = std::make_unique<InFile>(layout, bands);
    TRY(held->Open());
    Layout strip = layout;
    strip.height = std::clamp<int64_t>(static_cast<int64_t>(kStripBytes / row_bytes), 1, layout.height);
    Image pixels(strip);
    for (int64_t y = 0; y < layout.height; y += strip.height) {
      const int64_t now = std::min(strip.height, layout.height - y);
      Status status = rows.Read(now, pixels.row(0), row_bytes);
      if (status) status = held->Append(pixels.row(0), now);
      if (!status) return status.error();
    }
    return std::unique_ptr<HeldPixels>(std::move(held));
  } catch (const OutOfMemory& refusal) {
    return Error{Stage::kDecode, Code::kOutOfMemory, refusal.what()};
  }
}

}  // namespace imgmill
