// PGM and PPM in text (P2, P3): libvips takes numbers that are not there for zeros, so they are counted. PBM
// (P4): it takes bytes that are not there for zeros, too.
#include <algorithm>
#include <cctype>
#include <string>

#include "byte_stream.h"
#include "missing_end.h"

namespace imgmill {
namespace {

/// The words of a file, comments left out.
class Words {
 public:
  /// Behind "P2", "P3" or "P4".
  explicit Words(const InputFile& file) : bytes_(file, 2, size_t{64} << 10) {}

  /// The next word as a number; -1 at the file's end, or where it is none.
  int64_t Number() {
    int next = bytes_.Next();
    while (next == '#' || (next >= 0 && std::isspace(next) != 0)) {
      if (next == '#') {
        while (next >= 0 && next != '\n') next = bytes_.Next();
      }
      if (next >= 0) next = bytes_.Next();
    }
    if (next < '0' || next > '9') return -1;
    int64_t value = 0;
    for (; next >= '0' && next <= '9'; next = bytes_.Next()) {
      constexpr int64_t kEnough = int64_t{1} << 40;
      if (value < kEnough) value = value * 10 + (next - '0');
    }
    return value;
  }
  /// Behind the byte that ended the last number.
  int64_t offset() const { return bytes_.offset(); }

 private:
  ByteStream bytes_;
};

}  // namespace

std::optional<Error> FindMissingPnmEnd(const InputFile& file) {
  unsigned char magic[2] = {};
  if (file.ReadAt(0, magic, sizeof magic) != sizeof magic) return std::nullopt;
  Words words(file);
  const int64_t width = words.Number();
  const int64_t height = words.Number();
  constexpr int64_t kSide = int64_t{1} << 31;
  if (magic[1] == '4') {
    if (width < 1 || height < 1 || width > kSide || height > kSide) return std::nullopt;
    const int64_t there = std::max<int64_t>(0, file.bytes() - words.offset()) / ((width + 7) / 8);
    if (there >= height) return std::nullopt;
    return Error{Stage::kDecode, Code::kTruncated,
                 "the file ends in row " + std::to_string(there) + " of " + std::to_string(height)};
  }
  const int64_t most = words.Number();
  if (width < 1 || height < 1 || most < 1 || width > kSide || height > kSide)
    return std::nullopt;  // the decoder says so
  const int64_t wanted = width * (magic[1] == '3' ? 3 : 1);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t i = 0; i < wanted; ++i) {
      if (words.Number() >= 0) continue;
      return Error{Stage::kDecode, Code::kTruncated,
                   "the numbers of its pixels end, or are none, at row " + std::to_string(y) + " of " +
                       std::to_string(height)};
    }
  }
  return std::nullopt;
}

}  // namespace imgmill
