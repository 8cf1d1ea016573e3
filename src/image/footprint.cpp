// How many bytes decoders and encoders hold untracked, from the header alone: a formula per format, each
// tested against the growth of a process's resident memory.
#include <algorithm>
#include <cmath>

#include "image/jpeg/jpeg_dc_plane.h"
#include "image/jpeg/jpeg_markers.h"
#include "image/jpeg/jpeg_rows.h"
#include "image/png/png_rows.h"
#include "image/png/png_writer.h"
#include "image/pnm/pnm_rows.h"
#include "image/still/still_rows.h"
#include "imgmill/image/reader.h"
#include "imgmill/image/writer.h"
#include "row_pipe.h"
#include "stored_form.h"
#include "video_frames.h"
#include "whole_writer.h"

namespace imgmill {
namespace {

using enum ImageFormat;

constexpr size_t kSmall = size_t{384} << 10;  // input buffers, tables, objects
constexpr double kStripRows = 16;
constexpr double kWindowRows = 100;  // what libvips caches of a file that is read in order
// lcms2's tables of a conversion through CMYK, and the profile itself.
constexpr double kCmykTables = 4.3 * 1024 * 1024;
// A conversion through tables in a profile; most profiles are a curve and a matrix, which cost nothing. Which
// it is, the header does not say.
constexpr double kProfileTables = 1.5 * 1024 * 1024;

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

// libjpeg: a row of blocks as coefficients (2 bytes) and as samples; files of several scans hold all
// coefficients, of blocks padded to whole MCUs.
double JpegBytes(const ImageHeader& header, const Sizes& s) {
  const double padded_row = std::ceil(s.width / 16) * 16 * header.samples_per_pixel;
  const double all = header.several_scans ? padded_row * std::ceil(s.height / 16) * 16 * 2 : 0;
  return 16 * padded_row * (2 + 3) + 4 * s.row_bytes + all;
}

// The profile's parts are put together, and libvips and the conversion have copies of it.
double JpegMarkerBytes(const ImageHeader& header) {
  const auto markers = static_cast<double>(header.decoder_tables);
  return markers + (header.has_icc ? 3 * std::min(markers, double{kMostProfileBytes}) : 0);
}

// Rows that libvips keeps of a file that is decoded in order.
double WindowBytes(const Sizes& s) {
  return std::min(kWindowRows, s.height) * s.row_bytes;
}

// Two strips or rows of tiles, and a half being read.
double TiffBytes(const ImageHeader& header, const Sizes& s) {
  const double block = static_cast<double>(header.block_rows) * s.row_bytes;
  // As stored: what does not compress grows by a little.
  if (header.block_by_rows) return std::min(s.file_bytes, block * 1.1) + WindowBytes(s) + 2 * kSmall;
  return block * 2.5 + 3 * kStripRows * s.row_bytes + std::min(block, 2.0 * kSmall);
}

// OpenJPEG computes in 32 bits a sample. Tiles: one of them, and a row of them cached.
double Jpeg2000Bytes(const ImageHeader& header, const Sizes& s) {
  const auto tables = static_cast<double>(header.decoder_tables);
  if (header.block_rows >= header.height) return s.pixels * header.bands * 5.5 + s.file_bytes + tables;
  const double block = static_cast<double>(header.block_rows) * s.row_bytes;
  return tables + block * 4.2 + static_cast<double>(header.block_rows * header.block_rows) * header.bands * 8;
}

/// Of those at 1/8, also where its grey is handed out in three bands.
bool MayHaveDcPlane(const ImageHeader& header, const ReadOptions& options) {
  const bool grey = header.bands == 1 || options.bands == ReadOptions::Bands::kGrey;
  return header.format == kJpeg && !header.several_scans && grey &&
         ChooseShrink(header.width, header.height, options.shrink_to_side) == DCTSIZE;
}

double DecoderBytes(const ImageHeader& header, const Sizes& s) {
  const double whole = s.pixels * s.pixel_bytes;
  const FormatReader reader = FactsOf(header.format).reader;
  if (reader == FormatReader::kStills || reader == FormatReader::kFrames || reader == FormatReader::kPnmRows)
    return 0;  // added below
  if (header.format == kJpeg) return JpegBytes(header, s) + JpegMarkerBytes(header);
  if (header.format == kPng) return header.interlaced ? whole + 2 * kStripRows * s.row_bytes : WindowBytes(s);
  if (header.format == kHdr) return WindowBytes(s);
  if (header.format == kTiff) return TiffBytes(header, s);
  // libwebp gives a frame in RGBA, libvips composes it onto a canvas in RGBA; and the file, wanted whole. The
  // decoder's rows, and an alpha plane's.
  if (header.format == kWebp) return s.pixels * (header.has_alpha ? 8.2 : 8) + s.file_bytes + kSmall;
  // The canvas; and the file, which nsgif wants whole.
  if (header.format == kGif) return s.pixels * 4 + s.file_bytes + WindowBytes(s) * 4 / 3;
  // The planes of the video frame with references, and interleaved; decoder threads' tables.
  if (header.format == kHeif) return s.pixels * 9 + s.file_bytes + 3.0 * kSmall;
  if (header.format == kJp2k) return Jpeg2000Bytes(header, s);
  if (header.format == kJxl) return s.pixels * 6 + whole * 2 + s.file_bytes;
  return whole * 2 + s.file_bytes;
}

}  // namespace

Footprint ReadFootprint(const ImageHeader& header, const ReadOptions& options) {
  const Sizes s = SizesOf(header);
  const Layout layout = ReadLayout(header, options);
  Footprint need;
  // Where colours are converted libvips does it in float, a strip at a time.
  double conversion = 0;
  if (header.cmyk || header.has_icc) {
    conversion = kStripRows * s.width * 24 + (header.cmyk ? kCmykTables : kProfileTables);
  }
  // Rows are asked for in strips of so many bytes, but whole rows.
  const double strip = header.format == kJpeg ? 0 : std::max(kStripRows * s.row_bytes, 256.0 * 1024);
  need.untracked = Bytes(DecoderBytes(header, s) + conversion + strip) + kSmall;
  // A strip before its form is changed.
  need.pooled = Bytes(kStripRows * s.row_bytes);
  if (header.format == kPng && !header.interlaced) need.pooled += PngRowsBytes(Bytes(s.row_bytes));
  if (MayHaveDcPlane(header, options)) need.pooled += JpegDcPlaneBytes(header.width, header.height);
  if (header.format == kPnm) need.pooled += PnmPieceBytes(Bytes(s.row_bytes));
  if (IsStill(header)) {
    const Footprint still = StillFootprint(header, options.allow_truncated);
    need.untracked += still.untracked;
    need.pooled += still.pooled;
  }
  if (header.format == kVideo) {
    const Footprint video = VideoFootprint(header, options.video_threads);
    need.untracked += video.untracked;
    need.pooled += video.pooled;
  }
  if (header.orientation >= 3) {
    const size_t whole = layout.row_bytes() * static_cast<size_t>(layout.height);
    // By a file: a strip of rows, and what is read ahead.
    need.pooled += whole <= options.whole_image_bytes ? whole : (size_t{5} << 18) + layout.row_bytes();
  }
  return need;
}

Footprint WriteFootprint(const Layout& layout, const WriteOptions& options) {
  const Layout stored = StoredForm(layout, options.format);
  if (IsWhole(options.format)) return WholeWriteFootprint(stored, options);
  if (options.format == FileFormat::kPng) return PngWriteFootprint(stored, options);
  const double row = static_cast<double>(stored.row_bytes());
  const double pixels = static_cast<double>(layout.width) * static_cast<double>(layout.height);
  Footprint need;
  need.pooled = RowPipe::BytesFor(stored);
  // libvips hands strips to the encoder through two buffers and a window.
  const double strips = 160 * row;
  double encoder = 4 * row;
  if (options.format == FileFormat::kJpeg) encoder = 16 * row * 2;
  if (options.format == FileFormat::kTiff) encoder = 192 * row;
  // libwebp holds the image as it comes and as YUV or ARGB, and its output.
  if (options.format == FileFormat::kWebp)
    encoder = pixels * (options.quality < 100 ? 10 : EffortOf(options) > 4 ? 30 : 24);
  need.untracked = Bytes(strips + encoder) + 2 * kSmall;
  return need;
}

}  // namespace imgmill
