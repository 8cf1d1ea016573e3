// Numbers at fixed places, little-endian but in QOI and PNG; what does not add up is none of these formats.
#include "still_header.h"

#include <cstring>
#include <vector>

#include "image/dds_header.h"
#include "image/sgi.h"
#include "image/stored_number.h"

namespace imgmill {
namespace {

int64_t Little(const uint8_t* at, size_t bytes) {
  return static_cast<int64_t>(LittleEndian(at, bytes));
}

int64_t Big(const uint8_t* at, size_t bytes) {
  return static_cast<int64_t>(BigEndian(at, bytes));
}

/// Up to `count` bytes from `at` on; fewer at the file's end.
std::vector<uint8_t> Bytes(const InputFile& file, int64_t at, size_t count) {
  std::vector<uint8_t> bytes(count);
  const ptrdiff_t got = at < file.bytes() ? file.ReadAt(at, bytes.data(), count) : 0;
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

constexpr int64_t kFileHeader = 14;
enum : int64_t { kRgb = 0, kRle8 = 1, kRle4 = 2, kMasks = 3 };

/// Whether FFmpeg knows the masks of red, green and blue: bytes of a word, or 5, 5, 5 or 5, 6, 5 or 4, 4, 4
/// bits.
bool KnownMasks(int64_t red, int64_t green, int64_t blue, int bits) {
  const auto is = [&](int64_t r, int64_t g, int64_t b) { return red == r && green == g && blue == b; };
  if (bits == 16) return is(0x7C00, 0x3E0, 0x1F) || is(0xF800, 0x7E0, 0x1F) || is(0xF00, 0xF0, 0xF);
  return is(0xFF0000, 0xFF00, 0xFF) || is(0xFF, 0xFF00, 0xFF0000) || is(0xFF000000, 0xFF0000, 0xFF00) ||
         is(0xFF00, 0xFF0000, 0xFF000000);
}

/// Whether all colours of a palette are grey, so that the image is.
bool IsGrey(const std::vector<uint8_t>& palette, size_t entry) {
  bool grey = !palette.empty();
  for (size_t i = 0; i + 2 < palette.size(); i += entry) {
    grey = grey && palette[i] == palette[i + 1] && palette[i] == palette[i + 2];
  }
  return grey;
}

/// A bitmap whose information header lies at `info_at`; `pixels_at` counts from there, 0 for right behind.
/// Icons hold it with twice the height, for the mask.
std::optional<StillHeader> Bitmap(const InputFile& file, int64_t info_at, int64_t pixels_at, bool in_icon) {
  std::vector<uint8_t> info = Bytes(file, info_at, 124);
  const size_t there = info.size();
  if (there < 12) return std::nullopt;
  info.resize(124);
  const int64_t size = Little(&info[0], 4);
  const bool core = size == 12;
  if (!core && size != 40 && size != 52 && size != 56 && size != 64 && size != 108 && size != 124)
    return std::nullopt;
  if (static_cast<int64_t>(there) < size) return std::nullopt;
  StillHeader header;
  header.format = in_icon ? ImageFormat::kIco : ImageFormat::kBmp;
  header.kind = StillKind::kBmp;
  header.in_icon = in_icon;
  header.width = Little(&info[4], core ? 2 : 4);
  header.height = core ? Little(&info[6], 2) : static_cast<int32_t>(Little(&info[8], 4));
  const bool upside_down = header.height < 0;  // the top row first
  if (upside_down) header.height = -header.height;
  header.bottom_up = !upside_down;
  if (in_icon) header.height /= 2;
  header.bits = static_cast<int>(Little(&info[core ? 10 : 14], 2));
  const int64_t compression = core ? kRgb : Little(&info[16], 4);
  const int64_t used = core ? 0 : Little(&info[32], 4);
  if (header.width < 1 || header.height < 1 || header.width > INT32_MAX) return std::nullopt;

  header.with_masks = size == 52;
  const bool masks_behind = size == 40 && compression == kMasks;
  const int64_t masks_at = 40;  // inside longer headers as well
  int64_t alpha = 0;
  if (compression == kMasks && size >= 56 && size != 64) alpha = Little(&info[masks_at + 12], 4);
  const int64_t colours = header.bits > 8 ? 0 : used > 0 ? used : int64_t{1} << header.bits;
  const size_t entry = core ? 3 : 4;
  const int64_t palette_at = size + (masks_behind ? 12 : 0);
  if (colours > 256) return std::nullopt;
  header.pixels_at = pixels_at > 0 ? pixels_at : palette_at + colours * static_cast<int64_t>(entry);
  header.row_bytes = (header.width * header.bits + 31) / 32 * 4;
  header.compressed = compression == kRle8 || compression == kRle4;

  const bool depth = header.bits == 1 || header.bits == 4 || header.bits == 8 || header.bits == 16 ||
                     header.bits == 24 || header.bits == 32;
  if (!depth) {
    header.unsupported = "a bitmap of " + std::to_string(header.bits) + " bits a pixel";
  } else if (compression > kMasks || (compression == kRle8 && header.bits != 8) ||
             (compression == kRle4 && header.bits != 4) ||
             (compression == kMasks && header.bits != 16 && header.bits != 32)) {
    header.unsupported = "a bitmap of compression " + std::to_string(compression) + " with " +
                         std::to_string(header.bits) + " bits";
  } else if (compression == kMasks &&
             !KnownMasks(Little(&info[40], 4), Little(&info[44], 4), Little(&info[48], 4), header.bits)) {
    header.unsupported = "a bitmap with unusual colour masks";
  } else if (header.compressed && upside_down) {
    header.unsupported = "a compressed bitmap with its top row first, which the format does not allow";
  } else if (header.bits == 16 && alpha != 0) {
    header.unsupported = "a bitmap of 16 bits with alpha, which readers understand differently";
  }
  if (!header.unsupported.empty()) header.unsupported += " (convert it to PNG)";

  // The fourth byte means something only where a mask says so; icons always have it.
  header.bands =
      in_icon || (header.bits == 32 && alpha != 0) ? 4
      : colours > 0 && IsGrey(Bytes(file, info_at + palette_at, static_cast<size_t>(colours) * entry), entry)
          ? 1
          : 3;
  return header;
}

std::optional<StillHeader> Bmp(const InputFile& file, const FileHead& head) {
  const int64_t pixels = Little(head.bytes + 10, 4);
  if (pixels < kFileHeader + 12) return std::nullopt;
  std::optional<StillHeader> header = Bitmap(file, kFileHeader, pixels - kFileHeader, false);
  if (!header) return header;
  header->pixels_at = pixels;
  header->bytes = file.bytes();
  return header;
}

/// A PNG inside an icon: IHDR is its first chunk.
std::optional<StillHeader> IconPng(const InputFile& file, int64_t at) {
  const std::vector<uint8_t> start = Bytes(file, at, 24);
  if (start.size() < 24 || std::memcmp(start.data(), "\x89PNG\r\n\x1a\n", 8) != 0) return std::nullopt;
  if (std::memcmp(&start[12], "IHDR", 4) != 0) return std::nullopt;
  StillHeader header;
  header.format = ImageFormat::kIco;
  header.kind = StillKind::kPng;
  header.width = Big(&start[16], 4);
  header.height = Big(&start[20], 4);
  header.bands = 4;
  return header.width > 0 && header.height > 0 ? std::optional(header) : std::nullopt;
}

/// The largest image of an icon, of two of a size the one of more bits.
std::optional<StillHeader> Ico(const InputFile& file, const FileHead& head) {
  const int64_t count = Little(head.bytes + 4, 2);
  constexpr size_t kEntry = 16;
  const std::vector<uint8_t> table = Bytes(file, 6, static_cast<size_t>(count) * kEntry);
  if (count == 0 || table.size() < static_cast<size_t>(count) * kEntry) return std::nullopt;
  const uint8_t* best = nullptr;
  std::pair<int64_t, int64_t> most;
  for (size_t i = 0; i < table.size(); i += kEntry) {
    const uint8_t* entry = &table[i];
    const auto side = [](uint8_t stored) { return stored == 0 ? int64_t{256} : int64_t{stored}; };
    const std::pair<int64_t, int64_t> is = {side(entry[0]) * side(entry[1]), Little(entry + 6, 2)};
    if (best == nullptr || is > most) {
      best = entry;
      most = is;
    }
  }
  const int64_t bytes = Little(best + 8, 4);
  const int64_t at = Little(best + 12, 4);
  std::optional<StillHeader> header = IconPng(file, at);
  if (!header) header = Bitmap(file, at, 0, true);
  if (!header) return std::nullopt;
  header->at = at;
  header->bytes = bytes;
  header->frames = static_cast<int>(count);
  return header;
}

std::optional<StillHeader> Qoi(const InputFile& file, const FileHead& head) {
  if (head.size < 14) return std::nullopt;
  StillHeader header;
  header.format = ImageFormat::kQoi;
  header.kind = StillKind::kQoi;
  header.width = Big(head.bytes + 4, 4);
  header.height = Big(head.bytes + 8, 4);
  header.pixel_bytes = header.bands = head.bytes[12];
  header.bytes = file.bytes();
  header.pixels_at = 14;
  header.compressed = true;
  const bool valid = header.width > 0 && header.height > 0 && (header.bands == 3 || header.bands == 4);
  return valid ? std::optional(header) : std::nullopt;
}

/// All numbers of the header must make sense together, since nothing else tells a TGA.
std::optional<StillHeader> Tga(const InputFile& file, const FileHead& head) {
  if (head.size < 18) return std::nullopt;
  const uint8_t* h = head.bytes;
  const int type = h[2] & 7;  // 1: palette, 2: colour, 3: grey
  const int depth = h[16];
  const int entry_bits = h[7];
  const int alpha_bits = h[17] & 15;
  const bool known_type = h[2] == (type | (h[2] & 8)) && type >= 1 && type <= 3;
  const bool known_depth = type == 2 ? depth == 15 || depth == 16 || depth == 24 || depth == 32
                                     : depth == 8 || (depth == 16 && type == 3);
  const bool palette = h[1] == 1;
  const bool known_palette =
      palette ? entry_bits == 15 || entry_bits == 16 || entry_bits == 24 || entry_bits == 32
              : h[1] == 0 && type != 1 && Little(h + 3, 4) == 0;
  if (!known_type || !known_depth || !known_palette || alpha_bits > 8 || (h[17] & 0xC0) != 0)
    return std::nullopt;
  StillHeader header;
  header.format = ImageFormat::kTga;
  header.kind = StillKind::kTga;
  header.width = Little(h + 12, 2);
  header.height = Little(h + 14, 2);
  header.compressed = (h[2] & 8) != 0;
  header.bottom_up = (h[17] & 0x20) == 0;
  header.pixel_bytes = (depth + 7) / 8;
  header.row_bytes = header.width * header.pixel_bytes;
  header.pixels_at = 18 + h[0] + (palette ? Little(h + 5, 2) * ((entry_bits + 7) / 8) : 0);
  header.bytes = file.bytes();
  header.bands = type == 3 ? 1 : (type == 1 ? entry_bits : depth) == 32 ? 4 : 3;
  if (header.width < 1 || header.height < 1 || header.pixels_at >= header.bytes) return std::nullopt;
  if (depth == 16 && (type == 3 || alpha_bits > 0)) {
    header.unsupported =
        "a TGA of 16 bits with alpha, which readers understand differently (convert it to PNG)";
  }
  return header;
}

}  // namespace

std::optional<StillHeader> ReadStillHeader(const InputFile& file, const FileHead& head, bool last) {
  if (head.size >= 26 && head.format == ImageFormat::kBmp) return Bmp(file, head);
  if (head.format == ImageFormat::kQoi) return Qoi(file, head);
  if (head.format == ImageFormat::kDds) return ReadDdsHeader(file);
  if (head.format == ImageFormat::kSgi) {
    // A TGA may begin so.
    if (std::optional<StillHeader> sgi = ReadSgiHeader(file)) return sgi;
  }
  if (head.size >= 22 && head.format == ImageFormat::kIco) {
    // A TGA may begin so; an icon's fourth byte of the first entry is 0 or 255.
    if (head.bytes[9] == 0 || head.bytes[9] == 255) {
      if (std::optional<StillHeader> icon = Ico(file, head)) return icon;
    }
  }
  return last ? Tga(file, head) : std::nullopt;
}

}  // namespace imgmill
