// Frames that a decoder holds whole, as rows: in the file's own numbers, or through its profile by libvips.
#include "animation.h"
#include "icc_profile.h"
#include "open_file.h"
#include "profiled_rows.h"
#include "row_by_row.h"
#include "vips_load.h"
#include "vips_rows.h"

namespace imgmill {
namespace {

class Canvas final : public RowByRow {
 public:
  Canvas(const ImageHeader& header, CanvasRow row)
      : RowByRow({header.width, header.height, header.bands, header.sample}), row_(std::move(row)) {}

 protected:
  Status ReadRow(int64_t y, uint8_t* to) override {
    row_(y, to);
    return {};
  }

 private:
  CanvasRow row_;
};

std::vector<uint8_t> ProfileIn(const std::string& path) {
  const Result<InputFile> file = InputFile::Open(path, Stage::kDecode);
  if (!file) return {};
  const Result<FileHead> head = ReadHead(*file, Stage::kDecode);
  if (!head) return {};
  ImageFormat format = ImageFormat::kOther;
  const ImageRef image = LoadWithVips(*file, *head, path, VIPS_FAIL_ON_NONE, &format);
  return image ? BlobOf(image.get(), VIPS_META_ICC_NAME) : std::vector<uint8_t>();
}

}  // namespace

Result<std::unique_ptr<RowReader>> CanvasRows(const std::string& path, const ImageHeader& header,
                                              const ReadOptions& options, CanvasRow row) {
  if (!header.has_icc || options.keep_profile)
    return std::unique_ptr<RowReader>(std::make_unique<Canvas>(header, std::move(row)));
  const auto make = [=, row = std::move(row)](bool) {
    auto canvas = std::make_unique<Canvas>(header, row);
    const VipsInterpretation meaning = InterpretationOf(canvas->layout());
    return ThroughProfile(std::move(canvas), meaning, ProfileIn(path), options.keep_profile);
  };
  return OpenVipsRows(make, options.allow_truncated);
}

}  // namespace imgmill
