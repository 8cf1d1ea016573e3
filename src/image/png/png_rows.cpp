#include "png_rows.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "image/open_file.h"
#include "image/readable_part.h"
#include "image/row_by_row.h"
#include "image/stored_number.h"
#include "inflater.h"
#include "png_data.h"
#include "png_unfilter.h"

namespace imgmill {
namespace {

/// Metadata longer than this is not read twice.
constexpr uint32_t kMostDescription = uint32_t{1} << 20;

bool IsCritical(std::string_view name) {
  return (name[0] & 0x20) == 0;
}

class PngRows final : public RowByRow {
 public:
  PngRows(InputFile file, const Layout& layout, OpenSlower slower)
      : RowByRow(layout),
        file_(std::move(file)),
        data_(file_),
        slower_(std::move(slower)),
        pixel_bytes_(static_cast<size_t>(layout.bands) * BytesPerSample(layout.sample)),
        rows_(2 * RoomOf(layout.row_bytes())),
        inflater_([this](uint8_t* to, size_t most) { return InPixels() ? data_.Read(to, most) : 0; },
                  1 + layout.row_bytes()) {
    std::memset(rows_.data(), 0, rows_.size());
    row_ = rows_.data();
    above_ = row_ + RoomOf(layout.row_bytes());
  }

  /// A row with its margin.
  static size_t RoomOf(size_t row_bytes) { return row_bytes + kUnfilterMargin; }

  /// Goes to the pixels. @return whether all before them is of a usual kind
  bool Suits() {
    if (!data_.NextChunk() || data_.name() != "IHDR" || data_.bytes() != 13) return false;
    uint8_t header[13];
    if (data_.Read(header, sizeof header) != sizeof header) return false;
    constexpr uint8_t kColourTypes[] = {0, 4, 2, 6};  // grey, with alpha, RGB, with alpha
    if (static_cast<int64_t>(BigEndian(header, 4)) != layout_.width ||
        static_cast<int64_t>(BigEndian(header + 4, 4)) != layout_.height ||
        header[8] != 8 * BytesPerSample(layout_.sample) || header[9] != kColourTypes[layout_.bands - 1] ||
        header[10] != 0 || header[11] != 0 || header[12] != 0)
      return false;
    while (data_.NextChunk()) {
      if (data_.name() == "IDAT") return true;
      // A colour that stands for transparency makes a band of its own.
      if (data_.name() == "tRNS" || data_.bytes() > kMostDescription ||
          (IsCritical(data_.name()) && data_.name() != "PLTE"))
        return false;
    }
    return false;
  }

  Status ReadRow(int64_t y, uint8_t* row) override {
    if (other_ == nullptr && Decode(y)) {
      Put(row);
      std::swap(row_, above_);
      return {};
    }
    if (other_ == nullptr) {
      own_rows_ = y;
      TRY(SwitchAt(y, row));
    }
    Status status = other_->Read(1, row, layout_.row_bytes());
    notes_ = other_->notes();
    for (std::string& note : notes_) CountOwnRows(note);
    return status;
  }

 private:
  /// The other reader counts blocks of rows.
  void CountOwnRows(std::string& note) const {
    const std::optional<RowSpan> read = RowsRead({note});
    if (read && read->end < own_rows_) note.replace(0, note.find(' '), std::to_string(own_rows_));
  }

  bool InPixels() const { return data_.name() == "IDAT"; }

  bool Decode(int64_t y) {
    const size_t bytes = layout_.row_bytes();
    const uint8_t* const filtered = inflater_.Next(1 + bytes);
    return filtered != nullptr &&
           UnfilterPngRow(filtered[0], filtered + 1, above_, bytes, pixel_bytes_, row_) &&
           (y + 1 < layout_.height || EndsWell());
  }

  /// Whether nothing is wrong with what comes behind the last row, either.
  bool EndsWell() {
    if (!inflater_.Finish()) return false;
    std::vector<uint8_t> rest(4096);
    while (InPixels() && data_.Read(rest.data(), rest.size()) > 0) continue;
    while (!data_.broken() && data_.name() != "IEND") {
      if (IsCritical(data_.name()) || data_.bytes() > kMostDescription || !data_.NextChunk()) return false;
    }
    return !data_.broken();
  }

  /// Numbers of 16 bits are stored with the upper byte first.
  void Put(uint8_t* row) const {
    if (layout_.sample == Sample::kU8) {
      std::memcpy(row, row_, layout_.row_bytes());
      return;
    }
    for (size_t i = 0; i < layout_.row_bytes(); i += 2) {
      uint16_t value = 0;
      std::memcpy(&value, row_ + i, sizeof value);
      value = __builtin_bswap16(value);
      std::memcpy(row + i, &value, sizeof value);
    }
  }

  /// @param row  where rows may be put that were given already
  Status SwitchAt(int64_t y, uint8_t* row) {
    std::unique_ptr<RowReader> other = TRY(slower_());
    if (other->layout() != layout_) return FileChanged();
    for (int64_t skipped = 0; skipped < y; ++skipped) TRY(other->Read(1, row, layout_.row_bytes()));
    other_ = std::move(other);
    return {};
  }

  const InputFile file_;
  PngData data_;
  const OpenSlower slower_;
  std::unique_ptr<RowReader> other_;  ///< once something was wrong
  int64_t own_rows_ = 0;              ///< given before that
  const size_t pixel_bytes_;
  Buffer rows_;  ///< this one and the one above, as stored
  uint8_t* row_;
  uint8_t* above_;
  Inflater inflater_;
};

}  // namespace

Result<std::unique_ptr<RowReader>> OpenPngRows(const std::string& path, const ImageHeader& header,
                                               OpenSlower slower) {
  if (header.interlaced || header.sample == Sample::kF32 || header.bands < 1 || header.bands > 4)
    return std::unique_ptr<RowReader>();
  InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
  const Layout layout{header.width, header.height, header.bands, header.sample};
  auto rows = std::make_unique<PngRows>(std::move(file), layout, std::move(slower));
  if (!rows->Suits()) rows.reset();
  return std::unique_ptr<RowReader>(std::move(rows));
}

size_t PngRowsBytes(size_t row_bytes) {
  return 2 * PngRows::RoomOf(row_bytes) + Inflater::HeldBytes(1 + row_bytes);
}

}  // namespace imgmill
