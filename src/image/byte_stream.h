// A file byte by byte, read in pieces, for walks over data that has no lengths to jump by.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "open_file.h"

namespace imgmill {

class ByteStream {
 public:
  /// Begins at `offset`. The file must outlive it.
  ByteStream(const InputFile& file, int64_t offset, size_t piece_bytes)
      : file_(file), piece_(piece_bytes), offset_(offset) {}

  /// -1 at the end of the file, or where it cannot be read.
  int Next() {
    if (at_ == have_) {
      const ptrdiff_t got = file_.ReadAt(offset_, piece_.data(), piece_.size());
      if (got < 0) read_errno_ = errno;
      if (got <= 0) return -1;
      offset_ += got;
      have_ = static_cast<size_t>(got);
      at_ = 0;
    }
    return piece_[at_++];
  }

  /// Why it could not be read; 0 where it could.
  int read_errno() const { return read_errno_; }

  /// Of the byte that Next gives next.
  int64_t offset() const { return offset_ - static_cast<int64_t>(have_ - at_); }

 private:
  const InputFile& file_;
  std::vector<unsigned char> piece_;
  int64_t offset_;
  size_t at_ = 0;
  size_t have_ = 0;
  int read_errno_ = 0;
};

/// The next line of a header in text, without its end; cut off where it is longer than any that means
/// something. @return false where the file ends first, or the stream comes beyond `end`
inline bool ReadHeaderLine(ByteStream& bytes, int64_t end, std::string& line) {
  constexpr size_t kEnough = 256;
  line.clear();
  for (int next = bytes.Next(); next != '\n'; next = bytes.Next()) {
    if (next < 0 || bytes.offset() > end) return false;
    if (line.size() <= kEnough) line.push_back(static_cast<char>(next));
  }
  return true;
}

}  // namespace imgmill
