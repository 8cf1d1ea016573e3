// OpenEXR: behind the header lies a table of where each block of rows is; a writer fills it in last, so a
// zero in it is a block that was never written ("OpenEXR File Layout", offset tables). libvips' reader draws
// such blocks black, or a picture of one pixel where the zeros begin in the header.
#include <cstring>
#include <string>

#include "missing_end.h"

namespace imgmill {
namespace {

constexpr int64_t kMostHeader = int64_t{16} << 20;
constexpr uint32_t kManyParts = 0x1000;  // of the version field: several headers, each with its table

/// Behind the word that begins at `at`; -1 where it does not end.
int64_t SkipWord(const InputFile& file, int64_t at) {
  constexpr size_t kLongest = 256;
  char word[kLongest] = {};
  const ptrdiff_t got = file.ReadAt(at, word, sizeof word);
  const void* end = got > 0 ? std::memchr(word, 0, static_cast<size_t>(got)) : nullptr;
  return end != nullptr ? at + (static_cast<const char*>(end) - word) + 1 : -1;
}

/// A number of four bytes, the lowest first; -1 where there is none.
int64_t Number(const InputFile& file, int64_t at) {
  unsigned char raw[4] = {};
  if (file.ReadAt(at, raw, sizeof raw) != sizeof raw) return -1;
  return int64_t{raw[0]} | int64_t{raw[1]} << 8 | int64_t{raw[2]} << 16 | int64_t{raw[3]} << 24;
}

/// Where the header's attributes end; -1 if that cannot be told.
int64_t EndOfHeader(const InputFile& file) {
  for (int64_t at = 8; at >= 0 && at < kMostHeader;) {
    unsigned char first = 0;
    if (file.ReadAt(at, &first, 1) != 1) return -1;
    if (first == 0) return at + 1;
    at = SkipWord(file, at);               // its name
    if (at >= 0) at = SkipWord(file, at);  // its type
    const int64_t bytes = at >= 0 ? Number(file, at) : -1;
    if (bytes < 0) return -1;
    at += 4 + bytes;
  }
  return -1;
}

}  // namespace

std::optional<Error> FindMissingExrEnd(const InputFile& file) {
  const int64_t version = Number(file, 4);
  const int64_t table = EndOfHeader(file);
  if (version < 0 || (static_cast<uint32_t>(version) & kManyParts) != 0 || table < 0) return std::nullopt;
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
  return std::nullopt;
}

}  // namespace imgmill
