// After Microsoft's description of the format ("Programming guide for DDS"). The names of its fields are
// dwFlags and so on there.
#include "dds_header.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "stored_number.h"

namespace imgmill {
namespace {

enum : uint32_t { kHasAlpha = 1, kIsFourCc = 4, kIsPalette = 0x20, kIsRgb = 0x40, kIsLuminance = 0x20000 };
enum : uint32_t { kIsNormalMap = 0x80000000 };  // of NVIDIA's tools

/// How pixels are stored, and what the decoder is told of it.
struct DdsForm {
  std::string_view fourcc;  ///< of blocks of 4 x 4
  int bits;                 ///< of a pixel
  int bands;
  uint32_t masks[4];
};

enum FormName {
  kBc1,
  kBc2,
  kBc3,
  kBc4,
  kBgr24,
  kBgrx,
  kRgbx,
  kBgra,
  kRgba,
  kGrey,
  kGreyAlpha,
  k565,
  k555,
  kPalette
};
constexpr DdsForm kForms[] = {
    {"DXT1", 4, 4, {}},
    {"DXT3", 8, 4, {}},
    {"DXT5", 8, 4, {}},
    {"BC4U", 4, 1, {}},
    {"", 24, 3, {0xFF0000, 0xFF00, 0xFF, 0}},
    {"", 32, 3, {0xFF0000, 0xFF00, 0xFF, 0}},
    {"", 32, 3, {0xFF, 0xFF00, 0xFF0000, 0}},
    {"", 32, 4, {0xFF0000, 0xFF00, 0xFF, 0xFF000000}},
    {"", 32, 4, {0xFF, 0xFF00, 0xFF0000, 0xFF000000}},
    {"", 8, 1, {0xFF, 0, 0, 0}},
    {"", 16, 2, {0xFF, 0, 0, 0xFF00}},
    {"", 16, 3, {0xF800, 0x7E0, 0x1F, 0}},
    {"", 16, 3, {0x7C00, 0x3E0, 0x1F, 0}},
    {"", 8, 4, {}},
};

/// What a header says.
struct Fields {
  uint32_t height, width, depth;
  std::string_view tag;  ///< of GIMP's plugin
  uint32_t flags;
  std::string_view fourcc;
  uint32_t bits;
  uint32_t masks[4];
  uint32_t caps2;
  bool extended;
  uint32_t dxgi, dimension, misc, array;
};

constexpr size_t kExtendedBytes = 20;
constexpr int64_t kPaletteBytes = 1024;

/// `fields` refers to these bytes.
bool ReadFields(const InputFile& file, uint8_t (&bytes)[kDdsHeaderBytes + kExtendedBytes], Fields& fields) {
  if (!file.ReadExactly(0, bytes, kDdsHeaderBytes)) return false;
  const auto number = [&](size_t at) { return static_cast<uint32_t>(LittleEndian(bytes + at, 4)); };
  const auto text = [&](size_t at) { return std::string_view(reinterpret_cast<const char*>(bytes) + at, 4); };
  if (text(0) != "DDS " || number(4) != 124 || number(76) != 32) return false;
  fields = {number(12),  number(16), number(24), text(44),
            number(80),  text(84),   number(88), {number(92), number(96), number(100), number(104)},
            number(112), false,      0,          0,
            0,           0};
  fields.extended = (fields.flags & kIsFourCc) != 0 && fields.fourcc == "DX10";
  if (!fields.extended) return true;
  if (!file.ReadExactly(kDdsHeaderBytes, bytes + kDdsHeaderBytes, kExtendedBytes)) return false;
  fields.dxgi = number(128);
  fields.dimension = number(132);
  fields.misc = number(136);
  fields.array = number(140);
  return true;
}

struct Found {
  const DdsForm* form = nullptr;
  std::string why = {};  ///< where there is none
};

Found Take(FormName name) {
  return {&kForms[name]};
}

Found TwoChannels() {
  return {nullptr, "a DDS of two channels (BC5), of which readers make different colours"};
}

/// By the numbers of DXGI_FORMAT. Those for sRGB mean the same samples.
Found ByDxgi(uint32_t format) {
  if (format >= 70 && format <= 72) return Take(kBc1);
  if (format >= 73 && format <= 75) return Take(kBc2);
  if (format >= 76 && format <= 78) return Take(kBc3);
  if (format == 79 || format == 80) return Take(kBc4);
  if (format >= 82 && format <= 84) return TwoChannels();
  if (format >= 27 && format <= 29) return Take(kRgba);
  if (format == 85) return Take(k565);
  if (format == 87 || format == 90 || format == 91) return Take(kBgra);
  if (format == 88 || format == 92 || format == 93) return Take(kBgrx);
  if (format >= 94 && format <= 96) return {nullptr, "a DDS of floating point (BC6H)"};
  if (format >= 97 && format <= 99) return {nullptr, "a DDS compressed as BC7"};
  return {nullptr, "a DDS of format " + std::to_string(format) + " (by DXGI's numbers)"};
}

Found ByFourCc(const Fields& fields) {
  const std::string_view code = fields.fourcc;
  if ((fields.flags & (kIsRgb | kIsLuminance | kIsPalette)) != 0)
    return {nullptr, "a DDS that says both that it is compressed and that it is not"};
  // A code here, where a number of bits should be, says that channels changed places.
  if (!fields.extended && fields.bits > 255)
    return {nullptr, "a DDS whose channels have other places than its format says"};
  if (fields.extended) return ByDxgi(fields.dxgi);
  if (code == "DXT1") return Take(kBc1);
  if (code == "DXT3") return Take(kBc2);
  if (code == "DXT5") return Take(kBc3);
  if (code == "ATI1" || code == "BC4U") return Take(kBc4);
  if (code == "ATI2" || code == "BC5U" || code == "BC5S") return TwoChannels();
  if (code == "DXT2" || code == "DXT4")
    return {nullptr, "a DDS whose colours are multiplied by their alpha (" + std::string(code) + ")"};
  const bool readable = std::ranges::all_of(code, [](unsigned char c) { return std::isgraph(c) != 0; });
  const uint64_t number = LittleEndian(reinterpret_cast<const uint8_t*>(code.data()), 4);
  return {nullptr, "a DDS of format " + (readable ? std::string(code) : std::to_string(number))};
}

/// Alpha is there only if the flag says so.
Found ByMasks(const Fields& fields) {
  const bool alpha = (fields.flags & kHasAlpha) != 0;
  const std::string what = "a DDS of " + std::to_string(fields.bits) + " bits a pixel ";
  if ((fields.flags & kIsLuminance) != 0) {
    // Pillow writes masks of its own.
    if (fields.bits == 8 && !alpha) return Take(kGrey);
    if (fields.bits == 16 && alpha && fields.masks[0] == 0xFF) return Take(kGreyAlpha);
    return {nullptr, what + "in grey"};
  }
  if ((fields.flags & kIsRgb) == 0) {
    if ((fields.flags & kIsPalette) != 0 && fields.bits == 8) return Take(kPalette);
    return {nullptr, what + "without colours"};
  }
  for (const FormName name : {kBgr24, kBgrx, kRgbx, kBgra, kRgba, k565, k555}) {
    const DdsForm& form = kForms[name];
    if (static_cast<uint32_t>(form.bits) == fields.bits && (form.bands == 4) == alpha &&
        std::equal(form.masks, form.masks + 3, fields.masks) && (!alpha || form.masks[3] == fields.masks[3]))
      return {&form};
  }
  return {nullptr, what + "with unusual colour masks" + (alpha ? " and alpha" : "")};
}

Found FormOf(const Fields& fields) {
  if (fields.tag == "AEXP" || fields.tag == "YCG1" || fields.tag == "YCG2")
    return {nullptr, "a DDS whose numbers are not colours (" + std::string(fields.tag) + ")"};
  if ((fields.flags & kIsNormalMap) != 0)
    return {nullptr, "a DDS that is marked as a normal map, of which readers make different colours"};
  return (fields.flags & kIsFourCc) != 0 ? ByFourCc(fields) : ByMasks(fields);
}

/// Faces of a cube, slices of a volume, elements of an array.
int ImagesIn(const Fields& fields) {
  constexpr uint32_t kCube = 0x200, kFaces = 0xFC00, kVolume = 0x200000, kCubeMisc = 4, kDimension3 = 4;
  constexpr uint64_t kMost = 1 << 20;  // no device takes as many
  uint64_t images = std::max(1U, fields.array);
  if ((fields.misc & kCubeMisc) != 0) {
    images *= 6;
  } else if (!fields.extended && (fields.caps2 & kCube) != 0) {
    images = static_cast<uint64_t>(std::max(1, std::popcount(fields.caps2 & kFaces)));
  }
  if (fields.extended ? fields.dimension == kDimension3 : (fields.caps2 & kVolume) != 0)
    images = std::min(images, kMost) * std::max(1U, fields.depth);
  return static_cast<int>(std::min(images, kMost));
}

}  // namespace

std::optional<StillHeader> ReadDdsHeader(const InputFile& file) {
  uint8_t bytes[kDdsHeaderBytes + kExtendedBytes];
  Fields fields = {};
  if (!ReadFields(file, bytes, fields) || fields.width == 0 || fields.height == 0) return std::nullopt;
  StillHeader header;
  header.format = ImageFormat::kDds;
  header.kind = StillKind::kDds;
  header.width = fields.width;
  header.height = fields.height;
  header.frames = ImagesIn(fields);
  header.at = static_cast<int64_t>(kDdsHeaderBytes + (fields.extended ? kExtendedBytes : 0));
  const Found found = FormOf(fields);
  if (found.form == nullptr) {
    header.unsupported = found.why + " (convert it to PNG)";
    return header;
  }
  header.dds_form = static_cast<int>(found.form - kForms);
  header.bands = found.form->bands;
  header.bits = found.form->bits;
  header.block_side = found.form->fourcc.empty() ? 1 : 4;
  if (found.form == &kForms[kPalette]) header.pixels_at = kPaletteBytes;
  const int64_t across = (header.width + header.block_side - 1) / header.block_side;
  header.row_bytes = across * header.block_side * header.block_side * header.bits / 8;
  return header;
}

void WriteDdsHeader(const StillHeader& header, uint8_t* to) {
  const DdsForm& form = kForms[header.dds_form];
  const auto put = [&](size_t at, int64_t value) {
    for (size_t i = 0; i < 4; ++i) to[at + i] = static_cast<uint8_t>(value >> (8 * i));
  };
  std::memset(to, 0, kDdsHeaderBytes);
  std::memcpy(to, "DDS ", 4);
  put(4, 124);
  put(12, header.height);
  put(16, header.width);
  put(76, 32);
  if (!form.fourcc.empty()) {
    put(80, kIsFourCc);
    std::memcpy(to + 84, form.fourcc.data(), 4);
    return;
  }
  put(80, &form == &kForms[kPalette] ? kIsPalette : kIsRgb);
  put(88, form.bits);
  for (size_t i = 0; i < std::size(form.masks); ++i) put(92 + 4 * i, form.masks[i]);
}

bool IsUncompressedDds(const InputFile& file) {
  const std::optional<StillHeader> header = ReadDdsHeader(file);
  return header && header->block_side == 1;
}

}  // namespace imgmill
