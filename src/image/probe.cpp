// Reads headers: JPEG by libjpeg directly, since every file of a run passes here one by one, PNM and what
// FFmpeg decodes by ourselves, the rest by libvips.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/try.h"
#include "block_rows.h"
#include "colour.h"
#include "fidelity.h"
#include "image/heif/heif_image.h"
#include "image/jpeg/jpeg_decoder.h"
#include "image/jpeg2000/jpeg2000_tables.h"
#include "image/pnm/pnm_rows.h"
#include "image/still/still_rows.h"
#include "image/tiff/tiff_directory.h"
#include "image/tiff/tiff_pages.h"
#include "image/tiff/tiff_samples.h"
#include "image_count.h"
#include "imgmill/image/reader.h"
#include "jxl_header.h"
#include "missing_end.h"
#include "radiance.h"
#include "stored_number.h"
#include "too_many_pixels.h"
#include "video_frames.h"
#include "vips_load.h"

namespace imgmill {
namespace {

Error WithAdvice(Error error) {
  error.message += kAllowTruncated;
  return error;
}

std::optional<Error> FindTooShort(const InputFile& file, const std::optional<TiffFacts>& tiff) {
  std::optional<Error> too_short = tiff ? FindTooShortTiff(*tiff, file.bytes()) : FindTooShortGif(file);
  return too_short ? too_short : FindTooShortPng(file);
}

Result<ImageHeader> ProbeJpeg(InputFile file, const ImageLimits& limits) {
  ImageHeader header;
  header.file_bytes = file.bytes();
  std::unique_ptr<JpegDecoder> decoder = TRY(JpegDecoder::Open(std::move(file), Stage::kProbe));
  const jpeg_decompress_struct& info = decoder->info();
  header.format = ImageFormat::kJpeg;
  header.width = info.image_width;
  header.height = info.image_height;
  header.bands = info.num_components;
  header.cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  if (header.bands == 2 || (header.bands == 4 && !header.cmyk) || header.bands > 4) {
    return Error{Stage::kProbe, Code::kUnsupported,
                 "a JPEG of " + std::to_string(header.bands) + " channels, which are not grey, RGB or CMYK"};
  }
  header.decoder_tables = decoder->offset();
  header.has_icc = !decoder->IccProfile().empty();
  header.orientation = decoder->orientation();
  header.several_scans = jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&info)) != 0;
  header.sequential = !header.several_scans && header.orientation <= 2;
  for (jpeg_saved_marker_ptr marker = info.marker_list; marker != nullptr; marker = marker->next) {
    header.frames = std::max(header.frames, JpegImages({marker->data, marker->data_length}));
  }
  for (int i = 0; i < info.num_components; ++i) {
    const jpeg_component_info& component = info.comp_info[i];
    header.samples_per_pixel += static_cast<double>(component.h_samp_factor * component.v_samp_factor) /
                                (info.max_h_samp_factor * info.max_v_samp_factor);
  }
  header.fidelity = FidelityOfJpeg(header, info);
  // A Huffman code for each block of its first component, of one bit at least.
  const int64_t blocks = int64_t{info.comp_info[0].width_in_blocks} * info.comp_info[0].height_in_blocks;
  if (info.arith_code == 0 && blocks / 8 > header.file_bytes)
    header.too_short = WithAdvice(TooFewBytes(header.file_bytes, header.width, header.height));
  if (auto refused = RefuseManyPixels(header.width, header.height, limits)) return *std::move(refused);
  return header;
}

// libvips takes larger sides than it allows for 1.
std::optional<Error> RefuseSize(int64_t width, int64_t height, const ImageLimits& limits) {
  if (auto refused = RefuseManyPixels(width, height, limits)) return refused;
  if (width <= VIPS_MAX_COORD && height <= VIPS_MAX_COORD) return std::nullopt;
  return Error{Stage::kProbe, Code::kUnsupported,
               std::to_string(width) + " x " + std::to_string(height) + " pixels: a side may have at most " +
                   std::to_string(VIPS_MAX_COORD)};
}

// Before OpenJPEG spends anything on it: it makes a list of its tiles.
std::optional<Error> RefuseJpeg2000(const Jpeg2000Layout& layout, const Jpeg2000Tables& tables,
                                    const ImageLimits& limits) {
  if (!layout.refused.empty()) return Error{Stage::kProbe, layout.code, layout.refused};
  if (const auto refused = RefuseSize(layout.width, layout.height, limits)) return refused;
  // Some 10 KiB each, which no lease covers yet.
  constexpr int64_t kMostTiles = 8192;
  if (tables.tiles > kMostTiles) {
    return Error{Stage::kProbe, Code::kUnsupported,
                 "a JPEG 2000 image of " + std::to_string(tables.tiles) + " tiles, more than the " +
                     std::to_string(kMostTiles) + " that are read (convert it to PNG)"};
  }
  return std::nullopt;
}

Result<ImageHeader> ProbePnm(const InputFile& file, const ImageLimits& limits) {
  const PnmHeader pnm = TRY(ReadPnmHeader(file, Stage::kProbe));
  if (const auto refused = RefuseSize(pnm.width, pnm.height, limits)) return *refused;
  ImageHeader header = HeaderOfPnm(pnm, file.bytes());
  header.fidelity = FidelityOf(header, file);
  return header;
}

// Before libvips and libtiff spend anything on it: they make lists of its strips.
std::optional<Error> RefuseTiff(const TiffFacts& tiff, const ImageLimits& limits) {
  constexpr uint64_t kSide = uint64_t{1} << 32;
  if (tiff.width >= kSide || tiff.height >= kSide) {
    return Error{Stage::kProbe, Code::kMalformed, "a TIFF whose sides have more than 32 bits"};
  }
  const auto width = static_cast<int64_t>(tiff.width);
  const auto height = static_cast<int64_t>(tiff.height);
  if (const auto refused = RefuseSize(width, height, limits)) return refused;
  // Read whole, however small the image is.
  if (tiff.tiled) {
    const auto refused =
        RefuseManyPixels(static_cast<int64_t>(std::min(tiff.block_width, kSide)),
                         static_cast<int64_t>(std::min(tiff.block_rows, kSide)), limits, "a tile of ");
    if (refused) return refused;
  }
  std::string why = TiffCodecMissing(tiff);
  if (why.empty() && !IsForTiffSamples(tiff)) why = TiffUnsupported(tiff);
  if (why.empty()) return std::nullopt;
  return Error{Stage::kProbe, Code::kUnsupported, why};
}

Result<ImageHeader> HeaderOf(VipsImage* image, ImageFormat format, const FileHead& head) {
  ImageHeader header;
  const ColourPlan plan = PlanColour(image);
  header.format = format;
  if (!plan.unsupported.empty()) return Error{Stage::kProbe, Code::kUnsupported, plan.unsupported};
  header.width = image->Xsize;
  header.height = image->Ysize;
  header.bands = plan.cmyk ? plan.used_bands : plan.bands();
  header.sample = plan.sample;
  header.has_alpha = plan.has_alpha;
  header.has_icc = vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0;
  header.cmyk = plan.cmyk;
  header.orientation = std::clamp(vips_image_get_orientation(image), 1, 8);
  header.interlaced = format == ImageFormat::kPng && head.size > 28 && head.bytes[28] == 1;
  // "Pages" of JPEG 2000 are its resolutions.
  int pages = 0;
  if (format != ImageFormat::kJp2k && vips_image_get_typeof(image, VIPS_META_N_PAGES) == G_TYPE_INT &&
      vips_image_get_int(image, VIPS_META_N_PAGES, &pages) == 0)
    header.frames = std::max(1, pages);
  header.sequential =
      FactsOf(format).decoded == Decoded::kByRows && !header.interlaced && header.orientation <= 2;
  return header;
}

// How many images the file holds, where libvips does not say or counts other things.
Status CountImages(const InputFile& file, ImageHeader& header) {
  if (header.format == ImageFormat::kPng) header.frames = PngImages(file);
  if (header.format == ImageFormat::kJxl && MayBeAnimatedJxl(file)) {
    TRY(LoadStillModule(Stage::kProbe));
    header.frames = CountJxlFrames(file);
    if (header.frames > 1 && header.sample != Sample::kU8) {
      return Error{Stage::kProbe, Code::kUnsupported,
                   "a JPEG XL animation of more than 8 bits (convert it to APNG)"};
    }
    if (header.frames > 1) header.has_icc = false;  // sRGB, or refused
  }
  if (header.format == ImageFormat::kHeif) {
    if (const std::string why = HeifUnsupported(file); !why.empty())
      return Error{Stage::kProbe, Code::kUnsupported, why};
    header.frames = std::max(header.frames, HeifFrames(file));
  }
  if (header.format == ImageFormat::kTiff && header.frames > 1) header.frames = TiffPages(file);
  return {};
}

void NoteTiffBlocks(const std::optional<TiffFacts>& tiff, ImageHeader& header) {
  const TiffBlocks blocks = tiff ? ReadTiffBlocks(*tiff, header.height) : TiffBlocks{header.height};
  header.block_rows = blocks.rows;
  header.block_by_rows = blocks.by_rows;
  // A tile that is larger than the image is read whole all the same.
  if (tiff && tiff->tiled && (tiff->block_width > tiff->width || tiff->block_rows > tiff->height)) {
    const double rows = static_cast<double>(tiff->block_width) * static_cast<double>(tiff->block_rows) /
                        static_cast<double>(tiff->width);
    header.block_rows = std::max(header.block_rows, static_cast<int64_t>(std::min(std::ceil(rows), 1e12)));
  }
  // Held as stored, beside what becomes of them: twice as much.
  if (tiff && tiff->bits == 64) {
    header.block_rows *= 2;
    header.block_by_rows = false;
  }
}

}  // namespace

Result<ImageHeader> Probe(const std::string& path, const ImageLimits& limits) {
  return ProbeTiffPage(path, limits, 0);
}

Result<ImageHeader> ProbeTiffPage(const std::string& path, const ImageLimits& limits, uint64_t directory) {
  Result<InputFile> file = OpenTiffPage(path, directory, Stage::kProbe);
  if (!file) return file.error();
  FileHead head = TRY(ReadHead(*file, Stage::kProbe));
  const int64_t file_bytes = file->bytes();
  if (head.format == ImageFormat::kVideo) return VideoIsNoImage(head);
  if (file_bytes > limits.max_file_bytes) {
    return Error{Stage::kProbe, Code::kLimitExceeded,
                 "a file of " + std::to_string(file_bytes >> 20) + " MiB is larger than the limit of " +
                     std::to_string(limits.max_file_bytes >> 20) + " MiB"};
  }
  if (head.format == ImageFormat::kJpeg) return ProbeJpeg(*std::move(file), limits);
  if (head.format == ImageFormat::kPnm) return ProbePnm(*file, limits);
  if (Begins(head.text(), "\x89PNG\r\n\x1a\n....IHDR")) {
    // Before libvips spends anything on it.
    const auto width = static_cast<int64_t>(BigEndian(head.bytes + 16, 4));
    const auto height = static_cast<int64_t>(BigEndian(head.bytes + 20, 4));
    if (auto refused = RefuseManyPixels(width, height, limits)) return *std::move(refused);
    if (const std::optional<Error> missing = FindMissingPngEnd(*file)) return *missing;
  }

  std::optional<Jpeg2000Layout> jpeg2000;
  Jpeg2000Tables jpeg2000_tables;
  if (head.format == ImageFormat::kJp2k) {
    jpeg2000 = ReadJpeg2000Layout(*file);
    jpeg2000_tables = ReadJpeg2000Tables(*file, *jpeg2000);
    if (const auto refused = RefuseJpeg2000(*jpeg2000, jpeg2000_tables, limits)) return *refused;
  }
  if (head.format == ImageFormat::kExr) {
    if (!file->plain())
      return Error{Stage::kProbe, Code::kUnsupported,
                   "OpenEXR, whose library reads files of their own and none inside of a tar archive (unpack "
                   "it first)"};
    if (const std::optional<Error> missing = FindMissingExrHeader(*file)) return *missing;
  }
  if (head.format == ImageFormat::kHdr) {
    if (const std::optional<Error> refused = RefuseRadiance(*file)) return *refused;
  }

  const auto still_header = [&](bool last) -> std::optional<Result<ImageHeader>> {
    const std::optional<StillHeader> still = ReadStillHeader(*file, head, last);
    if (!still) return std::nullopt;
    if (auto refused = RefuseManyPixels(still->width, still->height, limits)) return *std::move(refused);
    TRY(LoadStillModule(Stage::kProbe));
    Result<ImageHeader> header = HeaderOfStill(*still, file_bytes);
    if (header) header->fidelity = FidelityOf(*header, *file);
    return header;
  };
  if (auto still = still_header(false)) return *std::move(still);
  const std::optional<TiffFacts> tiff = ReadTiffFacts(*file);
  if (tiff) {
    if (const std::optional<Error> refused = RefuseTiff(*tiff, limits)) return *refused;
  }

  InitImageLibraries();
  LoadModuleFor(head.format);
  ImageRef image;
  ImageFormat format = ImageFormat::kOther;
  {
    VipsShared share;
    image = LoadWithVips(*file, head, path, VIPS_FAIL_ON_NONE, &format);
  }
  if (!image && format == ImageFormat::kOther) {
    {
      VipsShared share;
      vips_error_clear();
    }
    if (auto still = still_header(true)) return *std::move(still);
    return WhyUnknown(*file, head, Stage::kProbe);
  }
  if (!image) {
    const Error error = DiagnoseAlone(Stage::kProbe, "libvips cannot read its header", [&] {
      image = LoadWithVips(*file, head, path, VIPS_FAIL_ON_NONE, &format);
      return static_cast<bool>(image);
    });
    if (!image) return error;
  }
  VipsShared share;
  Result<ImageHeader> header = HeaderOf(image.get(), format, head);
  image.reset();
  if (!header) return header;
  header->file_bytes = file_bytes;
  header->directory = directory;
  TRY(CountImages(*file, *header));
  header->fidelity = FidelityOf(*header, *file);
  if (format == ImageFormat::kTiff) NoteTiffBlocks(tiff, *header);
  if (jpeg2000) {
    header->block_rows = jpeg2000->block_rows;
    header->decoder_tables = jpeg2000_tables.while_decoded;
  }
  if (std::optional<Error> too_short = FindTooShort(*file, tiff))
    header->too_short = WithAdvice(*std::move(too_short));
  if (auto refused = RefuseManyPixels(header->width, header->height, limits)) return *std::move(refused);
  return header;
}

}  // namespace imgmill
