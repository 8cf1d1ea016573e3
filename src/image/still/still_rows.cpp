// RowReader over a StillImage; icons' masks become alpha here.
#include "still_rows.h"

#include <algorithm>

#include "base/try.h"
#include "image/dds_header.h"
#include "image/readable_part.h"
#include "image/row_by_row.h"
#include "still_data.h"

namespace imgmill {
namespace {

/// Bytes of a row of an icon's mask: a bit a pixel, in words of 32.
int64_t MaskRowBytes(int64_t width) {
  return (width + 31) / 32 * 4;
}

class StillRows final : public RowByRow {
 public:
  StillRows(std::unique_ptr<StillImage> image, const StillHeader& header, std::vector<uint8_t> mask,
            const StillData& data)
      : RowByRow({header.width, header.height, header.bands, header.sample}),
        image_(std::move(image)),
        mask_(std::move(mask)),
        // FFmpeg gives alpha that is zero throughout as none.
        missing_alpha_(header.kind == StillKind::kBmp && header.bits == 32 ? 0 : 255) {
    if (data.missing.empty()) return;
    notes_.push_back(data.whole_rows < header.height
                         ? PartNote(data.whole_rows, header.height, "black", data.missing, header.bottom_up)
                         : data.missing + kReadableKept);
  }

  Status ReadRow(int64_t y, uint8_t* row) override {
    image_->Row(y, layout_.bands, BytesPerSample(layout_.sample), missing_alpha_, row);
    if (!mask_.empty()) ApplyMask(y, row);
    return {};
  }

 private:
  void ApplyMask(int64_t y, uint8_t* row) const {
    const uint8_t* mask = &mask_[static_cast<size_t>((layout_.height - 1 - y) * MaskRowBytes(layout_.width))];
    for (int64_t x = 0; x < layout_.width; ++x) {
      row[4 * x + 3] = (mask[x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255;
    }
  }

  std::unique_ptr<StillImage> image_;
  std::vector<uint8_t> mask_;  // the bottom row first; set bits are transparent
  uint8_t missing_alpha_;
};

/// The mask behind an icon's image; empty where it has none, or alpha of its own.
std::vector<uint8_t> MaskOf(const StillHeader& header, const StillData& data) {
  if (!header.in_icon || header.bits == 32) return {};
  const auto at = static_cast<size_t>(14 + header.pixels_at + header.row_bytes * header.height);
  const auto bytes = static_cast<size_t>(MaskRowBytes(header.width) * header.height);
  if (at > data.bytes || data.bytes - at < bytes) return {};
  return {data.buffer.data() + at, data.buffer.data() + at + bytes};
}

/// A JPEG XL animation, whose header libvips has read.
std::optional<StillHeader> Animation(const ImageHeader& header, const InputFile& file) {
  StillHeader still;
  still.format = ImageFormat::kJxl;
  still.kind = StillKind::kJxl;
  still.width = header.width;
  still.height = header.height;
  still.bands = header.bands;
  still.bytes = file.bytes();
  return still;
}

}  // namespace

bool IsStill(const ImageHeader& header) {
  return FactsOf(header.format).reader == FormatReader::kStills ||
         (header.format == ImageFormat::kJxl && header.frames > 1);
}

Result<ImageHeader> HeaderOfStill(const StillHeader& still, int64_t file_bytes) {
  if (!still.unsupported.empty()) return Error{Stage::kProbe, Code::kUnsupported, still.unsupported};
  ImageHeader header;
  header.format = still.format;
  header.width = still.width;
  header.height = still.height;
  header.bands = still.bands;
  header.sample = still.sample;
  header.has_alpha = still.bands % 2 == 0;
  header.sequential = false;
  header.frames = still.frames;
  header.file_bytes = file_bytes;
  header.too_short = StillTooShort(still, file_bytes);
  return header;
}

Result<std::unique_ptr<RowReader>> OpenStillRows(const std::string& path, const ImageHeader& header,
                                                 bool allow_truncated) {
  InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
  FileHead head = TRY(ReadHead(file, Stage::kDecode));
  const std::optional<StillHeader> still =
      header.format == ImageFormat::kJxl ? Animation(header, file) : ReadStillHeader(file, head, true);
  if (!still || still->format != header.format || still->width != header.width ||
      still->height != header.height || still->bands != header.bands || still->sample != header.sample ||
      !still->unsupported.empty()) {
    return FileChanged();
  }
  StillData data = TRY(ReadStillData(file, *still, allow_truncated));
  std::unique_ptr<StillImage> image =
      TRY(DecodeStill(still->kind, {data.buffer.data(), data.bytes}, still->width, still->height));
  return std::unique_ptr<RowReader>(
      std::make_unique<StillRows>(std::move(image), *still, MaskOf(*still, data), data));
}

Footprint StillFootprint(const ImageHeader& header, bool allow_truncated) {
  // 4 samples a pixel at most, in rows of a multiple of 64; of 16 bits where a PNG in an icon has them, too.
  const size_t row = (static_cast<size_t>(header.width) + 64) *
                     (header.format == ImageFormat::kIco ? 8 : 4 * BytesPerSample(header.sample));
  const size_t decoded = row * (static_cast<size_t>(header.height) + 32);
  Footprint need;
  need.untracked = decoded;
  auto stored = static_cast<size_t>(header.file_bytes);
  // Of a DDS only the first image is read.
  if (header.format == ImageFormat::kDds) stored = std::min(stored, decoded) + kDdsHeaderBytes;
  need.pooled = stored + 2 * kStillPadding;
  if (allow_truncated)
    need.pooled += decoded + need.pooled;  // filled up to its whole size, in a second buffer
  return need;
}

}  // namespace imgmill
