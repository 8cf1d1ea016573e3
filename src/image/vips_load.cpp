// Chooses libvips' reader by content, never by the file's name: names lie, and libvips would take a "[" in
// one for options.
#include "vips_load.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "colour.h"
#include "jpeg2000_header.h"
#include "late_png_exif.h"
#include "png_text_exif.h"
#include "radiance.h"
#include "sample_range.h"
#include "tiff_facts.h"
#include "tiff_samples.h"

namespace imgmill {
namespace {

struct Kind {
  size_t at;
  const char* magic;
  size_t length;
  const char* what;
};

constexpr Kind kKnownStrangers[] = {
    {0, "8BPS", 4, "a Photoshop document, which is not supported (export it as TIFF or PNG)"},
    {0, "DDS ", 4, "a DirectDraw texture, which is not supported (convert it to PNG)"},
    {0, "icns", 4, "an Apple icon, which is not supported (convert it to PNG)"},
    {0, "%PDF", 4, "a PDF document, not an image"},
    {0, "%!PS", 4, "a PostScript document, not an image"},
    {0, "PK\3\4", 4, "a ZIP archive, not an image"},
    {0, "\x1f\x8b", 2, "gzip data, not an image"},
    {0, "\x1a\x45\xdf\xa3", 4, "a Matroska or WebM video, not an image"},
    {0, "OggS", 4, "an Ogg file, not an image"},
    {0,
     "\x7f"
     "ELF",
     4, "a program, not an image"},
    {4, "ftypisom", 8, "an MP4 video, not an image"},
    {4, "ftypmp4", 7, "an MP4 video, not an image"},
    {4, "ftypqt", 6, "a QuickTime video, not an image"},
};

constexpr Kind kKnownFormats[] = {
    {0, "\x89PNG", 4, "PNG"},
    {0, "GIF8", 4, "GIF"},
    {8, "WEBP", 4, "WebP"},
    {0, "II*\0", 4, "TIFF"},
    {0, "MM\0*", 4, "TIFF"},
    {0, "II+\0", 4, "BigTIFF"},
    {0, "MM\0+", 4, "BigTIFF"},
    {4, "ftyphe", 6, "HEIF"},
    {4, "ftypmif1", 8, "HEIF"},
    {4, "ftypavi", 7, "AVIF"},
    {4, "jP  ", 4, "JPEG 2000"},
    {0, "\xFF\x4F\xFF\x51", 4, "JPEG 2000"},
    {0, "#?RADIANCE", 10, "Radiance HDR"},
    {0, "BM", 2, "BMP"},
    {0, "\0\0\1\0", 4, "ICO"},
    {0, "qoif", 4, "QOI"},
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

bool ContainsText(const FileHead& head, const char* text) {
  const char* begin = reinterpret_cast<const char*>(head.bytes);
  return std::string_view(begin, head.size).find(text) != std::string_view::npos;
}

std::string StrangerText(const FileHead& head) {
  if (head.size == 0) return "the file is empty";
  if (std::all_of(head.bytes, head.bytes + head.size, [](unsigned char c) { return c == 0; })) {
    return "the file begins with zeros only (an interrupted copy or download?)";
  }
  for (const Kind& kind : kKnownStrangers) {
    if (head.Is(kind.at, kind.magic, kind.length)) return std::string("it is ") + kind.what;
  }
  if (ContainsText(head, "<svg")) return "it is an SVG drawing, which is not supported (render it to PNG)";
  if (ContainsText(head, "<html") || ContainsText(head, "<!DOCTYPE") || ContainsText(head, "<!doctype")) {
    return "it is a web page, not an image (a failed download?)";
  }
  if (LooksLikeText(head)) return "it is text, not an image";
  return "not an image of a known format (JPEG, PNG, WebP, TIFF, GIF, HEIF, AVIF, JPEG XL, JPEG 2000, "
         "PNM, Radiance HDR, OpenEXR, BMP, TGA, ICO, QOI)";
}

}  // namespace

bool FileHead::Is(size_t at, const char* text, size_t length) const {
  return size >= at + length && std::memcmp(bytes + at, text, length) == 0;
}

Result<FileHead> ReadHead(const InputFile& file, Stage stage) {
  FileHead head;
  const ptrdiff_t got = file.ReadAt(0, head.bytes, sizeof head.bytes);
  if (got < 0) return ReadErrorFromErrno(stage, errno);
  head.size = static_cast<size_t>(got);
  return head;
}

ImageRef LoadWithVips(const InputFile& file, const FileHead& head, const std::string& path,
                      VipsFailOn fail_on, bool* known) {
  *known = false;
  VipsImage* image = nullptr;
  if (head.Is(0, "\x76\x2f\x31\x01", 4)) {
    *known = true;
    if (vips_openexrload(path.c_str(), &image, "access", VIPS_ACCESS_SEQUENTIAL, nullptr) != 0) return {};
    return ApartFromAlpha(ImageRef(image));
  }
  const GRef<VipsSource> source = IsRadiance(head)
                                      ? RadianceSource(file, head)
                                      : GRef<VipsSource>(vips_source_new_from_descriptor(file.descriptor()));
  if (!source) return {};
  if (head.Is(4, "ftypavis", 8)) {
    // libvips does not know this brand of an animation; libheif reads the image that stands for it.
    *known = true;
    VipsImage* still = nullptr;
    if (vips_heifload_source(source.get(), &still, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", fail_on,
                             nullptr) != 0)
      return {};
    return ImageRef(still);
  }
  const char* loader = vips_foreign_find_load_source(source.get());
  if (loader == nullptr || !IsTrustedReader(loader)) return {};
  *known = true;
  const bool is_tiff = std::string_view(loader).starts_with("VipsForeignLoadTiff");
  const std::optional<TiffFacts> facts = is_tiff ? ReadTiffFacts(file) : std::nullopt;
  ImageRef loaded;
  if (facts && IsForTiffSamples(*facts)) {
    loaded = LoadTiffSamples(file, *facts, fail_on == VIPS_FAIL_ON_NONE);
  } else {
    loaded = ImageRef(vips_image_new_from_source(source.get(), "", "access", VIPS_ACCESS_SEQUENTIAL,
                                                 "fail_on", fail_on, nullptr));
  }
  if (loaded && std::string_view(loader).starts_with("VipsForeignLoadJp2k")) {
    NoteSampleBits(loaded.get(), ReadJpeg2000Layout(file).bits);
  }
  if (loaded && std::string_view(loader).starts_with("VipsForeignLoadPng")) {
    TakeExifFromText(loaded.get());
    TakeLateExif(loaded.get(), file);
  }
  if (loaded && facts) {
    // A palette's colours are more bands than samples.
    if (facts->samples == static_cast<uint64_t>(loaded.get()->Bands)) {
      if (const std::optional<TiffRoles> roles = TiffRolesOf(*facts))
        NoteBandRoles(loaded.get(), roles->colours, roles->alpha);
    }
  }
  return loaded;
}

Error WhyUnknown(const FileHead& head, Stage stage) {
  for (const Kind& kind : kKnownFormats) {
    if (!head.Is(kind.at, kind.magic, kind.length)) continue;
    return {stage, Code::kMalformed,
            std::string("it begins as ") + kind.what +
                " but cannot be read as such: cut short, broken, or of a "
                "kind that is not supported"};
  }
  return {stage, Code::kUnknownFormat, StrangerText(head)};
}

}  // namespace imgmill
