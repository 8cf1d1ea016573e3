// Numbers become what they mean: white is white, whatever the largest number is. libvips' reader, which could
// be asked instead, loses its place at comments and takes what is not there for zeros.
#include "pnm_rows.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/try.h"
#include "image/full_range.h"
#include "image/readable_part.h"
#include "image/row_by_row.h"
#include "image/stored_number.h"
#include "imgmill/memory/pool.h"
#include "pnm_words.h"

namespace imgmill {
namespace {

constexpr size_t kPiece = size_t{256} << 10;
constexpr size_t kTextPiece = size_t{64} << 10;

/// Whole rows that are in the file; not of text.
int64_t RowsThere(const PnmHeader& header, int64_t file_bytes) {
  return std::min(std::max<int64_t>(0, file_bytes - header.pixels_at) / header.row_bytes(), header.height);
}

std::optional<Error> TooShort(const PnmHeader& header, int64_t file_bytes) {
  const auto missing = [](const std::string& what) { return Error{Stage::kDecode, Code::kTruncated, what}; };
  if (!header.text()) {
    const int64_t there = RowsThere(header, file_bytes);
    if (there == header.height) return std::nullopt;
    return missing("the file ends in row " + std::to_string(there) + " of " + std::to_string(header.height));
  }
  // A number takes a digit, and all but the last one a space.
  const int64_t row = header.width * header.bands * (header.pixels == PnmHeader::Pixels::kTextBits ? 1 : 2);
  const int64_t bytes = std::max<int64_t>(0, file_bytes - header.pixels_at) + 1;
  if (bytes / row >= header.height) return std::nullopt;
  return missing("the file is too short for the numbers of its pixels");
}

class PnmRows final : public RowByRow {
 public:
  PnmRows(InputFile file, const PnmHeader& header, bool lenient)
      : RowByRow({header.width, header.height, header.bands, header.sample()}),
        file_(std::move(file)),
        header_(header),
        lenient_(lenient),
        words_(file_, header.pixels_at, header.text() ? kTextPiece : 1) {
    const uint32_t full = layout_.sample == Sample::kU16 ? 65535 : 255;
    if (layout_.sample == Sample::kF32 || header.pixels == PnmHeader::Pixels::kBits) return;
    scaled_.resize(size_t{full} + 1);
    for (uint32_t v = 0; v <= full; ++v)
      scaled_[v] = OnFullRange(std::min(v, header.white), header.white, full);
  }

  /// What is missing, as far as lengths tell.
  Status LookForEnd() {
    if (!header_.text()) {
      rows_there_ = RowsThere(header_, file_.bytes());
      piece_ = Buffer(PnmPieceBytes(static_cast<size_t>(header_.row_bytes())));
    }
    std::optional<Error> too_short = TooShort(header_, file_.bytes());
    // Of numbers in text it is told in which row they end.
    if (!too_short || (header_.text() && lenient_)) return {};
    return Missing(*std::move(too_short), rows_there_);
  }

  Status ReadRow(int64_t y, uint8_t* row) override {
    return header_.text() ? TextRow(y, row) : StoredRow(y, row);
  }

 private:
  bool Bits() const { return header_.pixels == PnmHeader::Pixels::kTextBits; }

  /// @param rows  that are whole
  Status Missing(Error error, int64_t rows) {
    if (lenient_ && rows == 0) return error;
    if (lenient_) {
      const bool lower = header_.pixels == PnmHeader::Pixels::kFloats;
      notes_.push_back(PartNote(rows, layout_.height, "black", error.message, lower));
      return {};
    }
    error.message += kAllowTruncated;
    return error;
  }

  void Put(uint8_t* row, int64_t i, int64_t number) const {
    const auto most = static_cast<int64_t>(scaled_.size()) - 1;
    const uint16_t value = scaled_[static_cast<size_t>(std::min(number, most))];
    if (layout_.sample == Sample::kU8) {
      row[i] = static_cast<uint8_t>(value);
    } else {
      std::memcpy(row + 2 * i, &value, sizeof value);
    }
  }

  Status TextRow(int64_t y, uint8_t* row) {
    std::memset(row, 0, layout_.row_bytes());
    const bool bits = Bits();
    const int64_t samples = layout_.width * layout_.bands;
    for (int64_t i = 0; i < samples && !stopped_; ++i) {
      const int64_t number = bits ? words_.Bit() : words_.Number();
      if (number >= 0) {
        Put(row, i, bits ? 1 - number : number);
        continue;
      }
      if (words_.read_errno() != 0) return ReadErrorFromErrno(Stage::kDecode, words_.read_errno());
      stopped_ = true;
      const bool end = number == PnmWords::kEnd;
      return Missing(
          {Stage::kDecode, end ? Code::kTruncated : Code::kMalformed,
           std::string(end ? "the numbers of its pixels end" : "not a number where one is expected") +
               " in row " + std::to_string(y) + " of " + std::to_string(layout_.height)},
          y);
    }
    return {};
  }

  Status StoredRow(int64_t y, uint8_t* row) {
    const bool floats = header_.pixels == PnmHeader::Pixels::kFloats;
    const int64_t stored = floats ? layout_.height - 1 - y : y;
    if (stored >= rows_there_) {
      std::memset(row, 0, layout_.row_bytes());
      return {};
    }
    if (stored < piece_first_ || stored >= piece_first_ + piece_rows_) {
      TRY(ReadPiece(stored, floats));
    }
    const uint8_t* from = piece_.data() + (stored - piece_first_) * header_.row_bytes();
    const int64_t samples = layout_.width * layout_.bands;
    if (header_.pixels == PnmHeader::Pixels::kBits) {
      for (int64_t x = 0; x < samples; ++x) row[x] = (from[x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255;
    } else if (floats) {
      for (int64_t i = 0; i < samples; ++i) {
        const auto value = static_cast<uint32_t>(StoredNumber(from + 4 * i, 4, !header_.little_endian));
        std::memcpy(row + 4 * i, &value, sizeof value);
      }
    } else if (layout_.sample == Sample::kU8) {
      for (int64_t i = 0; i < samples; ++i) Put(row, i, from[i]);
    } else {
      for (int64_t i = 0; i < samples; ++i) Put(row, i, from[2 * i] << 8 | from[2 * i + 1]);
    }
    return {};
  }

  /// Rows around `stored`: those that come next.
  Status ReadPiece(int64_t stored, bool upwards) {
    const int64_t at_once = static_cast<int64_t>(piece_.size()) / header_.row_bytes();
    piece_first_ = upwards ? std::max<int64_t>(0, stored + 1 - at_once) : stored;
    piece_rows_ = std::min(at_once, (upwards ? stored + 1 : rows_there_) - piece_first_);
    const auto bytes = static_cast<size_t>(piece_rows_ * header_.row_bytes());
    const ptrdiff_t got =
        file_.ReadAt(header_.pixels_at + piece_first_ * header_.row_bytes(), piece_.data(), bytes);
    if (got < 0) return ReadErrorFromErrno(Stage::kDecode, errno);
    if (got != static_cast<ptrdiff_t>(bytes)) return FileChanged();
    return {};
  }

  const InputFile file_;
  const PnmHeader header_;
  const bool lenient_;
  PnmWords words_;
  std::vector<uint16_t> scaled_;  // what each number becomes
  Buffer piece_;                  // stored rows
  int64_t piece_first_ = 0;
  int64_t piece_rows_ = 0;
  int64_t rows_there_ = 0;
  bool stopped_ = false;
};

}  // namespace

ImageHeader HeaderOfPnm(const PnmHeader& pnm, int64_t file_bytes) {
  ImageHeader header;
  header.format = ImageFormat::kPnm;
  header.width = pnm.width;
  header.height = pnm.height;
  header.bands = pnm.bands;
  header.has_alpha = pnm.bands == 2 || pnm.bands == 4;
  header.sample = pnm.sample();
  header.file_bytes = file_bytes;
  header.too_short = TooShort(pnm, file_bytes);
  if (header.too_short) header.too_short->message += kAllowTruncated;
  return header;
}

Result<std::unique_ptr<RowReader>> OpenPnmRows(const std::string& path, const ImageHeader& header,
                                               bool lenient) {
  InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
  const FileHead head = TRY(ReadHead(file, Stage::kDecode));
  if (head.format != ImageFormat::kPnm) return FileChanged();
  const Result<PnmHeader> pnm = ReadPnmHeader(file, Stage::kDecode);
  if (!pnm || pnm->width != header.width || pnm->height != header.height || pnm->bands != header.bands ||
      pnm->sample() != header.sample) {
    return FileChanged();
  }
  auto rows = std::make_unique<PnmRows>(std::move(file), *pnm, lenient);
  TRY(rows->LookForEnd());
  return std::unique_ptr<RowReader>(std::move(rows));
}

size_t PnmPieceBytes(size_t row_bytes) {
  return std::max(row_bytes, kPiece);
}

}  // namespace imgmill
