// RowWriter over libvips' encoders, for the formats that are written by rows, but PNG: rows are pushed here,
// and an encoder on a thread of the writer's pulls them through a small ring, so that memory does not depend
// on the image's height.
#include <algorithm>
#include <cctype>
#include <system_error>
#include <thread>

#include "announced_rows.h"
#include "base/try.h"
#include "image/png/png_writer.h"
#include "imgmill/image/writer.h"
#include "imgmill/memory/out_of_memory.h"
#include "output_file.h"
#include "row_pipe.h"
#include "stored_form.h"
#include "whole_writer.h"
#include "write_metadata.h"

namespace imgmill {
namespace {

bool Encode(VipsImage* image, VipsTarget* target, const WriteOptions& options) {
  switch (options.format) {
    case FileFormat::kPng:  // png_writer.cpp
    case FileFormat::kJxl:  // whole_writer.cpp
    case FileFormat::kAvif:
      break;
    case FileFormat::kJpeg:
      return vips_jpegsave_target(
                 image, target, "Q", options.quality, "subsample-mode",
                 HasFullChroma(options) ? VIPS_FOREIGN_SUBSAMPLE_OFF : VIPS_FOREIGN_SUBSAMPLE_ON,
                 nullptr) == 0;
    case FileFormat::kWebp:
      return vips_webpsave_target(image, target, "Q", options.quality, "lossless",
                                  options.quality >= 100 ? TRUE : FALSE, "effort", EffortOf(options),
                                  nullptr) == 0;
    case FileFormat::kTiff: {
      const double bytes = static_cast<double>(VIPS_IMAGE_SIZEOF_IMAGE(image));
      return vips_tiffsave_target(image, target, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_LZW,
                                  "predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, "bigtiff",
                                  bytes > 2e9 ? TRUE : FALSE, nullptr) == 0;
    }
  }
  return false;
}

class VipsWriter final : public RowWriter {
 public:
  VipsWriter(std::unique_ptr<OutputFile> file, const Layout& layout, const WriteOptions& options)
      : file_(std::move(file)),
        announced_(layout),
        stored_(StoredForm(layout, options.format)),
        options_(options),
        pipe_(stored_) {
    NoteConversions(announced_.layout(), stored_, options.format, notes_);
  }
  ~VipsWriter() override {
    pipe_.Close();
    if (encoder_.joinable()) encoder_.join();
  }

  void Start(const std::string& metadata_from) {
    ImageRef image;
    {
      VipsShared share;
      image = pipe_.Image();
      if (image && !metadata_from.empty()) {
        VipsImage* own = nullptr;
        if (vips_copy(image.get(), &own, nullptr) == 0) {
          image = ImageRef(own);
          TakeMetadata(own, metadata_from, announced_.layout(), options_, notes_);
        }
      }
    }
    encoder_ = std::thread([this, source = std::move(image)]() mutable { Run(std::move(source)); });
  }

  const std::vector<std::string>& notes() const override { return notes_; }

  Status Write(const ImageView& rows) override {
    TRY(announced_.Fit(rows));
    if (std::optional<Error> error = file_->failure()) return *error;
    announced_.Came(rows);
    if (stored_ == announced_.layout()) {
      if (!pipe_.Push(rows.data, rows.stride, rows.layout.height)) return Failure();
      return {};
    }
    row_.resize(stored_.row_bytes());
    for (int64_t y = 0; y < rows.layout.height; ++y) {
      StoreRow(rows.row(y), announced_.layout(), stored_, row_.data());
      if (!pipe_.Push(row_.data(), row_.size(), 1)) return Failure();
    }
    return {};
  }

  Status Finish() override {
    TRY(announced_.Complete());
    if (encoder_.joinable()) encoder_.join();
    if (!encoded_) return Failure();
    return file_->Keep();
  }

 private:
  void Run(ImageRef image) {
    EnterVipsUnowned();
    {
      const GRef<VipsTarget> target = file_->Target();
      encoded_ = image && Encode(image.get(), target.get(), options_);
      if (!encoded_) {
        // Cannot be repeated alone: the rows are gone. What an encoder can object to was checked before.
        message_ = vips_error_buffer();
        message_.resize(std::min(message_.find('\n'), message_.size()));
      }
      image.reset();
    }
    vips_thread_shutdown();
    LeaveVipsUnowned();
    pipe_.Close();  // whoever still pushes must not wait
  }

  Error Failure() {
    if (std::optional<Error> error = file_->failure()) return *error;
    if (encoder_.joinable()) encoder_.join();
    if (std::optional<Error> error = file_->failure()) return *error;
    return {Stage::kEncode, Code::kWriteError,
            message_.empty() ? "the encoder stopped before all rows were written" : message_};
  }

  std::unique_ptr<OutputFile> file_;
  AnnouncedRows announced_;
  Layout stored_;
  WriteOptions options_;
  RowPipe pipe_;
  std::vector<std::string> notes_;
  std::vector<uint8_t> row_;
  std::thread encoder_;
  bool encoded_ = false;  // set by the encoder's thread, read after join
  std::string message_;
};

}  // namespace

std::optional<FileFormat> FileFormatFromExtension(std::string_view extension) {
  if (extension.starts_with('.')) extension.remove_prefix(1);
  std::string lower(extension);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "png") return FileFormat::kPng;
  if (lower == "jpg" || lower == "jpeg" || lower == "jpe" || lower == "jfif") return FileFormat::kJpeg;
  if (lower == "webp") return FileFormat::kWebp;
  if (lower == "tif" || lower == "tiff") return FileFormat::kTiff;
  if (lower == "jxl") return FileFormat::kJxl;
  if (lower == "avif") return FileFormat::kAvif;
  return std::nullopt;
}

std::string_view Title(FileFormat format) {
  return format == FileFormat::kAvif ? "AVIF" : FactsOf(format).title;
}

int EffortOf(const WriteOptions& options) {
  if (options.effort != kUsualEffort) return options.effort;
  return options.format == FileFormat::kWebp ? 4 : 3;  // libwebp's own
}

bool IsLossless(const WriteOptions& options) {
  if (options.format == FileFormat::kPng || options.format == FileFormat::kTiff) return true;
  return options.format != FileFormat::kJpeg && options.quality >= 100;
}

bool HasFullChroma(const WriteOptions& options) {
  constexpr int kFullFrom = 90;  // as libvips' jpegsave decides
  return options.chroma == Chroma::kAuto ? options.quality >= kFullFrom : options.chroma == Chroma::kFull;
}

Status CanWrite(FileFormat format) {
  return IsWhole(format) ? CanEncodeWhole(format) : Status();
}

std::string_view Extension(FileFormat format) {
  if (format == FileFormat::kAvif) return ".avif";
  const std::string_view all = FactsOf(format).extensions;
  return all.substr(0, all.find(' '));
}

Result<std::unique_ptr<RowWriter>> CreateRows(const std::string& path, const Layout& layout,
                                              const WriteOptions& options, const std::string& metadata_from) {
  InitImageLibraries();
  TRY(FitsFormat(layout, options.format));
  TRY(CanWrite(options.format));
  try {
    std::unique_ptr<OutputFile> file = TRY(OutputFile::Create(path));
    if (IsWhole(options.format)) return CreateWholeRows(std::move(file), layout, options, metadata_from);
    if (options.format == FileFormat::kPng)
      return CreatePngRows(std::move(file), layout, options, metadata_from);
    auto writer = std::make_unique<VipsWriter>(std::move(file), layout, options);
    writer->Start(metadata_from);
    return std::unique_ptr<RowWriter>(std::move(writer));
  } catch (const OutOfMemory& refusal) {
    return Error{Stage::kEncode, Code::kOutOfMemory, refusal.what()};
  } catch (const std::system_error& refusal) {  // a shortage like any other: the ladder tries again
    return Error{Stage::kEncode, Code::kOutOfMemory,
                 std::string("no thread for the encoder: ") + refusal.what()};
  }
}

}  // namespace imgmill
