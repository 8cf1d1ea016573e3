// Writing images row by row, so that an output of any height needs a strip of memory only, but for the
// formats whose encoders want a picture whole.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/image_format.h"
#include "imgmill/base/result.h"
#include "imgmill/image/image.h"
#include "imgmill/image/reader.h"

namespace imgmill {

/// Those of ImageFormat that are written.
enum class FileFormat {
  kPng = static_cast<int>(ImageFormat::kPng),
  kJpeg = static_cast<int>(ImageFormat::kJpeg),
  kWebp = static_cast<int>(ImageFormat::kWebp),
  kTiff = static_cast<int>(ImageFormat::kTiff),
  kJxl = static_cast<int>(ImageFormat::kJxl),
  kAvif = static_cast<int>(ImageFormat::kHeif)
};
inline const FormatFacts& FactsOf(FileFormat format) {
  return FactsOf(static_cast<ImageFormat>(format));
}

/// How colours are stored beside brightness: at full resolution, at half, or as the quality asks for.
enum class Chroma { kAuto, kFull, kHalf };

inline constexpr int kUsualEffort = -1;

struct WriteOptions {
  FileFormat format = FileFormat::kPng;
  /// 1..100, all but PNG and TIFF. 100 means lossless, but with JPEG.
  int quality = 90;
  /// How hard the encoder looks for a smaller file: 1..9 for JPEG XL and AVIF, 0..6 for WebP. kUsualEffort:
  /// 3, and 4 for WebP.
  int effort = kUsualEffort;
  /// JPEG and AVIF. kAuto: full from quality 90 on.
  Chroma chroma = Chroma::kAuto;
  /// 0..9, PNG deflate level. 1 is many times faster than 6 and some 10 % larger.
  int compression = 1;
  /// The rows were read with ReadOptions::keep_profile: the file gets the source's profile, which says what
  /// their numbers mean. Off: they are sRGB, and no other profile is attached.
  bool profile_kept = false;
  /// What is written is a piece of the source's picture: its metadata is as ReadPieceMetadata says.
  bool piece = false;
  /// Of a TIFF's page: ImageHeader::directory, so that metadata is the page's own.
  uint64_t metadata_directory = 0;
};

std::optional<FileFormat> FileFormatFromExtension(std::string_view extension);  ///< "png", ".PNG", "jpg", ...
std::string_view Extension(FileFormat format);                                  ///< ".png"
std::string_view Title(FileFormat format);                                      ///< for people: "JPEG XL"
/// What the encoder is told.
int EffortOf(const WriteOptions& options);
/// Whether these options store colours at full resolution, where the format leaves a choice.
bool HasFullChroma(const WriteOptions& options);
/// Whether the pixels come back as they were, as far as the format has the bits.
bool IsLossless(const WriteOptions& options);
/// kUnsupported where this machine's libraries lack the format's encoder: what CreateRows and
/// ImageEncoder::Create would say.
Status CanWrite(FileFormat format);

/// Pixels of the longest side that a format can hold.
int64_t LongestSide(FileFormat format);
/// kUnsupported, with the limit, when the format cannot hold an image of this size: what CreateRows and
/// ImageEncoder::Create refuse, known before any work.
Status FitsFormat(const Layout& layout, FileFormat format);

class RowWriter {
 public:
  virtual ~RowWriter() = default;  ///< without Finish: what was written is discarded
  virtual Status Write(const ImageView& rows) = 0;
  /// All rows were written: completes the file (not yet synced to disk).
  virtual Status Finish() = 0;
  /// What the format could not hold: "alpha flattened on white: JPEG has none".
  virtual const std::vector<std::string>& notes() const = 0;
};

/// Starts a file of `layout` at `path` (a temporary name of the caller's; the format comes from `options`).
/// ICC profile, EXIF (its orientation set to upright), XMP, IPTC and resolution are taken over from
/// `metadata_from` where given and where the format can hold them; 16 bits and alpha likewise, else
/// converted, which notes() says. Float becomes 16 bits. An existing file is replaced; a writer that is
/// destroyed without Finish, or fails, removes what it wrote. Errors: kDiskFull, kWriteError, kPermission,
/// kNotFound (its folder), kUnsupported (larger than the format allows). A write error may show some rows
/// later than it happened, at the latest in Finish.
Result<std::unique_ptr<RowWriter>> CreateRows(const std::string& path, const Layout& layout,
                                              const WriteOptions& options, const std::string& metadata_from);

/// How many threads of the process may work on images, those that call a RowWriter counted: what they leave
/// free, and one in any case, helps to write a large PNG. 0, and before the first call: one a core.
void SetWritingThreads(int threads);

/// Bytes held inside the encoder and its buffers. Those for PNG follow from SetWritingThreads, too.
Footprint WriteFootprint(const Layout& layout, const WriteOptions& options);

/// Rows of `source` resized by a classical kernel, streaming: nearest, linear, cubic, mitchell, lanczos2,
/// lanczos3. Alpha is premultiplied meanwhile. `scale` is any factor above 0.
Result<std::unique_ptr<RowReader>> OpenResizedRows(const std::string& path, const ImageHeader& header,
                                                   const ReadOptions& options, double scale,
                                                   const std::string& kernel);
Footprint ResizeFootprint(const ImageHeader& header, const ReadOptions& options, double scale);

/// The same to a size, whatever shape that has.
Result<std::unique_ptr<RowReader>> OpenRowsOfSize(const std::string& path, const ImageHeader& header,
                                                  const ReadOptions& options, int64_t width, int64_t height,
                                                  const std::string& kernel);
Footprint ResizeFootprint(const ImageHeader& header, const ReadOptions& options, int64_t width,
                          int64_t height);

}  // namespace imgmill
