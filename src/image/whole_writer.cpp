// The picture in a buffer of ours; encoded when its last row has come.
#include "whole_writer.h"

#include <cstring>

#include "announced_rows.h"
#include "base/try.h"
#include "file_sink.h"
#include "stored_form.h"

namespace imgmill {
namespace {

class WholeWriter final : public RowWriter {
 public:
  WholeWriter(std::unique_ptr<OutputFile> file, const Layout& layout, const WriteOptions& options,
              const std::string& metadata_from)
      : file_(std::move(file)),
        announced_(layout),
        options_(options),
        picture_(StoredForm(layout, options.format)) {
    NoteConversions(layout, picture_.layout(), options.format, notes_);
    if (!metadata_from.empty())
      metadata_ = ReadCarriedMetadata(metadata_from, layout, picture_.layout(), options, notes_);
  }

  const std::vector<std::string>& notes() const override { return notes_; }

  Status Write(const ImageView& rows) override {
    TRY(announced_.Fit(rows));
    announced_.Came(rows);
    const Layout& stored = picture_.layout();
    for (int64_t y = 0; y < rows.layout.height; ++y, ++next_) {
      if (stored == announced_.layout()) {
        std::memcpy(picture_.row(next_), rows.row(y), stored.row_bytes());
      } else {
        StoreRow(rows.row(y), announced_.layout(), stored, picture_.row(next_));
      }
    }
    return {};
  }

  Status Finish() override {
    TRY(announced_.Complete());
    FileSink sink(*file_);
    TRY(EncodeWhole(picture_.view(), options_, metadata_, sink));
    return file_->Keep();
  }

 private:
  std::unique_ptr<OutputFile> file_;
  AnnouncedRows announced_;
  WriteOptions options_;
  Image picture_;
  int64_t next_ = 0;
  CarriedMetadata metadata_;
  std::vector<std::string> notes_;
};

// Bytes a pixel, after the growth of processes that wrote 1 and 6 megapixels with noise, and 4 of nothing
// else.
double JxlBytesAPixel(const Layout& stored, const WriteOptions& options) {
  const bool thorough = EffortOf(options) >= 8;  // tries again and again, or searches in trees
  if (IsLossless(options)) return 22 + 16 * stored.bands + (thorough ? 110 : 0);
  return (thorough ? 280 : 62) + (stored.has_alpha() ? 20 : 0);
}

double AvifBytesAPixel(const Layout& stored, const WriteOptions& options) {
  const bool full = IsLossless(options) || HasFullChroma(options);
  const double samples = stored.colour_bands() == 1 ? 1 : full ? 3 : 1.5;
  const double bytes = 2 + 15 * samples + (stored.has_alpha() ? 6 : 0);
  return bytes * (stored.sample == Sample::kU8 ? 1 : 1.6) * (EffortOf(options) > 3 ? 1.25 : 1);
}

}  // namespace

Status CanEncodeWhole(FileFormat format) {
  return format == FileFormat::kJxl ? CanEncodeJxl() : CanEncodeAvif();
}

Status EncodeWhole(const ImageView& picture, const WriteOptions& options, const CarriedMetadata& metadata,
                   ByteSink& sink) {
  return options.format == FileFormat::kJxl ? EncodeJxl(picture, options, metadata, sink)
                                            : EncodeAvif(picture, options, metadata, sink);
}

Result<std::unique_ptr<RowWriter>> CreateWholeRows(std::unique_ptr<OutputFile> file, const Layout& layout,
                                                   const WriteOptions& options,
                                                   const std::string& metadata_from) {
  return std::unique_ptr<RowWriter>(
      std::make_unique<WholeWriter>(std::move(file), layout, options, metadata_from));
}

size_t WholeEncoderBytes(const Layout& stored, const WriteOptions& options) {
  constexpr size_t kFixed = size_t{12} << 20;  // tables, and what small images need as well as large ones
  const auto width = static_cast<double>(stored.width), height = static_cast<double>(stored.height);
  // libjxl's rows are padded, which counts where they are short.
  if (options.format == FileFormat::kJxl)
    return static_cast<size_t>((width + 16) * height * JxlBytesAPixel(stored, options)) + kFixed;
  // libaom's frames have a border of 64 pixels, which is most of a long and narrow picture's.
  const double border = (width + 128) * (height + 128) - width * height;
  return static_cast<size_t>((width * height + border / 2) * AvifBytesAPixel(stored, options)) + kFixed;
}

Footprint WholeWriteFootprint(const Layout& stored, const WriteOptions& options) {
  return {stored.row_bytes() * static_cast<size_t>(stored.height), WholeEncoderBytes(stored, options)};
}

}  // namespace imgmill
