// Reading images under one contract: probe from the header, then rows in order, whatever the file format.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/image_format.h"
#include "imgmill/base/result.h"
#include "imgmill/image/image.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// Checked at probe time, before memory is spent.
struct ImageLimits {
  /// Most pixels of one image. A 200-byte PNG that claims 65,535 x 65,535 exists in the wild.
  int64_t max_pixels = int64_t{1} << 30;
  /// Most bytes of one file.
  int64_t max_file_bytes = int64_t{8} << 30;
};

/// What the header says. No pixel has been decoded.
struct ImageHeader {
  ImageFormat format = ImageFormat::kOther;
  int64_t width = 0;  ///< as stored in the file
  int64_t height = 0;
  int bands = 0;  ///< after palette expansion: 1..4 (5 for CMYK + alpha)
  /// Of the data as we hand it out: 1, 2 and 4 bits become 8, 9 to 15 become 16; float stays float, sRGB
  /// encoded with white at 1 (and above where the file, as HDR ones do, has more).
  Sample sample = Sample::kU8;
  bool has_alpha = false;
  bool has_icc = false;
  bool cmyk = false;
  /// JPEG: stored samples per pixel, which chroma subsampling makes fewer than bands (1.5 for 4:2:0).
  double samples_per_pixel = 0;
  /// TIFF and JPEG 2000: rows of a strip or tile, which is decoded at once.
  int64_t block_rows = 1;
  /// JPEG 2000: bytes that the decoder keeps about tiles, precincts and code-blocks, beside their samples.
  /// JPEG: bytes before the first scan, of markers that are kept in part, and whole by who copies metadata.
  int64_t decoder_tables = 0;
  /// Video: bytes that its decoder holds, those for each further thread of it (0: it has but one), and the
  /// codec's name, which decides about them.
  int64_t video_decoder = 0;
  int64_t video_thread = 0;
  std::string codec;
  bool block_by_rows = false;  ///< TIFF: of a strip only the stored bytes are held whole, not its pixels
  int orientation = 1;         ///< EXIF 1..8
  bool several_scans = false;  ///< JPEG, progressive or not, that is decoded whole before its first row
  bool interlaced = false;     ///< Adam7 PNG
  bool sequential = true;      ///< rows can be decoded in order without holding the whole image
  /// How little the encoder discarded, as far as the header shows: larger is less compressed. Lossless files
  /// are above lossy ones, ordered by bits per sample, then by whether there is alpha; JPEG by the quality
  /// that its quantisation tables correspond to, then by chroma subsampling; other lossy formats, whose
  /// headers do not say, lie between the JPEG qualities 74 and 75. One number, so that any two files
  /// can be ordered; fidelity_scale.h adds what the pixels show.
  uint32_t fidelity = 0;
  int frames = 1;  ///< of an animation or multi-page file; the first one is used
  /// TIFF: offset of the directory that all this is about; 0 for the first. Others are pages of a
  /// FrameSource.
  uint64_t directory = 0;
  int64_t file_bytes = 0;
  /// The error for a file whose size alone shows that it is too short for the pixels its header claims;
  /// nothing if it may hold them, or if that cannot be known without decoding it.
  std::optional<Error> too_short;

  /// Size as a person sees it, orientation applied.
  int64_t upright_width() const { return orientation >= 5 ? height : width; }
  int64_t upright_height() const { return orientation >= 5 ? width : height; }
};

/// What an operation wants to see.
struct ReadOptions {
  enum class Bands { kAsIs, kRgb, kGrey };
  enum class Alpha { kKeep, kDrop, kFlattenWhite };

  /// kAsIs gives 1 to 4 bands; kRgb always 3 colour bands, kGrey 1 (ITU-R 601 luma, as Pillow's
  /// convert("L")).
  Bands bands = Bands::kAsIs;
  /// What becomes of an alpha band. kDrop leaves the colours under it as they are.
  Alpha alpha = Alpha::kKeep;
  /// Convert 16-bit and float to 8-bit.
  bool to_8bit = false;
  /// Hand out the numbers of RGB and grey images as they are, without conversion through their embedded
  /// profile, for a writer that attaches the same profile again. Other colour spaces (CMYK, Lab) are
  /// converted all the same.
  bool keep_profile = false;
  /// The reader may hand out the image shrunk by 2, 4 or 8 where that is cheap (JPEG in the DCT domain), as
  /// long as its shorter side stays at least this long. 0 forbids it. Width and height of Layout() are the
  /// shrunk ones. Any other value also allows kGrey to be the Y plane of a JPEG instead of the luma of its
  /// RGB (at most a few units apart, where colours are out of range).
  int shrink_to_side = 0;
  /// Keep the readable part of files that end early or are garbled. Off: they are refused.
  bool allow_truncated = false;
  /// Video: samples of colour lie where the file says, not in the middle of the pixels that share them, where
  /// ffmpeg up to version 7 takes all of them to be.
  bool video_as_sited = false;
  /// Video: threads that decode it, where its codec can be decoded by several. The pictures are the same.
  int video_threads = 1;
  /// Images that cannot be read in order (rotated, interlaced, ...) are held whole up to this many bytes,
  /// beyond it in a temporary file (in $TMPDIR).
  size_t whole_image_bytes = size_t{64} << 20;
};

/// Reads the header. Checks the limits. Errors: kUnknownFormat, kMalformed, kLimitExceeded, kNotFound, ...
Result<ImageHeader> Probe(const std::string& path, const ImageLimits& limits);

/// Refuses a file that is too short for what its header claims, unless the readable part is enough. To be
/// called before memory is leased for it; OpenRows refuses it as well.
Status MayHoldPixels(const ImageHeader& header, const ReadOptions& options);

/// Rows of one image, top to bottom, as a person sees it: orientation applied, colours in sRGB.
class RowReader {
 public:
  virtual ~RowReader() = default;
  virtual const Layout& layout() const = 0;  ///< of the whole image as handed out
  /// The next `rows` rows into `destination`, `stride` bytes apart. Asking beyond the end is an error of the
  /// caller.
  virtual Status Read(int64_t rows, uint8_t* destination, size_t stride) = 0;
  /// What a user should know: "first of 12 frames", "decoded at 1/8".
  virtual const std::vector<std::string>& notes() const = 0;
  /// The shrink factor in use: 1, 2, 4 or 8.
  virtual int shrink() const { return 1; }
};

Result<std::unique_ptr<RowReader>> OpenRows(const std::string& path, const ImageHeader& header,
                                            const ReadOptions& options);

/// Bytes that reading holds in addition to the caller's own row buffers: `untracked` inside the decoder by a
/// formula per format (tested against RSS), `pooled` for images held whole.
Footprint ReadFootprint(const ImageHeader& header, const ReadOptions& options);

/// Layout that OpenRows will report, known from the header.
Layout ReadLayout(const ImageHeader& header, const ReadOptions& options);

/// Whether OpenRows hands out the same rows of this image under both: so far only where that is plain.
bool SamePixels(const ImageHeader& header, const ReadOptions& a, const ReadOptions& b);

/// To be called once before the first image: libvips without its operation cache, one thread a pipeline,
/// untrusted loaders as this tool wants them; cv::Mat and row buffers on our pools. Safe to call again.
void InitImageLibraries();
/// Versions for reports and fingerprints: "libvips 8.14.1, libjpeg-turbo 2.1.5, OpenCV 4.6.0".
std::string ImageLibraryVersions();

}  // namespace imgmill
