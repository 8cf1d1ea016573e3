// OpenEXR: behind the header lies a table of where each block of rows is; a writer fills it in last, so a
// zero in it is a block that was never written ("OpenEXR File Layout", offset tables). libvips' reader draws
// such blocks black, or a picture of one pixel where the zeros begin in the header.
#include <cstring>
#include <string>

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
  int64_t end = -1;     ///< -1 if that cannot be told
  int64_t claimed = 0;  ///< bytes of an attribute that the file does not have; 0 if it has all
  int compression = 0;
};

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
    if (at >= 0) TakeWord(file, at);  // its type
    const int64_t bytes = at >= 0 ? Number(file, at) : -1;
    if (bytes < 0) return header;
    at += 4;
    if (bytes > file.bytes() - at) {
      header.claimed = bytes;
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
    return Error{Stage::kDecode, Code::kTruncated,
                 "OpenEXR data ends in zeros: what was to be there was never written"};
  return std::nullopt;
}

}  // namespace imgmill
