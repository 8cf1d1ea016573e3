// Chooses libvips' reader by content, never by the file's name: names lie, and libvips would take a "[" in
// one for options.
#include "vips_load.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "archive/tar_header.h"
#include "colour.h"
#include "icc_profile.h"
#include "image/jpeg2000/jpeg2000_header.h"
#include "image/png/late_png_exif.h"
#include "image/png/png_text_exif.h"
#include "image/tiff/tiff_facts.h"
#include "image/tiff/tiff_samples.h"
#include "radiance.h"
#include "sample_range.h"

namespace imgmill {
namespace {

constexpr const char* kCameraRaw = "a camera's raw file, which is not supported (develop it first)";
constexpr std::pair<std::string_view, const char*> kKnownStrangers[] = {
    {"FUJIFILMCCD-RAW", kCameraRaw},
    {"IIRO", kCameraRaw},
    {"IIRS", kCameraRaw},
    {std::string_view("IIU\0", 4), kCameraRaw},
    {"....ftypcrx ", kCameraRaw},
    {"8BPS", "a Photoshop document, which is not supported (export it as TIFF or PNG)"},
    {"icns", "an Apple icon, which is not supported (convert it to PNG)"},
    {"%PDF", "a PDF document, not an image"},
    {"%!PS", "a PostScript document, not an image"},
    {"PK\3\4", "a ZIP archive, not an image"},
    {"\x1f\x8b", "gzip data, not an image (decompress it first)"},
    {"\x28\xb5\x2f\xfd", "Zstandard data, not an image (decompress it first)"},
    {"\xfd\x37zXZ", "xz data, not an image (decompress it first)"},
    {"\177ELF", "a program, not an image"},
};

bool LooksLikeText(const FileHead& head) {
  return std::all_of(head.bytes, head.bytes + head.size, [](unsigned char c) {
    return c >= 0x20 ? c != 0x7F : c == '\n' || c == '\r' || c == '\t' || c == '\f';
  });
}

/// OpenEXR's colours are multiplied by their alpha ("Technical Introduction to OpenEXR"), which libvips
/// leaves so, and it hands out an alpha of 1 as 255.
ImageRef ApartFromAlpha(ImageRef stored) {
  ImageRef apart;
  if (vips_unpremultiply(stored.get(), apart.out(), "max_alpha", 255.0, nullptr) != 0) return {};
  double scale[] = {1, 1, 1, 1 / 255.0};
  double offset[] = {0, 0, 0, 0};
  ImageRef scaled;
  if (vips_linear(apart.get(), scaled.out(), scale, offset, 4, nullptr) != 0) return {};
  return scaled;
}

/// sYCC (IEC 61966-2-1, annex G) of 8 or 16 bits as sRGB, rounded; bands behind the three stay as they are.
ImageRef FromYcc(const ImageRef& stored) {
  constexpr double kFromChroma[3][2] = {{0, 1.402}, {-0.344136, -0.714136}, {1.772, 0}};
  const int bands = stored.get()->Bands;
  const double middle = stored.get()->BandFmt == VIPS_FORMAT_UCHAR ? 128 : 32768;
  const ImageRef matrix(vips_image_new_matrix(bands, bands));
  if (!matrix) return {};
  std::vector<double> factors(static_cast<size_t>(bands), 1), offsets(static_cast<size_t>(bands), 0.5);
  for (int band = 0; band < bands; ++band) {
    *VIPS_MATRIX(matrix.get(), band < 3 ? 0 : band, band) = 1;
    if (band >= 3) continue;
    const auto [cb, cr] = kFromChroma[band];
    *VIPS_MATRIX(matrix.get(), 1, band) = cb;
    *VIPS_MATRIX(matrix.get(), 2, band) = cr;
    offsets[static_cast<size_t>(band)] -= (cb + cr) * middle;
  }
  ImageRef mixed, moved, rounded, named;
  if (vips_recomb(stored.get(), mixed.out(), matrix.get(), nullptr) != 0 ||
      vips_linear(mixed.get(), moved.out(), factors.data(), offsets.data(), bands, nullptr) != 0 ||
      vips_cast(moved.get(), rounded.out(), stored.get()->BandFmt, nullptr) != 0 ||
      vips_copy(rounded.get(), named.out(), "interpretation", stored.get()->Type, nullptr) != 0)
    return {};
  return named;
}

/// libvips gives grey of HEIF and AVIF as RGB, with its profile of grey.
ImageRef WithProfileOfItsBands(ImageRef loaded) {
  if (loaded.get()->Bands < 3) return loaded;
  const std::vector<uint8_t> profile = RgbOfGrey(BlobOf(loaded.get(), VIPS_META_ICC_NAME));
  if (profile.empty()) return loaded;
  ImageRef own;
  if (vips_copy(loaded.get(), own.out(), nullptr) != 0) return {};
  vips_image_set_blob_copy(own.get(), VIPS_META_ICC_NAME, profile.data(), profile.size());
  return own;
}

/// libvips refuses sides above 16384 unless it is told not to; the limits that hold are ours.
ImageRef LoadHeif(VipsSource* source, VipsFailOn fail_on) {
  ImageRef loaded;
  if (vips_heifload_source(source, loaded.out(), "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", fail_on,
                           "unlimited", TRUE, nullptr) != 0)
    return {};
  return WithProfileOfItsBands(std::move(loaded));
}

/// The format of a loader of libvips; kOther of one that is not to be used.
ImageFormat FormatOfLoader(std::string_view class_name) {
  class_name.remove_prefix(std::min(class_name.size(), std::string_view(kVipsLoader).size()));
  const auto* facts = std::ranges::find_if(kImageFormats, [&](const FormatFacts& each) {
    return !each.vips_loader.empty() && class_name.starts_with(each.vips_loader);
  });
  return facts == std::end(kImageFormats) ? ImageFormat::kOther : facts->format;
}

/// Its first bytes are a member's name, which may be like anything.
bool IsTar(const InputFile& file) {
  tar::Header header{};
  return file.ReadAt(0, header.data(), header.size()) == static_cast<ptrdiff_t>(header.size()) &&
         tar::HasItsChecksum(header);
}

std::string StrangerText(const FileHead& head) {
  if (head.size == 0) return "the file is empty";
  if (std::all_of(head.bytes, head.bytes + head.size, [](unsigned char c) { return c == 0; })) {
    return "the file begins with zeros only (an interrupted copy or download?)";
  }
  for (const auto& [pattern, what] : kKnownStrangers) {
    if (Begins(head.text(), pattern)) return std::string("it is ") + what;
  }
  const auto contains = [&](const char* text) { return head.text().find(text) != std::string_view::npos; };
  if (contains("<svg")) return "it is an SVG drawing, which is not supported (render it to PNG)";
  if (contains("<html") || contains("<!DOCTYPE") || contains("<!doctype")) {
    return "it is a web page, not an image (a failed download?)";
  }
  if (LooksLikeText(head)) return "it is text, not an image";
  std::string known;
  for (const FormatFacts& facts : kImageFormats) {
    if (facts.reader == FormatReader::kNobody || facts.reader == FormatReader::kFrames) continue;
    known.append(known.empty() ? "" : ", ").append(facts.title);
  }
  return "not an image of a known format (" + known + ")";
}

}  // namespace

Result<FileHead> ReadHead(const InputFile& file, Stage stage) {
  FileHead head;
  const ptrdiff_t got = file.ReadAt(0, head.bytes, sizeof head.bytes);
  if (got < 0) return ReadErrorFromErrno(stage, errno);
  head.size = static_cast<size_t>(got);
  head.format = SignatureOf(head.text()).format;
  return head;
}

ImageRef LoadWithVips(const InputFile& file, const FileHead& head, const std::string& path,
                      VipsFailOn fail_on, ImageFormat* format) {
  *format = ImageFormat::kOther;
  ImageRef loaded;
  if (head.format == ImageFormat::kExr) {
    *format = head.format;
    if (vips_openexrload(path.c_str(), loaded.out(), "access", VIPS_ACCESS_SEQUENTIAL, nullptr) != 0)
      return {};
    return ApartFromAlpha(std::move(loaded));
  }
  const GRef<VipsSource> source = SourceOf(file, head);
  if (!source) return {};
  if (Begins(head.text(), "....ftypavis")) {
    // libvips does not know this brand of an animation; libheif reads the image that stands for it.
    *format = ImageFormat::kHeif;
    return LoadHeif(source.get(), fail_on);
  }
  const char* loader = vips_foreign_find_load_source(source.get());
  if (loader != nullptr) *format = FormatOfLoader(loader);
  if (*format == ImageFormat::kOther) return {};
  if (*format == ImageFormat::kHeif) return LoadHeif(source.get(), fail_on);
  const std::optional<TiffFacts> facts = *format == ImageFormat::kTiff ? ReadTiffFacts(file) : std::nullopt;
  if (facts && IsForTiffSamples(*facts)) {
    loaded = LoadTiffSamples(file, *facts, fail_on == VIPS_FAIL_ON_NONE);
  } else {
    const GRef<VipsSource> stored =
        facts && facts->in_one_plane ? PatchedSource(file, *facts->in_one_plane) : source.share();
    if (!stored) return {};
    loaded = ImageRef(vips_image_new_from_source(stored.get(), "", "access", VIPS_ACCESS_SEQUENTIAL,
                                                 "fail_on", fail_on, nullptr));
  }
  if (loaded && *format == ImageFormat::kJp2k) {
    const Jpeg2000Layout layout = ReadJpeg2000Layout(file);
    if (layout.plain_ycc) loaded = FromYcc(loaded);
    if (loaded) NoteSampleBits(loaded.get(), layout.bits);
  }
  if (loaded && *format == ImageFormat::kPng) {
    TakeExifFromText(loaded.get());
    TakeLateExif(loaded.get(), file);
  }
  // A palette's colours are more bands than samples.
  if (loaded && facts && facts->samples == static_cast<uint64_t>(loaded.get()->Bands)) {
    if (const std::optional<TiffRoles> roles = TiffRolesOf(*facts))
      NoteBandRoles(loaded.get(), roles->colours, roles->alpha);
  }
  return loaded;
}

Error WhyUnknown(const InputFile& file, const FileHead& head, Stage stage) {
  if (IsTar(file)) {
    return {stage, Code::kUnknownFormat,
            "it is a tar archive, not an image (archives are read if their names end in .tar, and not inside "
            "of others)"};
  }
  if (const std::string_view title = SignatureOf(head.text()).title; !title.empty()) {
    return {stage, Code::kMalformed,
            "it begins as " + std::string(title) +
                " but cannot be read as such: cut short, broken, or of a kind that is not supported"};
  }
  return {stage, Code::kUnknownFormat, StrangerText(head)};
}

}  // namespace imgmill
