// How many bytes decoders and encoders hold unseen, from the header alone: a formula per format, each tested
// against the growth of a process's resident memory.
#include <algorithm>
#include <cmath>

#include "imgmill/image/reader.h"
#include "imgmill/image/writer.h"
#include "jpeg_rows.h"
#include "row_pipe.h"
#include "stored_form.h"

namespace imgmill {
namespace {

constexpr size_t kSmall = size_t{512} << 10;  // input buffers, tables, objects
constexpr double kStripRows = 16;
constexpr double kWindowRows = 112;  // what libvips caches of a file that is read in order

size_t Bytes(double bytes) {
  return static_cast<size_t>(std::ceil(bytes));
}

struct Sizes {
  double width;
  double height;
  double pixels;
  double pixel_bytes;  // as the decoder gives them
  double row_bytes;
  double file_bytes;
};

Sizes SizesOf(const ImageHeader& header) {
  Sizes s{};
  s.width = static_cast<double>(header.width);
  s.height = static_cast<double>(header.height);
  s.pixels = s.width * s.height;
  s.pixel_bytes = static_cast<double>(header.bands) * static_cast<double>(BytesPerSample(header.sample));
  s.row_bytes = s.width * s.pixel_bytes;
  s.file_bytes = static_cast<double>(header.file_bytes);
  return s;
}

// libjpeg: a row of blocks as coefficients (2 bytes) and a few as samples, for context; progressive files
// hold all coefficients, of blocks padded to whole MCUs.
double JpegBytes(const ImageHeader& header, const Sizes& s) {
  const double padded_row = std::ceil(s.width / 16) * 16 * header.samples_per_pixel;
  const double strip = 16 * padded_row * (2 + 3) + 4 * s.row_bytes;
  const double all = header.progressive ? padded_row * std::ceil(s.height / 16) * 16 * 2 : 0;
  return strip + all;
}

double DecoderBytes(const ImageHeader& header, const Sizes& s) {
  const double whole = s.pixels * s.pixel_bytes;
  if (header.format == "jpeg") return JpegBytes(header, s);
  if (header.format == "png") return header.interlaced ? whole + 4 * s.row_bytes : 4 * s.row_bytes;
  if (header.format == "hdr") return 4 * s.row_bytes;
  if (header.format == "ppm") return 4 * s.row_bytes + s.file_bytes;  // mapped
  // A strip or a row of tiles, and the same cached.
  const double block = static_cast<double>(header.block_rows) * s.row_bytes;
  if (header.format == "tiff") return block * 2.5 + s.row_bytes * 4;
  // libwebp's frame in YUV, the RGB or RGBA it gives and libvips' copy; and the file, which it wants whole.
  if (header.format == "webp") return s.pixels * (header.has_alpha ? 16 : 12) + s.file_bytes;
  // The frame, the canvas, and the file, which nsgif wants whole.
  if (header.format == "gif") return s.pixels * 4 * 2 + s.file_bytes;
  // Planes of the video frame, with references, then interleaved.
  if (header.format == "heif") return whole * 4 + s.file_bytes;
  // OpenJPEG computes in 32 bits a sample. Tiles: one of them, and a row of them cached.
  if (header.format == "jp2k") {
    if (header.block_rows >= header.height) return s.pixels * header.bands * 5.5 + s.file_bytes;
    return block * 4 + static_cast<double>(header.block_rows * header.block_rows) * header.bands * 8;
  }
  if (header.format == "jxl") return s.pixels * 6 + whole * 2 + s.file_bytes;
  return whole * 2 + s.file_bytes;
}

}  // namespace

Footprint ReadFootprint(const ImageHeader& header, const ReadOptions& options) {
  const Sizes s = SizesOf(header);
  const Layout layout = ReadLayout(header, options);
  Footprint need;
  // libvips' pipeline: its window of rows, and a strip of each operation, float where colours are converted.
  const bool pipeline = header.format != "jpeg" || header.has_icc || header.cmyk;
  const double strip_rows = std::max(kStripRows, std::ceil(256.0 * 1024 / s.row_bytes));
  const double converted = header.has_icc || header.cmyk ? s.width * 24 : 0;
  const double strips = pipeline ? strip_rows * (s.row_bytes * 3 + converted) + kWindowRows * s.row_bytes : 0;
  need.unseen = Bytes(DecoderBytes(header, s) + strips) + kSmall;
  // A strip before its form is changed.
  need.pooled = Bytes(kStripRows * s.row_bytes);
  if (header.orientation >= 3) {
    const size_t whole = layout.row_bytes() * static_cast<size_t>(layout.height);
    need.pooled += whole <= options.whole_image_bytes ? whole : (size_t{1} << 20) + layout.row_bytes();
  }
  return need;
}

Footprint WriteFootprint(const Layout& layout, const WriteOptions& options) {
  const Layout stored = StoredForm(layout, options.format);
  const double row = static_cast<double>(stored.row_bytes());
  const double pixels = static_cast<double>(layout.width) * static_cast<double>(layout.height);
  Footprint need;
  need.pooled = RowPipe::BytesFor(stored);
  // libvips hands strips to the encoder through two buffers and a window.
  const double strips = 160 * row;
  double encoder = 4 * row;
  if (options.format == FileFormat::kJpeg) encoder = 16 * row * 2;
  if (options.format == FileFormat::kTiff) encoder = 192 * row;
  // libwebp holds the picture as it comes and as YUV or ARGB, and its output.
  if (options.format == FileFormat::kWebp) encoder = pixels * (options.quality >= 100 ? 24 : 10);
  need.unseen = Bytes(strips + encoder) + 2 * kSmall;
  return need;
}

}  // namespace imgmill
