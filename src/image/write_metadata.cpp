// Carries metadata from file to file, so that nothing is stripped silently.
#include "write_metadata.h"

#include <cstring>
#include <string_view>

#include "exif.h"
#include "icc_profile.h"
#include "image/jpeg/jpeg_encoder.h"
#include "image/jxl_boxes.h"
#include "image/png/png_head.h"
#include "image/pnm/pnm_header.h"
#include "image/still/still_header.h"
#include "image/tiff/tiff_directory.h"
#include "image/tiff/tiff_exif.h"
#include "image/tiff/tiff_facts.h"
#include "stored_form.h"
#include "upright_metadata.h"
#include "vips_load.h"

namespace imgmill {
namespace {

constexpr size_t kMarkerBytes = 65533;  // of a JPEG

struct ExifCopy {
  VipsImage* to;
  bool thumbnail;
  bool any;
};

// libvips writes EXIF anew from these fields and drops from the block what they do not name.
void* CopyExifField(VipsImage* /*from*/, const char* name, GValue* value, void* copy) {
  const auto as = static_cast<ExifCopy*>(copy);
  if (std::strncmp(name, "exif-ifd", 8) != 0) return nullptr;
  as->any = true;
  if (as->thumbnail || std::strncmp(name, "exif-ifd1-", 10) != 0) vips_image_set(as->to, name, value);
  return nullptr;
}

// An EXIF block as libvips reads it out of a JPEG. Libvips makes fields of the block only there.
ImageRef ReadOutOfJpeg(const std::vector<uint8_t>& exif) {
  if (exif.size() > kMarkerBytes) return {};
  JpegEncoder encoder({1, 1, 1, Sample::kU8}, 50, false, {});
  const uint8_t pixel = 0;
  const uint8_t* const row = &pixel;
  const Result<std::span<const uint8_t>> bytes = encoder.Encode({&row, 1});
  if (!bytes) return {};
  const size_t length = exif.size() + 2;
  std::vector<uint8_t> jpeg = {
      0xFF, 0xD8, 0xFF, 0xE1, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
  jpeg.insert(jpeg.end(), exif.begin(), exif.end());
  jpeg.insert(jpeg.end(), bytes->begin() + 2, bytes->end());
  VipsImage* image = nullptr;
  // Header and fields are its own; the bytes are not looked at again.
  if (vips_jpegload_buffer(jpeg.data(), jpeg.size(), &image, nullptr) != 0) {
    vips_error_clear();
    return {};
  }
  return ImageRef(image);
}

int OrientationIn(const std::vector<uint8_t>& exif) {
  const size_t start = exif.size() > 6 && std::memcmp(exif.data(), "Exif\0", 6) == 0 ? 6 : 0;
  return ExifOrientation(exif.data() + start, exif.size() - start);
}

// EXIF, XMP and IPTC of `from`, as they are right for the upright image.
void TakeBlocks(VipsImage* from, VipsImage* image, const Layout& layout, const WriteOptions& options,
                std::vector<std::string>& notes) {
  std::vector<uint8_t> exif = BlobOf(from, VIPS_META_EXIF_NAME);
  std::vector<uint8_t> xmp = BlobOf(from, VIPS_META_XMP_NAME);
  std::vector<uint8_t> iptc = BlobOf(from, VIPS_META_IPTC_NAME);
  // HEIF's reader turns the image itself, and says so nowhere; the block still tells.
  const bool turned = vips_image_get_orientation(from) > 1 || OrientationIn(exif) > 1;
  const bool other_thumbnail = turned || options.piece;
  if (other_thumbnail) DropExifThumbnail(exif);
  if (other_thumbnail) DropPhotoshopThumbnail(iptc);
  MakeXmpUpright(xmp, other_thumbnail);
  if (options.piece) SetXmpSize(xmp, layout.width, layout.height);
  const auto set = [&](const char* name, const std::vector<uint8_t>& block) {
    if (!block.empty()) vips_image_set_blob_copy(image, name, block.data(), block.size());
  };
  set(VIPS_META_EXIF_NAME, exif);
  set(VIPS_META_XMP_NAME, xmp);
  // libvips has a tag for it in TIFF, but puts all of a JPEG's Photoshop resources there, cut short.
  if (options.format == FileFormat::kJpeg) {
    set(VIPS_META_IPTC_NAME, iptc);
  } else if (!iptc.empty()) {
    notes.push_back("IPTC is not kept: it is not written to " + std::string(Title(options.format)));
  }
  if (exif.empty()) return;
  ExifCopy copy{image, !other_thumbnail, false};
  vips_image_map(from, &CopyExifField, &copy);
  if (!copy.any) {
    const ImageRef parsed = ReadOutOfJpeg(exif);
    if (parsed) vips_image_map(parsed.get(), &CopyExifField, &copy);
  }
  vips_image_remove(image, "exif-ifd0-Orientation");
  vips_image_set_int(image, VIPS_META_ORIENTATION, 1);
  if (options.format == FileFormat::kTiff)
    notes.emplace_back("EXIF is not kept: libvips writes none to TIFF");
}

/// A JPEG holds each in one marker, of 64 KiB.
void FitJpegMarkers(CarriedMetadata& metadata, std::vector<std::string>& notes) {
  const auto fit = [&](std::vector<uint8_t>& block, size_t name, const char* what) {
    if (block.size() + name <= kMarkerBytes) return;
    block.clear();
    notes.push_back(std::string(what) + " is not kept: it has more than the 64 KiB that a JPEG has for it");
  };
  fit(metadata.exif, kJpegExifName.size(), "EXIF");
  fit(metadata.xmp, kJpegXmpName.size(), "XMP");
  fit(metadata.iptc, 0, "IPTC");
}

/// The source's profile, where it describes the written rows.
std::vector<uint8_t> ProfileToAttach(VipsImage* source, const Layout& layout, const WriteOptions& options,
                                     std::vector<std::string>& notes) {
  std::vector<uint8_t> profile = BlobOf(source, VIPS_META_ICC_NAME);
  if (profile.empty()) return {};
  const ProfileSpace rows = layout.colour_bands() == 1 ? ProfileSpace::kGrey : ProfileSpace::kRgb;
  const bool fits = SpaceOfProfile(profile) == rows;
  if (fits && (options.profile_kept || IsPlainSrgb(profile))) {
    if (options.format != FileFormat::kWebp || rows != ProfileSpace::kGrey) return profile;
    profile = RgbOfGrey(profile);  // WebP holds grey as RGB
    if (profile.empty())
      notes.emplace_back(
          "the source's profile of grey does not fit WebP, which holds grey as RGB, and is not attached");
    return profile;
  }
  if (!options.profile_kept) {
    notes.emplace_back("colours were converted to sRGB: the source's colour profile is not attached");
  } else if (!fits) {
    notes.emplace_back("the source's colour profile does not fit the written image and is not attached");
  }
  return {};
}

/// Blocks of formats of which libvips hands out none.
void AddWhatVipsLacks(const InputFile& file, const FileHead& head, VipsImage* image) {
  const auto set = [&](const char* name, const std::vector<uint8_t>& block) {
    if (!block.empty()) vips_image_set_blob_copy(image, name, block.data(), block.size());
  };
  if (ReadTiffFacts(file)) set(VIPS_META_EXIF_NAME, ExifOfTiff(file));
  if (head.format != ImageFormat::kJxl) return;
  std::vector<uint8_t> exif = ExifOfJxl(file);
  constexpr std::string_view kBefore("Exif\0\0", 6);  // as it stands in a JPEG
  if (!exif.empty()) exif.insert(exif.begin(), kBefore.begin(), kBefore.end());
  set(VIPS_META_EXIF_NAME, exif);
  set(VIPS_META_XMP_NAME, XmpOfJxl(file));
}

/// The source, opened for its metadata; null, noted, where that fails.
ImageRef OpenSource(const std::string& source, uint64_t directory, std::vector<std::string>& notes) {
  const std::string lost = "metadata could not be copied";
  Result<InputFile> file = OpenTiffPage(source, directory, Stage::kEncode);
  if (!file) return notes.push_back(lost + ": " + file.error().message), ImageRef();
  Result<FileHead> head = ReadHead(*file, Stage::kEncode);
  if (!head) return notes.push_back(lost + ": " + head.error().message), ImageRef();
  if (head->format == ImageFormat::kPnm || ReadStillHeader(*file, *head, false))
    return {};  // BMP and its like hold none
  if (head->format == ImageFormat::kGif)
    return {};  // nor does libvips give any, though it looks at each frame
  ImageFormat format = ImageFormat::kOther;
  ImageRef from = LoadWithVips(*file, *head, source, VIPS_FAIL_ON_NONE, &format);
  if (!from) vips_error_clear();
  if (from) AddWhatVipsLacks(*file, *head, from.get());
  if (!from && !ReadStillHeader(*file, *head, true)) {
    notes.push_back(lost + ": its header cannot be read");
  }
  return from;
}

}  // namespace

std::vector<uint8_t> ReadProfileOf(const std::string& source, const Layout& layout,
                                   const WriteOptions& writing, std::vector<std::string>& notes) {
  InitImageLibraries();
  VipsShared share;
  const ImageRef from = OpenSource(source, 0, notes);
  return from ? ProfileToAttach(from.get(), layout, writing, notes) : std::vector<uint8_t>();
}

void TakeMetadata(VipsImage* image, const std::string& source, const Layout& layout,
                  const WriteOptions& options, std::vector<std::string>& notes) {
  const ImageRef from = OpenSource(source, options.metadata_directory, notes);
  if (!from) return;
  const std::vector<uint8_t> profile = ProfileToAttach(from.get(), layout, options, notes);
  if (!profile.empty()) vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, profile.data(), profile.size());
  TakeBlocks(from.get(), image, layout, options, notes);
  image->Xres = from.get()->Xres;
  image->Yres = from.get()->Yres;
  const char* unit = nullptr;
  if (vips_image_get_typeof(from.get(), VIPS_META_RESOLUTION_UNIT) != 0 &&
      vips_image_get_string(from.get(), VIPS_META_RESOLUTION_UNIT, &unit) == 0) {
    vips_image_set_string(image, VIPS_META_RESOLUTION_UNIT, unit);
  }
}

CarriedMetadata ReadCarriedMetadata(const std::string& source, const Layout& layout, const Layout& stored,
                                    const WriteOptions& options, std::vector<std::string>& notes) {
  VipsShared share;
  CarriedMetadata metadata;
  const ImageRef described = OnePixel(stored);
  if (!described) return metadata;
  TakeMetadata(described.get(), source, layout, options, notes);
  metadata.profile = BlobOf(described.get(), VIPS_META_ICC_NAME);
  metadata.xmp = BlobOf(described.get(), VIPS_META_XMP_NAME);
  metadata.iptc = BlobOf(described.get(), VIPS_META_IPTC_NAME);
  if (BlobOf(described.get(), VIPS_META_EXIF_NAME).empty() || options.format == FileFormat::kTiff)
    return metadata;
  // libvips makes the block anew only where it writes one.
  const Result<std::vector<uint8_t>> png = PngHead(stored, described.get());
  if (png) metadata.exif = PngChunk(*png, "eXIf");
  return metadata;
}

CarriedMetadata ReadPieceMetadata(const std::string& source, const Layout& piece, const WriteOptions& writing,
                                  std::vector<std::string>& notes) {
  InitImageLibraries();
  WriteOptions options = writing;
  options.piece = true;
  CarriedMetadata metadata =
      ReadCarriedMetadata(source, piece, StoredForm(piece, writing.format), options, notes);
  SetExifMainSize(metadata.exif, static_cast<uint32_t>(piece.width), static_cast<uint32_t>(piece.height));
  if (writing.format == FileFormat::kJpeg) FitJpegMarkers(metadata, notes);
  return metadata;
}

void GiveMetadata(const CarriedMetadata& metadata, VipsImage* image) {
  const auto set = [&](const char* name, const std::vector<uint8_t>& block) {
    if (!block.empty()) vips_image_set_blob_copy(image, name, block.data(), block.size());
  };
  set(VIPS_META_ICC_NAME, metadata.profile);
  set(VIPS_META_XMP_NAME, metadata.xmp);
  if (metadata.exif.empty()) return;
  std::vector<uint8_t> named = {'E', 'x', 'i', 'f', 0, 0};
  named.insert(named.end(), metadata.exif.begin(), metadata.exif.end());
  set(VIPS_META_EXIF_NAME, named);
  const ImageRef parsed = ReadOutOfJpeg(named);
  if (!parsed) return;
  ExifCopy copy{image, true, false};
  vips_image_map(parsed.get(), &CopyExifField, &copy);
  vips_image_remove(image, "exif-ifd0-Orientation");
  vips_image_set_int(image, VIPS_META_ORIENTATION, 1);
  image->Xres = parsed.get()->Xres;
  image->Yres = parsed.get()->Yres;
}

}  // namespace imgmill
