// RowReader over JpegDecoder: the hot path of the whole tool, one copy-free call a strip.
#include "jpeg_rows.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"
#include "image/readable_part.h"

namespace imgmill {
namespace {

class JpegRows final : public RowReader {
 public:
  JpegRows(std::unique_ptr<JpegDecoder> decoder, int shrink, bool lenient)
      : decoder_(std::move(decoder)), shrink_(shrink), lenient_(lenient) {
    const jpeg_decompress_struct& info = decoder_->info();
    layout_ = {info.output_width, info.output_height, info.output_components, Sample::kU8};
    inverted_ = info.out_color_space == JCS_CMYK;
    if (inverted_ && !info.saw_Adobe_marker)
      notes_.push_back("CMYK without an Adobe marker: taken as inverted, as Adobe stores it");
    if (shrink_ > 1) notes_.push_back("decoded at 1/" + std::to_string(shrink_));
  }

  const Layout& layout() const override { return layout_; }
  const std::vector<std::string>& notes() const override { return notes_; }
  int shrink() const override { return shrink_; }

  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    if (rows > layout_.height - next_row_) {
      return Error{Stage::kDecode, Code::kInternal, "rows beyond the end were asked for"};
    }
    int64_t read = 0;
    if (!stopped_) {
      const Status status = decoder_->Read(rows, destination, stride);
      if (!status && (!lenient_ || !IsBroken(status.error().code))) return status;
      // No more than is said to be readable, however many rows are asked for at once.
      read = status ? rows : int64_t{decoder_->info().output_scanline} - next_row_;
      if (!status) TRY(Stop(next_row_ + read, status.error()));
      if (decoder_->rows_before_end() == 0) return decoder_->Damaged();
    }
    for (int64_t y = 0; y < rows; ++y) {
      uint8_t* row = destination + static_cast<size_t>(y) * stride;
      if (y >= read) std::memset(row, inverted_ ? 255 : 0, layout_.row_bytes());
      // Adobe stores CMYK as light that is let through. Files without its marker are read alike by Pillow,
      // OpenCV, ImageMagick, FFmpeg and libvips.
      if (inverted_ && y < read) {
        std::transform(row, row + layout_.row_bytes(), row, [](uint8_t v) { return uint8_t(255 - v); });
      }
    }
    next_row_ += rows;
    if (next_row_ == layout_.height) {
      if (!stopped_ && !decoder_->damage().empty()) {
        const std::optional<int64_t> whole = decoder_->rows_before_end();
        notes_.push_back(whole ? PartNote(*whole / shrink_, layout_.height, "grey", decoder_->damage())
                               : decoder_->damage() + kReadableKept);
      }
      decoder_->Finish();
    }
    return {};
  }

 private:
  // @param row  the first that cannot be read. Error: there is none above it
  Status Stop(int64_t row, const Error& why) {
    if (row == 0) return why;
    stopped_ = true;
    notes_.push_back(PartNote(row, layout_.height, "black", why.message));
    return {};
  }

  std::unique_ptr<JpegDecoder> decoder_;
  Layout layout_;
  int shrink_;
  bool lenient_;
  bool inverted_ = false;
  bool stopped_ = false;
  int64_t next_row_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace

int ChooseShrink(int64_t width, int64_t height, int shrink_to_side) {
  if (shrink_to_side <= 0) return 1;
  const int64_t shorter = std::min(width, height);
  for (int shrink : {8, 4, 2}) {
    if ((shorter + shrink - 1) / shrink >= shrink_to_side) return shrink;
  }
  return 1;
}

Result<std::unique_ptr<RowReader>> OpenJpegRows(std::unique_ptr<JpegDecoder> decoder, J_COLOR_SPACE space,
                                                int shrink, bool lenient) {
  TRY(decoder->Start(space, shrink, lenient));
  return std::unique_ptr<RowReader>(std::make_unique<JpegRows>(std::move(decoder), shrink, lenient));
}

}  // namespace imgmill
