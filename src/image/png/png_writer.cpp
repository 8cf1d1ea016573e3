// Puts the parts of a PNG file together: head, pixels, end.
#include "png_writer.h"

#include <algorithm>

#include "base/try.h"
#include "image/announced_rows.h"
#include "image/file_sink.h"
#include "image/stored_form.h"
#include "image/write_metadata.h"
#include "png_head.h"
#include "png_pixels.h"

namespace imgmill {
namespace {

/// At least one beside the caller's, so that writing does not keep reading waiting.
int Threads() {
  return std::max(2, WorkCrew::Get().threads());
}

class PngWriter final : public RowWriter {
 public:
  PngWriter(std::unique_ptr<OutputFile> file, const Layout& layout, const WriteOptions& options)
      : file_(std::move(file)),
        sink_(*file_),
        announced_(layout),
        stored_(StoredForm(layout, options.format)),
        pixels_(stored_, options.compression, Threads(), sink_) {
    NoteConversions(announced_.layout(), stored_, options.format, notes_);
  }

  Status Start(const WriteOptions& options, const std::string& metadata_from) {
    std::vector<uint8_t> head;
    {
      VipsShared share;
      const ImageRef described = OnePixel(stored_);
      if (described && !metadata_from.empty())
        TakeMetadata(described.get(), metadata_from, announced_.layout(), options, notes_);
      Result<std::vector<uint8_t>> made = PngHead(stored_, described.get());
      if (!made) return made.error();
      head = *std::move(made);
    }
    file_->Append(head);  // a failure is told with the rows
    return {};
  }

  const std::vector<std::string>& notes() const override { return notes_; }

  Status Write(const ImageView& rows) override {
    TRY(announced_.Fit(rows));
    if (std::optional<Error> error = file_->failure()) return *error;
    announced_.Came(rows);
    const bool as_stored = stored_ == announced_.layout();
    if (!as_stored) row_.resize(stored_.row_bytes());
    for (int64_t y = 0; y < rows.layout.height; ++y) {
      const uint8_t* row = rows.row(y);
      if (!as_stored) {
        StoreRow(row, announced_.layout(), stored_, row_.data());
        row = row_.data();
      }
      if (!pixels_.Put(row)) return Failure();
    }
    return {};
  }

  Status Finish() override {
    TRY(announced_.Complete());
    if (!pixels_.Finish() || !file_->Append(PngEnd())) return Failure();
    return file_->Keep();
  }

 private:
  Error Failure() const {
    return file_->failure().value_or(
        Error{Stage::kEncode, Code::kInternal, "the encoder stopped before all rows were written"});
  }

  std::unique_ptr<OutputFile> file_;
  FileSink sink_;
  AnnouncedRows announced_;
  Layout stored_;
  std::vector<std::string> notes_;
  std::vector<uint8_t> row_;
  PngPixels pixels_;  // last: its threads write to the file
};

}  // namespace

Result<std::unique_ptr<RowWriter>> CreatePngRows(std::unique_ptr<OutputFile> file, const Layout& layout,
                                                 const WriteOptions& options,
                                                 const std::string& metadata_from) {
  auto writer = std::make_unique<PngWriter>(std::move(file), layout, options);
  TRY(writer->Start(options, metadata_from));
  return std::unique_ptr<RowWriter>(std::move(writer));
}

Footprint PngWriteFootprint(const Layout& stored, const WriteOptions& options) {
  // Beside the bands: what libvips and libpng need for the metadata, and a row whose form is changed.
  constexpr size_t kMetadata = size_t{512} << 10;
  return {PngPixels::HeldBytes(stored, options.compression, Threads()), kMetadata + stored.row_bytes()};
}

void SetWritingThreads(int threads) {
  WorkCrew::Get().SetThreads(threads);
}

}  // namespace imgmill
