// Writing images row by row, so that an output of any height needs a strip of memory only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/image/image.h"
#include "imgmill/image/reader.h"

namespace imgmill {

enum class FileFormat { kPng, kJpeg, kWebp, kTiff };

struct WriteOptions {
  FileFormat format = FileFormat::kPng;
  /// 1..100, JPEG and WebP. 100 with WebP means lossless.
  int quality = 90;
  /// 0..9, PNG deflate level. 1 is many times faster than 6 and some 10 % larger.
  int compression = 1;
};

std::optional<FileFormat> FileFormatFromExtension(std::string_view extension);  ///< "png", ".PNG", "jpg", ...
std::string_view Extension(FileFormat format);                                  ///< ".png"

class RowWriter {
 public:
  virtual ~RowWriter() = default;  ///< without Finish: what was written is discarded
  virtual Status Write(const ImageView& rows) = 0;
  /// All rows were written: completes the file (not yet synced to disk).
  virtual Status Finish() = 0;
};

/// Starts a file of `layout` at `path` (a temporary name of the caller's; the format comes from `options`).
/// ICC profile, EXIF (without orientation), XMP and resolution are taken over from `metadata_from` where
/// given and where the format can hold them: 16 bits and alpha likewise, else converted, which `notes` of the
/// report says.
Result<std::unique_ptr<RowWriter>> CreateRows(const std::string& path, const Layout& layout,
                                              const WriteOptions& options, const std::string& metadata_from);

/// Bytes held inside the encoder and its buffers.
Footprint WriteFootprint(const Layout& layout, const WriteOptions& options);

/// Rows of `source` resized by a classical kernel, streaming: nearest, linear, cubic, mitchell, lanczos2,
/// lanczos3. Alpha is premultiplied meanwhile. `scale` is any factor above 0.
Result<std::unique_ptr<RowReader>> OpenResizedRows(const std::string& path, const ImageHeader& header,
                                                   const ReadOptions& options, double scale,
                                                   const std::string& kernel);
Footprint ResizeFootprint(const ImageHeader& header, const ReadOptions& options, double scale);

}  // namespace imgmill
