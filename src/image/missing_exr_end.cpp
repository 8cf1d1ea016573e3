// OpenEXR: behind the header lies a table of where each block of rows is; a writer fills it in last, so a
// zero in it is a block that was never written ("OpenEXR File Layout", offset tables). libvips' reader draws
// such blocks black, or an image of one pixel where the zeros begin in the header.
#include <cstring>
#include <map>
#include <string>

#include "imgmill/base/path_text.h"
#include "missing_end.h"
#include "stored_number.h"

namespace imgmill {
namespace {

constexpr int64_t kMostHeader = int64_t{16} << 20;
constexpr int64_t kFirstHeader = 8;
constexpr uint32_t kManyParts = 0x1000;  // of the version field: several headers, each with its table

/// The word that begins at `at`, which is moved behind it; -1 where it does not end.
std::string TakeWord(const InputFile& file, int64_t& at) {
  constexpr size_t kLongest = 256;
  char word[kLongest] = {};
  const ptrdiff_t got = file.ReadAt(at, word, sizeof word);
  const void* end = got > 0 ? std::memchr(word, 0, static_cast<size_t>(got)) : nullptr;
  if (end == nullptr) {
    at = -1;
    return {};
  }
  std::string taken = word;
  at += static_cast<int64_t>(taken.size()) + 1;
  return taken;
}

/// A number of four bytes, the lowest first; -1 where there is none.
int64_t Number(const InputFile& file, int64_t at) {
  unsigned char raw[4] = {};
  if (file.ReadAt(at, raw, sizeof raw) != sizeof raw) return -1;
  return static_cast<int64_t>(LittleEndian(raw, sizeof raw));
}

struct Header {
  int64_t end = -1;      ///< -1 if that cannot be told
  int64_t claimed = 0;   ///< bytes of an attribute that the file does not have; 0 if it has all
  std::string misfit;    ///< an attribute that is not as long as its type is; empty if there is none
  std::string channels;  ///< their names, with commas
  bool seen = false;     ///< one of them is a colour that libvips looks for: R, G, B, or Y
  int compression = 0;
};

/// Bytes of a value of a type; nothing where they vary.
std::optional<int64_t> BytesOfType(const std::string& type) {
  static const std::map<std::string, int64_t> kBytes = {{"box2f", 16},
                                                        {"box2i", 16},
                                                        {"chromaticities", 32},
                                                        {"compression", 1},
                                                        {"deepImageState", 1},
                                                        {"double", 8},
                                                        {"envmap", 1},
                                                        {"float", 4},
                                                        {"int", 4},
                                                        {"keycode", 28},
                                                        {"lineOrder", 1},
                                                        {"m33d", 72},
                                                        {"m33f", 36},
                                                        {"m44d", 128},
                                                        {"m44f", 64},
                                                        {"rational", 8},
                                                        {"tiledesc", 9},
                                                        {"timecode", 8},
                                                        {"v2d", 16},
                                                        {"v2f", 8},
                                                        {"v2i", 8},
                                                        {"v3d", 24},
                                                        {"v3f", 12},
                                                        {"v3i", 12}};
  const auto found = kBytes.find(type);
  return found == kBytes.end() ? std::nullopt : std::optional(found->second);
}

/// Whether a value fills its attribute. OpenEXR reads what the type or the value itself says, and takes what
/// lies behind for the next attribute: of a damaged file, anything.
bool Fills(const InputFile& file, const std::string& type, int64_t at, int64_t bytes) {
  if (type == "preview") {  // width, height, four bytes a pixel
    const int64_t width = Number(file, at), height = Number(file, at + 4);
    return width == 0 || height == 0 ? bytes == 8
                                     : width > 0 && width <= bytes && height > 0 && height <= bytes &&
                                           width * height == (bytes - 8) / 4 && bytes % 4 == 0;
  }
  return BytesOfType(type).value_or(bytes) == bytes;
}

/// A list of channels: names, 16 bytes behind each, an empty name. False if it does not end at `end`.
bool TakeChannels(const InputFile& file, int64_t at, int64_t end, Header& header) {
  constexpr int64_t kChannelBytes = 16;
  while (at >= 0 && at < end) {
    const std::string name = TakeWord(file, at);
    if (name.empty()) return at == end;
    header.channels += (header.channels.empty() ? "" : ", ") + name;
    if (name == "R" || name == "G" || name == "B" || name == "Y") header.seen = true;
    if (at >= 0) at += kChannelBytes;
  }
  return false;
}

/// The one that begins at `at`.
Header ReadHeader(const InputFile& file, int64_t at) {
  Header header;
  for (const int64_t most = at + kMostHeader; at < most;) {
    unsigned char byte = 0;
    if (file.ReadAt(at, &byte, 1) != 1) return header;
    if (byte == 0) {
      header.end = at + 1;
      return header;
    }
    const std::string name = TakeWord(file, at);
    const std::string type = at >= 0 ? TakeWord(file, at) : std::string();
    const int64_t bytes = at >= 0 ? Number(file, at) : -1;
    if (bytes < 0) return header;
    at += 4;
    if (bytes > file.bytes() - at) {
      header.claimed = bytes;
      return header;
    }
    if (!Fills(file, type, at, bytes) || (type == "chlist" && !TakeChannels(file, at, at + bytes, header))) {
      header.misfit = name;
      return header;
    }
    if (name == "compression" && file.ReadAt(at, &byte, 1) == 1) header.compression = byte;
    at += bytes;
  }
  return header;
}

/// RLE, ZIPS, ZIP and PIZ: none of them ends a block in many zeros, which PIZ, of the four, decodes in
/// silence.
bool NeverEndsInZeros(int compression) {
  return compression >= 1 && compression <= 4;
}

bool HasManyParts(const InputFile& file) {
  const int64_t version = Number(file, 4);
  return version < 0 || (static_cast<uint32_t>(version) & kManyParts) != 0;
}

}  // namespace

std::optional<Error> FindMissingExrHeader(const InputFile& file) {
  const bool many = HasManyParts(file);
  // Behind the last of many headers stands an empty one.
  for (int64_t at = kFirstHeader; at >= 0 && at < kMostHeader;) {
    const Header header = ReadHeader(file, at);
    if (header.claimed > 0) {
      return Error{Stage::kProbe, Code::kTruncated,
                   "the file ends within an attribute of its header that claims " +
                       std::to_string(header.claimed) + " bytes"};
    }
    if (!header.misfit.empty()) {
      return Error{Stage::kProbe, Code::kMalformed,
                   "its attribute " + PrintablePath(header.misfit) +
                       " is not as long as its type (the file is damaged)"};
    }
    // Of the first part, which is the one that is read.
    if (at == kFirstHeader && !header.channels.empty() && !header.seen) {
      return Error{Stage::kProbe, Code::kUnsupported,
                   "an OpenEXR image without a channel R, G, B or Y; it has " +
                       PrintablePath(header.channels) + " (write the layer that is wanted as RGB)"};
    }
    if (!many || header.end == at + 1) return std::nullopt;
    at = header.end;
  }
  return std::nullopt;
}

std::optional<Error> FindMissingExrEnd(const InputFile& file) {
  const Header header = ReadHeader(file, kFirstHeader);
  const int64_t table = header.end;
  if (HasManyParts(file) || table < 0) return std::nullopt;
  // The first block's place is also the end of the table, if blocks are in order; that of one is known in any
  // case.
  const int64_t first = Number(file, table);
  const int64_t high = Number(file, table + 4);
  if (first < 0 || high < 0) return std::nullopt;
  const int64_t end = high == 0 && first > table && first < file.bytes() ? first : table + 8;
  for (int64_t at = table; at + 8 <= end; at += 8) {
    if (Number(file, at) != 0 || Number(file, at + 4) != 0) continue;
    return Error{Stage::kDecode, Code::kTruncated,
                 "OpenEXR block " + std::to_string((at - table) / 8) + " was never written"};
  }
  constexpr uint64_t kZeros = 16;
  if (NeverEndsInZeros(header.compression) &&
      ZerosAtEnd(file, 0, static_cast<uint64_t>(file.bytes()), kZeros) >= kZeros)
    return Error{Stage::kDecode, Code::kTruncated, "OpenEXR data ends in zeros: the end was never written"};
  return std::nullopt;
}

}  // namespace imgmill
