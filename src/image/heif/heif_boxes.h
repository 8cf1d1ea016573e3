// The boxes of HEIF and AVIF (ISO 14496-12): what libvips and libheif do not tell of a file stands there.
#pragma once

#include <cstdint>
#include <vector>

#include "image/open_file.h"

namespace imgmill {

/// Big-endian numbers, read in order; 0 beyond the end, which `ok` tells.
class BoxReader {
 public:
  BoxReader(const unsigned char* bytes, size_t size) : bytes_(bytes), size_(size) {}
  uint64_t Take(size_t count) {
    if (count > size_ - at_) ok_ = false;
    uint64_t value = 0;
    for (size_t i = 0; ok_ && i < count; ++i) value = value << 8 | bytes_[at_++];
    return value;
  }
  void Skip(size_t count) {
    if (count > size_ - at_) ok_ = false;
    if (ok_) at_ += count;
  }
  bool ok() const { return ok_; }
  bool more() const { return ok_ && at_ < size_; }
  /// The next box; what is left is its `rest`.
  struct Box {
    uint64_t kind;
    size_t at;
    size_t end;
  };
  Box NextBox() {
    const size_t start = at_;
    const uint64_t bytes = Take(4);
    const uint64_t kind = Take(4);
    if (bytes < 8 || bytes > size_ - start) ok_ = false;
    if (!ok_) return {0, size_, size_};
    const Box box{kind, at_, start + static_cast<size_t>(bytes)};
    at_ = box.end;
    return box;
  }
  BoxReader Within(const Box& box) const { return {bytes_ + box.at, box.end - box.at}; }

 private:
  const unsigned char* bytes_;
  size_t size_;
  size_t at_ = 0;
  bool ok_ = true;
};

constexpr uint64_t BoxName(const char (&text)[5]) {
  uint64_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(text[i]);
  return value;
}

/// The content of the file's "meta" box, less version and flags; empty if there is none, or a huge one.
std::vector<unsigned char> ReadHeifMeta(const InputFile& file);

struct HeifExtent {
  uint64_t at = 0;
  uint64_t bytes = 0;
};
/// Where in the file an item's data begins and ends, which may lie in several pieces.
struct HeifItemPlace {
  uint64_t item = 0;
  HeifExtent first;
  HeifExtent last;
};
/// By a "iloc" box; of items that lie in the file itself.
std::vector<HeifItemPlace> HeifItemPlaces(BoxReader box);

}  // namespace imgmill
