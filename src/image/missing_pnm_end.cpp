// PGM and PPM in text (P2, P3): libvips takes numbers that are not there for zeros, so they are counted. PBM
// (P4): it takes bytes that are not there for zeros, too.
#include <algorithm>
#include <string>

#include "missing_end.h"
#include "pnm_words.h"

namespace imgmill {

PnmHeader ReadPnmHeader(const InputFile& file, unsigned char kind) {
  constexpr size_t kUsualHeader = 512;
  PnmWords words(file, kUsualHeader);
  const auto number = [&] { return std::max<int64_t>(0, words.Number()); };
  PnmHeader header;
  header.floats = kind == 'F' || kind == 'f';
  header.width = number();
  header.height = number();
  if (!header.floats && kind != '1' && kind != '4') header.white = number();
  header.comments_in_a_row = words.comments_in_a_row();
  return header;
}

std::optional<Error> RefusePnmHeader(const PnmHeader& header) {
  if (header.floats) return std::nullopt;
  if (header.width < 1 || header.height < 1 || header.white < 1) {
    return Error{Stage::kProbe, Code::kMalformed,
                 "a PNM header whose width, height and largest value are not all numbers above 0"};
  }
  if (header.comments_in_a_row) {
    return Error{Stage::kProbe, Code::kUnsupported,
                 "a PNM header with several lines of comment in a row (leave one, or convert it to PNG)"};
  }
  return std::nullopt;
}

std::optional<Error> FindMissingPnmEnd(const InputFile& file) {
  unsigned char magic[2] = {};
  if (file.ReadAt(0, magic, sizeof magic) != sizeof magic) return std::nullopt;
  PnmWords words(file);
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
