// ImageEncoder for the formats that tiles are written in: JPEG by libjpeg-turbo itself, PNG by PngPixels,
// WebP and TIFF by libvips from an image in memory, JPEG XL and AVIF as whole_encoder.h says.
#include "imgmill/image/encoder.h"

#include <algorithm>
#include <string_view>

#include "base/try.h"
#include "image/jpeg/jpeg_encoder.h"
#include "image/png/png_head.h"
#include "image/png/png_pixels.h"
#include "rows_image.h"
#include "stored_form.h"
#include "vips_session.h"
#include "whole_encoder.h"

namespace imgmill {
namespace {

/// Rows in the form that the format can hold.
class StoredRows {
 public:
  StoredRows(const Layout& layout, const Layout& stored, bool always) : layout_(layout), stored_(stored) {
    if (always || layout != stored) pixels_ = Image(stored);
  }
  /// The rows themselves, or converted copies. Valid until the next call.
  std::span<const uint8_t* const> Take(std::span<const uint8_t* const> rows) {
    if (!pixels_) return rows;
    pointers_.resize(rows.size());
    for (size_t y = 0; y < rows.size(); ++y) {
      uint8_t* row = pixels_.row(static_cast<int64_t>(y));
      if (layout_ == stored_) {
        std::copy_n(rows[y], stored_.row_bytes(), row);
      } else {
        StoreRow(rows[y], layout_, stored_, row);
      }
      pointers_[y] = row;
    }
    return pointers_;
  }
  const Image& pixels() const { return pixels_; }

 private:
  Layout layout_;
  Layout stored_;
  Image pixels_;
  std::vector<const uint8_t*> pointers_;
};

class JpegTiles final : public ImageEncoder {
 public:
  JpegTiles(const Layout& layout, const Layout& stored, const WriteOptions& options, CarriedMetadata metadata)
      : rows_(layout, stored, false),
        encoder_(stored, options.quality, HasFullChroma(options), std::move(metadata)) {
    NoteConversions(layout, stored, options.format, notes_);
  }
  Result<std::span<const uint8_t>> Encode(std::span<const uint8_t* const> rows) override {
    return encoder_.Encode(rows_.Take(rows));
  }

 private:
  StoredRows rows_;
  JpegEncoder encoder_;
};

class PngTiles final : public ImageEncoder, private ByteSink {
 public:
  PngTiles(const Layout& layout, const Layout& stored, const WriteOptions& options, std::vector<uint8_t> head)
      : stored_(stored), level_(options.compression), head_(std::move(head)), rows_(layout, stored, false) {
    NoteConversions(layout, stored, options.format, notes_);
  }
  Result<std::span<const uint8_t>> Encode(std::span<const uint8_t* const> rows) override {
    const std::span<const uint8_t* const> taken = rows_.Take(rows);
    bytes_ = head_;
    PngPixels pixels(stored_, level_, 1, *this);
    for (const uint8_t* row : taken) pixels.Put(row);
    pixels.Finish();
    Take(PngEnd());
    return std::span<const uint8_t>(bytes_);
  }

 private:
  bool Take(std::span<const uint8_t> bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return true;
  }

  Layout stored_;
  int level_;
  std::vector<uint8_t> head_;
  StoredRows rows_;
  std::vector<uint8_t> bytes_;
};

Result<std::vector<uint8_t>> HeadWith(const Layout& stored, const CarriedMetadata& metadata) {
  VipsShared share;
  const ImageRef pixel = OnePixel(stored);
  if (pixel) GiveMetadata(metadata, pixel.get());
  return PngHead(stored, pixel.get());
}

/// What GiveMetadata has given, and nothing that libvips knows of every image.
void* CopyField(VipsImage* /*from*/, const char* field, GValue* value, void* to) {
  const std::string_view name = field;
  if (name.starts_with("exif-") || name == VIPS_META_ICC_NAME || name == VIPS_META_XMP_NAME ||
      name == VIPS_META_ORIENTATION)
    vips_image_set(static_cast<VipsImage*>(to), field, value);
  return nullptr;
}

class VipsTiles final : public ImageEncoder {
 public:
  VipsTiles(const Layout& layout, const Layout& stored, const WriteOptions& options,
            const CarriedMetadata& metadata)
      : stored_(stored), options_(options), rows_(layout, stored, true) {
    NoteConversions(layout, stored, options.format, notes_);
    VipsShared share;
    described_ = OnePixel(stored);
    if (described_) GiveMetadata(metadata, described_.get());
  }
  ~VipsTiles() override { Forget(); }

  Result<std::span<const uint8_t>> Encode(std::span<const uint8_t* const> rows) override {
    (void)rows_.Take(rows);
    MeetVipsThreads();
    bool encoded = false;
    {
      VipsShared share;
      encoded = Once();
    }
    if (!encoded) return DiagnoseAlone(Stage::kEncode, "libvips cannot encode it", [this] { return Once(); });
    return std::span<const uint8_t>(static_cast<const uint8_t*>(bytes_), size_);
  }

 private:
  void Forget() {
    g_free(bytes_);
    bytes_ = nullptr;
  }

  ImageRef Wrap() const {
    const Image& pixels = rows_.pixels();
    const ImageRef raw(vips_image_new_from_memory(
        pixels.row(0), pixels.layout().row_bytes() * static_cast<size_t>(stored_.height),
        static_cast<int>(stored_.width), static_cast<int>(stored_.height), stored_.bands,
        BandFormat(stored_.sample)));
    VipsImage* image = nullptr;
    if (!raw || vips_copy(raw.get(), &image, "interpretation", InterpretationOf(stored_), nullptr) != 0)
      return {};
    if (described_) {
      vips_image_map(described_.get(), &CopyField, image);
      image->Xres = described_.get()->Xres;
      image->Yres = described_.get()->Yres;
    }
    return ImageRef(image);
  }

  bool Once() {
    Forget();
    const ImageRef image = Wrap();
    if (!image) return false;
    if (options_.format == FileFormat::kTiff)
      return vips_tiffsave_buffer(image.get(), &bytes_, &size_, "compression",
                                  VIPS_FOREIGN_TIFF_COMPRESSION_LZW, "predictor",
                                  VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, nullptr) == 0;
    return vips_webpsave_buffer(image.get(), &bytes_, &size_, "Q", options_.quality, "lossless",
                                options_.quality >= 100 ? TRUE : FALSE, "effort", EffortOf(options_),
                                nullptr) == 0;
  }

  Layout stored_;
  WriteOptions options_;
  ImageRef described_;  ///< has the metadata
  StoredRows rows_;
  void* bytes_ = nullptr;
  size_t size_ = 0;
};

class WholeTiles final : public ImageEncoder, private ByteSink {
 public:
  WholeTiles(const Layout& layout, const Layout& stored, const WriteOptions& options,
             CarriedMetadata metadata)
      : options_(options), metadata_(std::move(metadata)), rows_(layout, stored, true) {
    NoteConversions(layout, stored, options.format, notes_);
  }
  Result<std::span<const uint8_t>> Encode(std::span<const uint8_t* const> rows) override {
    (void)rows_.Take(rows);
    bytes_.clear();
    TRY(EncodeWhole(rows_.pixels().view(), options_, metadata_, *this));
    return std::span<const uint8_t>(bytes_);
  }

 private:
  bool Take(std::span<const uint8_t> bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return true;
  }

  WriteOptions options_;
  CarriedMetadata metadata_;
  StoredRows rows_;
  std::vector<uint8_t> bytes_;
};

}  // namespace

Result<std::unique_ptr<ImageEncoder>> ImageEncoder::Create(const Layout& layout, const WriteOptions& options,
                                                           CarriedMetadata metadata) {
  InitImageLibraries();
  TRY(FitsFormat(layout, options.format));
  TRY(CanWrite(options.format));
  const Layout stored = StoredForm(layout, options.format);
  switch (options.format) {
    case FileFormat::kJpeg:
      return std::unique_ptr<ImageEncoder>(
          std::make_unique<JpegTiles>(layout, stored, options, std::move(metadata)));
    case FileFormat::kPng: {
      std::vector<uint8_t> head = TRY(HeadWith(stored, metadata));
      return std::unique_ptr<ImageEncoder>(
          std::make_unique<PngTiles>(layout, stored, options, std::move(head)));
    }
    case FileFormat::kWebp:
    case FileFormat::kTiff:
      return std::unique_ptr<ImageEncoder>(std::make_unique<VipsTiles>(layout, stored, options, metadata));
    case FileFormat::kJxl:
    case FileFormat::kAvif:
      return std::unique_ptr<ImageEncoder>(
          std::make_unique<WholeTiles>(layout, stored, options, std::move(metadata)));
  }
  return Error{Stage::kEncode, Code::kUnsupported, "no format is called that"};
}

Footprint EncodeFootprint(const Layout& layout, const WriteOptions& options) {
  const Layout stored = StoredForm(layout, options.format);
  const size_t pixels = stored.row_bytes() * static_cast<size_t>(stored.height);
  const bool by_vips = options.format == FileFormat::kWebp || options.format == FileFormat::kTiff;
  const bool direct = !by_vips && !IsWhole(options.format) && stored == layout;
  Footprint need;
  need.pooled = direct ? 0 : pixels;
  if (options.format == FileFormat::kPng) need.pooled += PngPixels::HeldBytes(stored, options.compression, 1);
  // The result, which may grow a little beyond the pixels, in a buffer that doubles; and the encoder's own.
  need.untracked = pixels * 3 + (size_t{1} << 20);
  // libwebp's image as YUV or ARGB, and its tokens.
  if (options.format == FileFormat::kWebp) {
    need.untracked += static_cast<size_t>(layout.width * layout.height) * (options.quality < 100   ? 10
                                                                           : EffortOf(options) > 4 ? 30
                                                                                                   : 24);
  }
  if (IsWhole(options.format)) need.untracked += WholeEncoderBytes(stored, options);
  return need;
}

}  // namespace imgmill
