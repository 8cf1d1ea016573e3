// The numbers that a PNM file's header, and the pixels of its text kinds, are written in.
#pragma once

#include <cctype>
#include <optional>

#include "byte_stream.h"
#include "imgmill/base/result.h"

namespace imgmill {

/// The words of a file, comments left out.
class PnmWords {
 public:
  /// Behind the two letters that a PNM file begins with.
  /// @param piece_bytes  read at once
  explicit PnmWords(const InputFile& file, size_t piece_bytes = size_t{64} << 10)
      : bytes_(file, 2, piece_bytes) {}

  /// The next word as a number; -1 at the file's end, or where it is none.
  int64_t Number() {
    int next = bytes_.Next();
    int comments = 0;
    while (next == '#' || (next >= 0 && std::isspace(next) != 0)) {
      if (next == '#') {
        if (++comments > 1) comments_in_a_row_ = true;
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

  /// Whether a number had more than one before it.
  bool comments_in_a_row() const { return comments_in_a_row_; }

 private:
  ByteStream bytes_;
  bool comments_in_a_row_ = false;
};

/// 'P' and a digit from 1 to 6, or the two letters of a PFM.
constexpr bool IsPnmKind(unsigned char p, unsigned char kind) {
  return p == 'P' && ((kind >= '1' && kind <= '6') || kind == 'F' || kind == 'f');
}

/// What a PNM or PFM header says; 0 where it says no number.
struct PnmHeader {
  bool floats = false;  ///< PFM, whose third number is not looked at
  int64_t width = 0;
  int64_t height = 0;
  int64_t white = 1;  ///< the largest value
  bool comments_in_a_row = false;
};
PnmHeader ReadPnmHeader(const InputFile& file, unsigned char kind);

/// What PNM does not allow, and what libvips 8.14 takes for something else; of PFM, nothing.
std::optional<Error> RefusePnmHeader(const PnmHeader& header);

}  // namespace imgmill
