// GIF89a: the first image's LZW data is followed code by code, without making pixels, to see how many of
// them it has. Zeros in its place end it early: a block of no bytes is the last one. So does an end code: the
// decoder fills up in silence behind both.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "byte_stream.h"
#include "missing_end.h"

namespace imgmill {
namespace {

/// The file's bytes, and what GIF makes of them.
class GifBytes : public ByteStream {
 public:
  explicit GifBytes(const InputFile& file) : ByteStream(file, 0, size_t{16} << 10) {}
  bool Skip(int64_t bytes) {
    for (; bytes > 0; --bytes) {
      if (Next() < 0) return false;
    }
    return true;
  }
  int Word() {
    const int low = Next();
    const int high = Next();
    return low < 0 || high < 0 ? -1 : low | high << 8;
  }
};

/// Counts the pixels of LZW codes.
class PixelCount {
 public:
  explicit PixelCount(int bits) : clear_(1U << bits), first_width_(bits + 1) { Clear(); }

  enum class State { kGoesOn, kEnd, kBroken };
  State Add(unsigned byte) {
    bits_ |= byte << have_;
    have_ += 8;
    while (have_ >= width_) {
      const unsigned code = bits_ & ((1U << width_) - 1);
      bits_ >>= width_;
      have_ -= width_;
      if (code == clear_) {
        Clear();
      } else if (code == clear_ + 1) {
        return State::kEnd;
      } else if (!Take(code)) {
        return State::kBroken;
      }
    }
    return State::kGoesOn;
  }
  uint64_t pixels() const { return pixels_; }

 private:
  void Clear() {
    width_ = first_width_;
    next_ = clear_ + 2;
    last_length_ = 0;
  }
  bool Take(unsigned code) {
    uint64_t length = 1;
    if (code >= clear_) {
      if (code > next_ || last_length_ == 0 || (code == next_ && next_ >= lengths_.size())) return false;
      length = code == next_ ? last_length_ + 1 : lengths_[code];
    }
    if (last_length_ != 0 && next_ < lengths_.size()) {
      lengths_[next_++] = last_length_ + 1;
      if (next_ == 1U << width_ && width_ < 12) ++width_;
    }
    last_length_ = length;
    pixels_ += length;
    return true;
  }

  const unsigned clear_;
  const int first_width_;
  int width_ = 0;
  unsigned next_ = 0;
  std::array<uint64_t, 4096> lengths_{};
  uint64_t last_length_ = 0;  // 0: none since the table was cleared
  uint64_t pixels_ = 0;
  unsigned bits_ = 0;
  int have_ = 0;
};

struct GifSize {
  int width = 0;
  int height = 0;
  uint64_t pixels() const { return static_cast<uint64_t>(width) * static_cast<uint64_t>(height); }
};

/// To the data of the first image. @return its size; no pixels if there is none
GifSize ToFirstImage(GifBytes& bytes) {
  const auto skip_colours = [&](int flags) {
    return (flags & 0x80) == 0 || bytes.Skip(3 * (int64_t{2} << (flags & 7)));
  };
  if (!bytes.Skip(10)) return {};
  const int flags = bytes.Next();
  if (flags < 0 || !bytes.Skip(2) || !skip_colours(flags)) return {};
  for (int kind = bytes.Next(); kind == 0x21 || kind == 0x2C; kind = bytes.Next()) {
    if (kind == 0x2C) {
      if (!bytes.Skip(4)) return {};
      const int width = bytes.Word();
      const int height = bytes.Word();
      const int own = bytes.Next();
      if (own < 0 || !skip_colours(own)) return {};
      return {width, height};
    }
    if (!bytes.Skip(1)) return {};  // of an extension: its label
    for (int length = bytes.Next(); length != 0; length = bytes.Next()) {
      if (length < 0 || !bytes.Skip(length)) return {};
    }
  }
  return {};
}

Error EndsAfter(uint64_t pixels, uint64_t wanted) {
  return {Stage::kDecode, Code::kTruncated,
          "GIF data ends after " + std::to_string(pixels) + " of " + std::to_string(wanted) + " pixels"};
}

}  // namespace

std::optional<Error> FindTooShortGif(const InputFile& file) {
  char begin[4] = {};
  if (!file.ReadExactly(0, begin, sizeof begin) || std::memcmp(begin, "GIF8", 4) != 0) return std::nullopt;
  GifBytes bytes(file);
  const GifSize image = ToFirstImage(bytes);
  // A code has 2 bits at least. Its string is one longer than the longest before it, and the table has 4096.
  constexpr uint64_t kMostStrings = 4096;
  const uint64_t codes = static_cast<uint64_t>(std::max<int64_t>(0, file.bytes() - bytes.offset())) * 4 + 1;
  if (codes * std::min(codes, kMostStrings) >= image.pixels()) return std::nullopt;
  return TooFewBytes(file.bytes(), image.width, image.height);
}

std::optional<Error> FindMissingGifEnd(const InputFile& file) {
  GifBytes bytes(file);
  const uint64_t wanted = ToFirstImage(bytes).pixels();
  const int bits = bytes.Next();
  if (wanted == 0 || bits < 1 || bits > 11) return std::nullopt;
  PixelCount count(bits);
  bool zeros_last = false;  // the data's last two bytes
  for (int length = bytes.Next(); length != 0; length = bytes.Next()) {
    if (length < 0) return std::nullopt;  // the decoder says so
    int zeros = 0;
    for (int i = 0; i < length; ++i) {
      const int byte = bytes.Next();
      if (byte < 0) return std::nullopt;
      zeros = byte == 0 ? zeros + 1 : 0;
      if (count.pixels() >= wanted) continue;
      const PixelCount::State state = count.Add(static_cast<unsigned>(byte));
      if (state == PixelCount::State::kBroken) return std::nullopt;  // the decoder says so
      if (state == PixelCount::State::kEnd && count.pixels() < wanted)
        return EndsAfter(count.pixels(), wanted);
    }
    zeros_last = zeros >= 2;
  }
  if (count.pixels() < wanted) return EndsAfter(count.pixels(), wanted);
  if (!zeros_last) return std::nullopt;
  for (int byte = bytes.Next(); byte >= 0; byte = bytes.Next()) {
    if (byte != 0) return std::nullopt;
  }
  return Error{Stage::kDecode, Code::kTruncated, "GIF data ends in zeros, up to the end of the file"};
}

}  // namespace imgmill
