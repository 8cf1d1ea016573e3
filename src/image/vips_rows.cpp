// RowReader over a libvips pipeline: a fresh region for each strip, so that any thread may ask for the next
// one and no more than a strip is held.
#include "vips_rows.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"
#include "open_file.h"
#include "readable_part.h"

namespace imgmill {
namespace {

// Rows decoded at once: libvips' readers work in strips of this height or in the file's own.
constexpr int64_t kStripRows = 16;
constexpr size_t kStripBytes = size_t{256} << 10;

class VipsRows final : public RowReader {
 public:
  VipsRows(PipelineMaker make, VipsPipeline pipeline, bool allow_truncated)
      : make_(std::move(make)), allow_truncated_(allow_truncated) {
    Adopt(std::move(pipeline));
    const VipsImage* image = pipeline_.image.get();
    layout_ = {image->Xsize, image->Ysize, image->Bands,
               image->BandFmt == VIPS_FORMAT_UCHAR    ? Sample::kU8
               : image->BandFmt == VIPS_FORMAT_USHORT ? Sample::kU16
                                                      : Sample::kF32};
  }
  ~VipsRows() override {
    VipsShared share;
    pipeline_ = {};
  }

  const Layout& layout() const override { return layout_; }
  const std::vector<std::string>& notes() const override { return notes_; }
  int shrink() const override { return pipeline_.shrink; }
  void AddNote(const std::string& note) { notes_.push_back(note); }

  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    if (rows > layout_.height - next_row_) {
      return Error{Stage::kDecode, Code::kInternal, "rows beyond the end were asked for"};
    }
    const int64_t strip = std::max<int64_t>(
        kStripRows, static_cast<int64_t>(kStripBytes / std::max<size_t>(1, layout_.row_bytes())));
    while (rows > 0) {
      const int64_t now = std::min(strip, rows);
      TRY(Strip(now, destination, stride));
      destination += static_cast<size_t>(now) * stride;
      next_row_ += now;
      rows -= now;
    }
    if (next_row_ < layout_.height) return {};
    TakeFeedNotes();
    if (lenient_ && !given_up_) notes_.push_back(damage_.message + kReadableKept);
    return {};
  }

 private:
  void Adopt(VipsPipeline pipeline) {
    pipeline_ = std::move(pipeline);
    if (notes_.empty()) notes_ = pipeline_.notes;
  }

  // What the rows' own reader noted while it was read.
  void TakeFeedNotes() {
    if (!pipeline_.feed) return;
    for (const std::string& note : pipeline_.feed->rows->notes()) {
      if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(note);
    }
  }

  // Rows `y` to `y + rows` of `image`; null destination: only computed.
  static bool Prepare(VipsImage* image, int64_t y, int64_t rows, uint8_t* destination, size_t stride,
                      size_t row_bytes) {
    GRef<VipsRegion> region(vips_region_new(image));
    const VipsRect area = {0, static_cast<int>(y), image->Xsize, static_cast<int>(rows)};
    if (!region || vips_region_prepare(region.get(), &area) != 0) return false;
    for (int64_t i = 0; i < rows && destination != nullptr; ++i) {
      std::memcpy(destination + static_cast<size_t>(i) * stride,
                  VIPS_REGION_ADDR(region.get(), 0, area.top + static_cast<int>(i)), row_bytes);
    }
    return true;
  }

  Status Strip(int64_t rows, uint8_t* destination, size_t stride) {
    if (!lenient_) {
      {
        VipsShared share;
        if (Prepare(pipeline_.image.get(), next_row_, rows, destination, stride, layout_.row_bytes()))
          return {};
        if (pipeline_.feed && pipeline_.feed->error) return *pipeline_.feed->error;
      }
      TRY(BecomeLenient(rows));
    }
    const int64_t read = given_up_ ? 0 : ReadableRows(rows, destination, stride);
    if (read < rows && !given_up_) TRY(GiveUp(next_row_ + read));
    for (int64_t i = read; i < rows; ++i) {
      std::memset(destination + static_cast<size_t>(i) * stride, 0, layout_.row_bytes());
    }
    return {};
  }

  // Opens it again, to be read as far as it goes. @param rows  of the strip that failed
  Status BecomeLenient(int64_t rows) {
    const Error error = Diagnose(rows);
    if (!IsBroken(error.code) || !allow_truncated_) return error;
    damage_ = error;
    lenient_ = true;
    VipsShared share;
    MadePipeline again = make_(true);
    if (!again.pipeline) return GiveUp(next_row_);
    Adopt(std::move(*again.pipeline));
    return {};
  }

  // Rows of a strip up to the first that cannot be read. libvips' lenient readers hand out what their buffers
  // held before in place of rows that are missing, and only their error buffer tells: one row at a time, so
  // that it is the same row however many are asked for.
  int64_t ReadableRows(int64_t rows, uint8_t* destination, size_t stride) {
    VipsAlone alone;
    for (int64_t i = 0; i < rows; ++i) {
      vips_error_clear();
      const bool read = Prepare(pipeline_.image.get(), next_row_ + i, 1,
                                destination + static_cast<size_t>(i) * stride, stride, layout_.row_bytes());
      const bool whole = read && *vips_error_buffer() == '\0';
      vips_error_clear();
      if (!whole) return i;
    }
    return rows;
  }

  // @param row  the first that cannot be read. Error: there is none above it
  Status GiveUp(int64_t row) {
    given_up_ = true;
    if (row == 0) return damage_;
    notes_.push_back(PartNote(row, layout_.height, "black", damage_.message));
    return {};
  }

  // Decodes alone up to the strip that failed, for libvips' own words about it.
  Error Diagnose(int64_t rows) {
    pipeline_.image.reset();  // its memory is needed for the second attempt
    Error error = DiagnoseAlone(Stage::kDecode, "libvips cannot decode it", [&] {
      MadePipeline again = make_(false);
      if (!again.pipeline) return false;
      // In the same steps: a reader of rows must not be asked to jump.
      for (int64_t y = 0; y < next_row_ + rows; y += kStripRows) {
        const int64_t now = std::min(kStripRows, next_row_ + rows - y);
        if (!Prepare(again.pipeline->image.get(), y, now, nullptr, 0, 0)) return false;
      }
      return true;
    });
    if (IsBroken(error.code)) {
      error.message = "image data is broken near row " + std::to_string(next_row_) + " of " +
                      std::to_string(layout_.height) + ": " + error.message;
      if (!allow_truncated_) error.message += kAllowTruncated;
    }
    return error;
  }

  PipelineMaker make_;
  VipsPipeline pipeline_;
  Layout layout_;
  bool allow_truncated_;
  bool lenient_ = false;
  bool given_up_ = false;
  Error damage_;
  int64_t next_row_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace

Result<std::unique_ptr<RowReader>> OpenVipsRows(PipelineMaker make, bool allow_truncated) {
  MadePipeline made;
  {
    VipsShared share;
    made = make(false);
  }
  std::string note;
  if (!made.pipeline && !made.error) {
    Error error = DiagnoseAlone(Stage::kDecode, "libvips cannot open it", [&] {
      made = make(false);
      return made.pipeline.has_value() || made.error.has_value();
    });
    if (!made.pipeline && !made.error) {
      if (!allow_truncated) {
        if (IsBroken(error.code)) error.message += kAllowTruncated;
        return error;
      }
      VipsShared share;
      made = make(true);
      if (!made.pipeline) return error;
      note = error.message + kReadableKept;
    }
  }
  if (made.error) return *made.error;
  auto rows = std::make_unique<VipsRows>(std::move(make), std::move(*made.pipeline), allow_truncated);
  if (!note.empty()) rows->AddNote(note);
  return std::unique_ptr<RowReader>(std::move(rows));
}

}  // namespace imgmill
