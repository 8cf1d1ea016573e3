// Puts the way of one image together: decoder, colours, form, upright.
#include "open_rows.h"

#include <algorithm>

#include "base/try.h"
#include "colour.h"
#include "icc_profile.h"
#include "image/jpeg/jpeg_rows.h"
#include "image/png/png_rows.h"
#include "image/pnm/pnm_rows.h"
#include "image/still/still_rows.h"
#include "image/tiff/tiff_directory.h"
#include "imgmill/image/reader.h"
#include "imgmill/memory/out_of_memory.h"
#include "missing_end.h"
#include "pixel_form.h"
#include "profiled_rows.h"
#include "upright.h"
#include "vips_load.h"
#include "vips_rows.h"

namespace imgmill {
namespace {

// A reader with more to say than the one below it.
class NotedRows final : public RowReader {
 public:
  NotedRows(std::unique_ptr<RowReader> rows, std::string note) : rows_(std::move(rows)) {
    first_ = std::move(note);
    Gather();
  }
  const Layout& layout() const override { return rows_->layout(); }
  int shrink() const override { return rows_->shrink(); }
  const std::vector<std::string>& notes() const override { return notes_; }
  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    Status status = rows_->Read(rows, destination, stride);
    Gather();
    return status;
  }

 private:
  void Gather() {
    if (!notes_.empty() && notes_.size() == rows_->notes().size() + 1) return;
    notes_ = rows_->notes();
    notes_.insert(notes_.begin(), first_);
  }
  std::unique_ptr<RowReader> rows_;
  std::string first_;
  std::vector<std::string> notes_;
};

// Which image of several this is, in the words of its format.
std::string WhichOf(const ImageHeader& header) {
  const FormatFacts& facts = FactsOf(header.format);
  return std::string(facts.taken) + " of " + std::to_string(header.frames) + " " + std::string(facts.parts);
}

Result<std::unique_ptr<JpegDecoder>> OpenDecoder(const std::string& path, const ImageHeader& header) {
  InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
  Result<std::unique_ptr<JpegDecoder>> decoder = JpegDecoder::Open(std::move(file), Stage::kDecode);
  if (!decoder) return decoder;
  const jpeg_decompress_struct& info = (*decoder)->info();
  if (info.image_width != header.width || info.image_height != header.height ||
      info.num_components != header.bands) {
    return FileChanged();
  }
  return decoder;
}

// Colour conversion of a JPEG's own rows by libvips.
MadePipeline JpegThroughVips(const std::string& path, const ImageHeader& header, const ReadOptions& options,
                             int shrink) {
  Result<std::unique_ptr<JpegDecoder>> decoder = OpenDecoder(path, header);
  if (!decoder) return {std::nullopt, decoder.error()};
  const std::vector<uint8_t> profile = (*decoder)->IccProfile();
  const J_COLOR_SPACE space = header.cmyk ? JCS_CMYK : header.bands == 1 ? JCS_GRAYSCALE : JCS_RGB;
  Result<std::unique_ptr<RowReader>> rows =
      OpenJpegRows(*std::move(decoder), space, shrink, options.allow_truncated);
  if (!rows) return {std::nullopt, rows.error()};

  const VipsInterpretation meaning = header.cmyk         ? VIPS_INTERPRETATION_CMYK
                                     : header.bands == 1 ? VIPS_INTERPRETATION_B_W
                                                         : VIPS_INTERPRETATION_sRGB;
  MadePipeline made = ThroughProfile(*std::move(rows), meaning, profile, options.keep_profile);
  if (made.pipeline) made.pipeline->shrink = shrink;
  return made;
}

Result<std::unique_ptr<RowReader>> OpenJpeg(const std::string& path, const ImageHeader& header,
                                            const ReadOptions& options) {
  const int shrink = ChooseShrink(header.width, header.height, options.shrink_to_side);
  std::unique_ptr<JpegDecoder> decoder = TRY(OpenDecoder(path, header));
  bool as_is = !header.cmyk;
  if (as_is && header.has_icc && !options.keep_profile) {
    const std::vector<uint8_t> profile = decoder->IccProfile();
    const ProfileSpace samples = header.bands == 1 ? ProfileSpace::kGrey : ProfileSpace::kRgb;
    as_is = profile.empty() || (IsPlainSrgb(profile) && SpaceOfProfile(profile) == samples);
  }
  if (!as_is) {
    decoder.reset();
    InitImageLibraries();
    return OpenVipsRows([=](bool) { return JpegThroughVips(path, header, options, shrink); },
                        options.allow_truncated);
  }
  const bool luma_plane = options.bands == ReadOptions::Bands::kGrey && options.shrink_to_side > 0 &&
                          decoder->info().jpeg_color_space == JCS_YCbCr;
  const J_COLOR_SPACE space = header.bands == 1 || luma_plane ? JCS_GRAYSCALE : JCS_RGB;
  return OpenJpegRows(std::move(decoder), space, shrink, options.allow_truncated);
}

MadePipeline FileThroughVips(const std::string& path, const ImageHeader& header, const ReadOptions& options,
                             bool lenient, bool& linear) {
  MadePipeline made;
  Result<InputFile> file = OpenTiffPage(path, header.directory, Stage::kDecode);
  if (!file) return {std::nullopt, file.error()};
  Result<FileHead> head = ReadHead(*file, Stage::kDecode);
  if (!head) return {std::nullopt, head.error()};
  // Of a PNG that is broken, libvips' lenient reader hands out rows it read before, and does not say where.
  const bool fails = !lenient || header.format == ImageFormat::kPng;
  ImageFormat format = ImageFormat::kOther;
  const ImageRef stored =
      LoadWithVips(*file, *head, path, fails ? VIPS_FAIL_ON_ERROR : VIPS_FAIL_ON_NONE, &format);
  if (!stored && format == ImageFormat::kOther) return {std::nullopt, FileChanged()};
  if (!stored) return made;
  const ColourPlan plan = PlanColour(stored.get());
  if (stored.get()->Xsize != header.width || stored.get()->Ysize != header.height ||
      (plan.cmyk ? plan.used_bands : plan.bands()) != header.bands || plan.sample != header.sample ||
      !plan.unsupported.empty()) {
    return {std::nullopt, FileChanged()};
  }
  linear = plan.linear;
  VipsPipeline pipeline;
  pipeline.image = ConvertColour(stored.get(), plan, options.keep_profile, pipeline.notes);
  if (pipeline.image) made.pipeline = std::move(pipeline);
  return made;
}

/// @param linear  whether float samples are linear light
Result<std::unique_ptr<RowReader>> OpenStored(const std::string& path, const ImageHeader& header,
                                              const ReadOptions& options, std::shared_ptr<bool> linear) {
  const FormatReader reader = FactsOf(header.format).reader;
  if (reader == FormatReader::kJpegRows) return OpenJpeg(path, header, options);
  if (reader == FormatReader::kPnmRows) return OpenPnmRows(path, header, options.allow_truncated);
  if (IsStill(header)) return OpenStillRows(path, header, options.allow_truncated);
  InitImageLibraries();
  const InputFile file = TRY(OpenTiffPage(path, header.directory, Stage::kDecode));
  const auto through_vips = [=] {
    return OpenVipsRows(
        [=](bool lenient) { return FileThroughVips(path, header, options, lenient, *linear); },
        options.allow_truncated);
  };
  std::optional<Error> missing = FindMissingEnd(file, header.format);
  if (missing && !options.allow_truncated) {
    missing->message += kAllowTruncated;
    return *missing;
  }
  if (header.format == ImageFormat::kPng && !missing && (!header.has_icc || options.keep_profile)) {
    std::unique_ptr<RowReader> rows = TRY(OpenPngRows(path, header, through_vips));
    if (rows != nullptr) return rows;
  }
  Result<std::unique_ptr<RowReader>> rows = through_vips();
  if (!rows || !missing) return rows;
  return std::unique_ptr<RowReader>(
      std::make_unique<NotedRows>(*std::move(rows), missing->message + kReadableKept));
}

// Layout of the stored image in canonical pixels, before form and orientation.
Layout StoredLayout(const ImageHeader& header, const ReadOptions& options) {
  const int shrink = header.format == ImageFormat::kJpeg
                         ? ChooseShrink(header.width, header.height, options.shrink_to_side)
                         : 1;
  Layout layout;
  layout.width = (header.width + shrink - 1) / shrink;
  layout.height = (header.height + shrink - 1) / shrink;
  layout.bands = header.cmyk ? 3 + (header.has_alpha ? 1 : 0) : header.bands;
  layout.sample = header.sample;
  return layout;
}

std::unique_ptr<RowReader> AsAsked(std::unique_ptr<RowReader> stored, const ImageHeader& header,
                                   const ReadOptions& options, bool linear) {
  return Upright(WithForm(std::move(stored), linear, options), header.orientation, options.whole_image_bytes);
}

}  // namespace

Layout ReadLayout(const ImageHeader& header, const ReadOptions& options) {
  Layout layout = FormFor(StoredLayout(header, options), options);
  if (header.orientation >= 5) std::swap(layout.width, layout.height);
  return layout;
}

Status MayHoldPixels(const ImageHeader& header, const ReadOptions& options) {
  if (header.too_short && !options.allow_truncated) return *header.too_short;
  return {};
}

bool SamePixels(const ImageHeader& header, const ReadOptions& a, const ReadOptions& b) {
  const Layout layout = ReadLayout(header, a);
  if (layout != ReadLayout(header, b)) return false;
  const bool same_bands = a.bands == b.bands || (layout.colour_bands() == 3 && !header.cmyk);
  const bool same_alpha = a.alpha == b.alpha || !header.has_alpha;
  const bool same_colour = a.keep_profile == b.keep_profile || !header.has_icc;
  // Only a JPEG is ever shrunk; and one that may be is read with shortcuts, even where it is not.
  const bool same_shrink = a.shrink_to_side == b.shrink_to_side || header.format != ImageFormat::kJpeg;
  return same_bands && same_alpha && same_colour && same_shrink && a.allow_truncated == b.allow_truncated;
}

std::unique_ptr<RowReader> AsAsked(std::unique_ptr<RowReader> stored, const ImageHeader& header,
                                   const ReadOptions& options) {
  return AsAsked(std::move(stored), header, options, /*linear=*/header.sample == Sample::kF32);
}

Result<std::unique_ptr<RowReader>> OpenAlone(const std::string& path, const ImageHeader& header,
                                             const ReadOptions& options) {
  // Told when the file is opened, and told again when it is opened afresh.
  const auto linear = std::make_shared<bool>(header.sample == Sample::kF32);
  Result<std::unique_ptr<RowReader>> stored = OpenStored(path, header, options, linear);
  if (!stored) return stored;
  return AsAsked(*std::move(stored), header, options, *linear);
}

Result<std::unique_ptr<RowReader>> OpenRows(const std::string& path, const ImageHeader& header,
                                            const ReadOptions& options) {
  TRY(MayHoldPixels(header, options));
  try {
    std::unique_ptr<RowReader> rows = TRY(OpenAlone(path, header, options));
    if (header.frames > 1) rows = std::make_unique<NotedRows>(std::move(rows), WhichOf(header));
    return rows;
  } catch (const OutOfMemory& refusal) {
    return Error{Stage::kDecode, Code::kOutOfMemory, refusal.what()};
  }
}

}  // namespace imgmill
