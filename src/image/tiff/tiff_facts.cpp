// TIFF 6.0, sections 2, 8 (BitsPerSample), 15 (tiles) and 18 (associated alpha); BigTIFF.
#include "tiff_facts.h"

#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "tiff_directory.h"

namespace imgmill {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kMostSamples = 64;  // a file with more is refused anyway
constexpr uint64_t kShort = 3;

uint64_t Times(uint64_t a, uint64_t b) {
  return a != 0 && b > kMost / a ? kMost : a * b;
}

/// The values of a tag of 2-byte numbers, the first kMostSamples of them.
std::vector<uint64_t> Shorts(const TiffDirectory& directory, const InputFile& file, uint64_t tag) {
  const TiffEntry* entry = directory.Find(tag);
  if (entry == nullptr || entry->type != kShort) return {};
  const size_t count = static_cast<size_t>(std::min(entry->count, kMostSamples));
  unsigned char bytes[2 * kMostSamples] = {};
  if (entry->count <= directory.field_bytes() / 2) {
    std::memcpy(bytes, entry->field, 2 * count);
  } else {
    const auto at = static_cast<int64_t>(directory.Number(entry->field, directory.field_bytes()));
    if (at < 0 || file.ReadAt(at, bytes, 2 * count) != static_cast<ptrdiff_t>(2 * count)) return {};
  }
  std::vector<uint64_t> values;
  for (size_t i = 0; i < count; ++i) values.push_back(directory.Number(bytes + 2 * i, 2));
  return values;
}

/// The one value that all samples have; `otherwise` where the tag is missing, 0 where they differ.
uint64_t Common(const std::vector<uint64_t>& values, uint64_t otherwise) {
  if (values.empty()) return otherwise;
  return std::all_of(values.begin(), values.end(), [&](uint64_t v) { return v == values[0]; }) ? values[0]
                                                                                               : 0;
}

/// PlanarConfiguration's 2, which lies in its entry, as a 1.
FilePatch InOnePlane(const TiffDirectory& directory) {
  const TiffEntry* entry = directory.Find(kTiffPlanarConfiguration);
  std::string one(entry->value_bytes(), '\0');
  (directory.big_endian ? one.back() : one.front()) = 1;
  return {static_cast<int64_t>(entry->field_at), static_cast<int64_t>(one.size()), one};
}

/// What one stored byte can become at most; 0: no limit that is known.
uint64_t MostExpansion(uint64_t compression) {
  switch (compression) {
    case 1:
      return 1;
    case 8:  // Deflate: 258 bytes for a length and a distance of one bit each
    case 32946:
      return 1032;
    case 5:  // LZW: the longest of its table's strings, 4096 - 258 + 1 bytes, for a code of 9 bits
      return 3413;
    case 32773:  // PackBits: 128 bytes for two
      return 64;
    default:
      return 0;
  }
}

std::string NameOfCompression(uint64_t compression) {
  switch (compression) {
    case 33003:
    case 33004:
    case 33005:
    case 34712:
      return "JPEG 2000";
    case 34933:
      return "PNG";
    case 22610:
    case 34934:
      return "JPEG XR";
    case 50002:
    case 52546:
      return "JPEG XL";
    default:
      return "a method of number " + std::to_string(compression);
  }
}

/// DNG, NEF, ARW and CR2 are TIFFs. Their first directory mostly holds a thumbnail, and another one the
/// sensor's samples (Adobe, DNG specification 1.6; Canon marks its own before a directory at byte 16).
bool IsCameraRaw(const InputFile& file, const TiffDirectory& directory) {
  constexpr uint64_t kColourFilterArray = 32803, kLinearRaw = 34892;
  char mark[8] = {};  // where the directory is, "CR", and the version
  if (directory.Find(kTiffDngVersion) != nullptr) return true;
  if (file.ReadAt(4, mark, sizeof mark) == sizeof mark && std::memcmp(mark, "\x10\0\0\0CR\2\0", 8) == 0)
    return true;
  const uint64_t photometric = directory.Value(kTiffPhotometric).value_or(0);
  if (photometric == kColourFilterArray || photometric == kLinearRaw) return true;
  const bool reduced = (directory.Value(kTiffNewSubfileType).value_or(0) & 1) != 0;
  return reduced && directory.Find(kTiffSubIfds) != nullptr;
}

}  // namespace

std::optional<TiffFacts> ReadTiffFacts(const InputFile& file) {
  unsigned char head[4] = {};
  if (file.ReadAt(0, head, sizeof head) != sizeof head) return std::nullopt;
  const bool tiff = std::memcmp(head, "II*\0", 4) == 0 || std::memcmp(head, "MM\0*", 4) == 0 ||
                    std::memcmp(head, "II+\0", 4) == 0 || std::memcmp(head, "MM\0+", 4) == 0;
  if (!tiff) return std::nullopt;
  const std::optional<TiffDirectory> directory = ReadTiffDirectory(file);
  if (!directory) return std::nullopt;
  TiffFacts facts;
  facts.width = directory->Value(kTiffWidth).value_or(0);
  facts.height = directory->Value(kTiffHeight).value_or(0);
  facts.samples = directory->Value(kTiffSamplesPerPixel).value_or(1);
  facts.bits = Common(Shorts(*directory, file, kTiffBitsPerSample), 1);
  facts.format = Common(Shorts(*directory, file, kTiffSampleFormat), 1);
  facts.compression = directory->Value(kTiffCompression).value_or(1);
  facts.photometric = directory->Value(kTiffPhotometric).value_or(0);
  facts.camera_raw = IsCameraRaw(file, *directory);
  const bool planes = directory->Value(kTiffPlanarConfiguration).value_or(1) == 2;
  facts.separate = planes && facts.samples > 1;
  if (planes && facts.samples == 1) facts.in_one_plane = InOnePlane(*directory);
  facts.extra = Shorts(*directory, file, kTiffExtraSamples);
  const std::optional<uint64_t> tile_rows = directory->Value(kTiffTileLength);
  facts.tiled = tile_rows.has_value();
  facts.block_width = facts.tiled ? directory->Value(kTiffTileWidth).value_or(0) : facts.width;
  facts.block_rows = tile_rows.value_or(directory->Value(kTiffRowsPerStrip).value_or(facts.height));
  if (!facts.tiled) facts.block_rows = std::min(facts.block_rows, facts.height);
  const TiffEntry* offsets = directory->Find(facts.tiled ? kTiffTileOffsets : kTiffStripOffsets);
  facts.blocks = offsets != nullptr ? offsets->count : 0;
  return facts;
}

uint64_t TiffBlockRowBytes(const TiffFacts& facts) {
  const uint64_t bits =
      Times(Times(facts.block_width, facts.separate ? 1 : facts.samples), std::max<uint64_t>(1, facts.bits));
  return bits == kMost ? kMost : bits / 8 + (bits % 8 != 0 ? 1 : 0);
}

uint64_t TiffBlocksNeeded(const TiffFacts& facts) {
  const auto pieces = [](uint64_t length, uint64_t of) {
    return of == 0 ? 0 : length / of + (length % of != 0 ? 1 : 0);
  };
  return Times(Times(pieces(facts.width, facts.block_width), pieces(facts.height, facts.block_rows)),
               facts.separate ? facts.samples : 1);
}

uint64_t TiffRowsAtOnce(const TiffFacts& facts) {
  constexpr uint64_t kPiece = 8192;
  const bool one_plain_strip =
      !facts.tiled && !facts.separate && facts.compression == 1 && facts.block_rows >= facts.height;
  if (!one_plain_strip) return facts.block_rows;
  const uint64_t rows = kPiece / std::max<uint64_t>(1, TiffBlockRowBytes(facts));
  constexpr uint64_t kFewest = 20;  // measured: libvips holds several such pieces of a row each
  return std::min(std::max(kFewest, rows), std::max<uint64_t>(1, facts.block_rows));
}

std::optional<TiffRoles> TiffRolesOf(const TiffFacts& facts) {
  const size_t extra = facts.extra.size();
  if (extra == 0 || extra >= facts.samples || facts.samples > kMostSamples) return std::nullopt;
  TiffRoles roles;
  roles.colours = static_cast<int>(facts.samples - extra);
  if (roles.colours != 1 && roles.colours != 3 && roles.colours != 4) return std::nullopt;
  for (size_t i = 0; i < extra && roles.alpha < 0; ++i) {
    if (facts.extra[i] == kTiffExtraAssociated || facts.extra[i] == kTiffExtraUnassociated)
      roles.alpha = roles.colours + static_cast<int>(i);
  }
  return roles;
}

std::string TiffCodecMissing(const TiffFacts& facts) {
  // libvips 8.14 decodes JPEG 2000 in tiles by itself, and gets the colours wrong.
  if (facts.compression <= 65535 && TIFFIsCODECConfigured(static_cast<uint16_t>(facts.compression)) != 0)
    return {};
  return "a TIFF compressed by " + NameOfCompression(facts.compression) +
         ", which is not supported (write it with LZW or Deflate)";
}

std::string TiffUnsupported(const TiffFacts& facts) {
  constexpr uint64_t kFloat = 3;
  constexpr uint64_t kOldJpeg = 6;
  constexpr uint64_t kJpeg = 7;
  constexpr uint64_t kMinIsWhite = 0;
  constexpr uint64_t kMinIsBlack = 1;
  constexpr uint64_t kSeparated = 5;
  constexpr uint64_t kLab = 8;
  if (facts.camera_raw)
    return "a camera's raw file, which is not supported (develop it first, and write TIFF or PNG)";
  // libtiff makes RGB of it only within its decoder of JPEG; elsewhere libvips takes the numbers for RGB.
  if (facts.photometric == kTiffYCbCr && facts.compression != kJpeg && facts.compression != kOldJpeg)
    return "a TIFF of YCbCr that is not compressed by JPEG (convert it to RGB)";
  // libvips 8.14 takes one plane's samples for pixels.
  if (facts.separate && (facts.photometric <= kMinIsBlack || facts.photometric == kLab))
    return std::string("a TIFF of ") + (facts.photometric == kLab ? "Lab" : "grey") +
           " with each channel in a plane of its own (write it with its channels interleaved)";
  if (facts.tiled && facts.separate)
    return "a TIFF of tiles with each channel in a plane of its own (write it with its channels interleaved, "
           "or in strips)";
  // libvips takes it for 0 to 255.
  if (facts.format == kFloat && facts.photometric == kSeparated)
    return "a TIFF of CMYK in floating point (write it with 8 or 16 bits)";
  // libvips turns whole numbers round, but not these.
  if (facts.format == kFloat && facts.photometric == kMinIsWhite)
    return "a TIFF of grey in floating point with white at 0 (write it with black at 0)";
  if (facts.format == kFloat && facts.bits != 32 && facts.bits != 0)
    return "a TIFF of " + std::to_string(facts.bits) + "-bit floating point (write it with 32 bits)";
  if (facts.bits > 32)
    return "a TIFF of " + std::to_string(facts.bits) + "-bit samples (write it with 16 or 32 bits)";
  if (facts.bits > 8 && facts.bits < 16)
    return "a TIFF of " + std::to_string(facts.bits) +
           "-bit samples that are not grey or RGB from black on (write it with 16 bits)";
  if (facts.bits == 0) return "a TIFF whose channels differ in depth (write it with one depth)";
  return {};
}

bool TiffCannotHold(const TiffFacts& facts, int64_t file_bytes) {
  const uint64_t expansion = MostExpansion(facts.compression);
  // Colour differences may be stored at a part of the size.
  if (expansion == 0 || facts.photometric == kTiffYCbCr) return false;
  const uint64_t block = Times(TiffBlockRowBytes(facts), facts.block_rows);
  return block > Times(static_cast<uint64_t>(file_bytes), expansion);
}

}  // namespace imgmill
