// The numbers that a PNM file's header, and the pixels of its text kinds, are written in.
#pragma once

#include <cctype>
#include <limits>
#include <string>

#include "image/byte_stream.h"

namespace imgmill {

/// The words of a file, comments left out: from a "#" to the end of its line, wherever it stands (the
/// format's manual page; netpbm's readers take a comment in a word's place for the space behind it).
class PnmWords {
 public:
  /// What stands for a number where there is none.
  static constexpr int64_t kEnd = -1;
  static constexpr int64_t kNone = -2;

  /// From `offset` on; what lies behind `end` is not looked at.
  PnmWords(const InputFile& file, int64_t offset, size_t piece_bytes,
           int64_t end = std::numeric_limits<int64_t>::max())
      : bytes_(file, offset, piece_bytes), end_(end) {}

  /// The next word. kEnd: the file ends, or continues in zeros, which were never written; kNone: it is no
  /// whole number.
  int64_t Number() {
    int next = Skip();
    if (next <= 0) return kEnd;
    if (next < '0' || next > '9') return kNone;
    int64_t value = 0;
    for (; next >= '0' && next <= '9'; next = Next()) {
      constexpr int64_t kEnough = int64_t{1} << 40;
      if (value < kEnough) value = value * 10 + (next - '0');
    }
    return EndsWord(next) ? value : kNone;
  }
  /// The next digit, 0 or 1, which needs no space behind it; kEnd and kNone as above.
  int64_t Bit() {
    const int next = Skip();
    return next <= 0 ? kEnd : next == '0' || next == '1' ? next - '0' : kNone;
  }
  /// The next word as it is written; cut off where it is longer than any that means something.
  std::string Text() {
    constexpr size_t kEnough = 64;
    std::string text;
    int next = Skip();
    for (; next > 0 && next != '#' && std::isspace(next) == 0; next = Next()) {
      if (text.size() < kEnough) text.push_back(static_cast<char>(next));
    }
    EndsWord(next);
    return text;
  }
  /// Behind the byte that ended the last number: one space, or a comment with the end of its line.
  int64_t offset() const { return bytes_.offset(); }
  /// Why a word that ends the file could not be read; 0 where the file does end.
  int read_errno() const { return bytes_.read_errno(); }

 private:
  int Next() { return bytes_.offset() < end_ ? bytes_.Next() : -1; }
  /// Of a comment's line, behind its "#".
  int EndOfLine() {
    int next = Next();
    while (next >= 0 && next != '\n' && next != '\r') next = Next();
    return next;
  }
  /// The next byte that is of a word.
  int Skip() {
    int next = Next();
    while (next == '#' || (next >= 0 && std::isspace(next) != 0)) {
      if (next == '#') next = EndOfLine();
      if (next >= 0) next = Next();
    }
    return next;
  }
  bool EndsWord(int next) {
    if (next == '#') next = EndOfLine();
    return next < 0 || std::isspace(next) != 0;
  }

  ByteStream bytes_;
  const int64_t end_;
};

}  // namespace imgmill
