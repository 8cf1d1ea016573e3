// GIF89a, sections 15 to 27 and appendix F: blocks by their lengths, and LZW data code by code, to see how
// many pixels it has.
#include "gif_walk.h"

#include <array>
#include <string>

namespace imgmill {
namespace {

constexpr int kExtension = 0x21;
constexpr int kImage = 0x2C;
constexpr int kTrailer = 0x3B;
constexpr int kGraphicControl = 0xF9;

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

Error EndsAfter(uint64_t pixels, uint64_t wanted) {
  return {Stage::kDecode, Code::kTruncated,
          "GIF data ends after " + std::to_string(pixels) + " of " + std::to_string(wanted) + " pixels"};
}

Error Broken(const std::string& what) {
  return {Stage::kDecode, Code::kMalformed, what};
}

}  // namespace

int GifWalk::Word() {
  const int low = Next();
  const int high = Next();
  return low < 0 || high < 0 ? -1 : low | high << 8;
}

bool GifWalk::Skip(int64_t bytes) {
  for (; bytes > 0; --bytes) {
    if (Next() < 0) return false;
  }
  return true;
}

bool GifWalk::SkipColours(int flags) {
  return (flags & 0x80) == 0 || Skip(3 * (int64_t{2} << (flags & 7)));
}

bool GifWalk::SkipBlocks() {
  for (int length = Next(); length != 0; length = Next()) {
    if (length < 0 || !Skip(length)) return false;
  }
  return true;
}

bool GifWalk::ReadHeader() {
  begun_ = true;
  if (!Skip(10)) return false;
  const int flags = Next();
  return flags >= 0 && Skip(2) && SkipColours(flags);
}

bool GifWalk::ReadExtension() {
  if (Next() != kGraphicControl) return SkipBlocks();
  announced_ = true;
  const int length = Next();
  if (length == 0) return true;
  if (length < 4) return length > 0 && Skip(length) && SkipBlocks();
  if (Next() < 0) return false;
  hundredths_ = Word();
  return hundredths_ >= 0 && Skip(length - 3) && SkipBlocks();
}

std::optional<GifImage> GifWalk::NextImage() {
  end_ = End::kCut;
  if (!begun_ && !ReadHeader()) return std::nullopt;
  hundredths_ = 0;
  announced_ = false;
  for (int kind = Next();; kind = Next()) {
    if (kind == kImage) {
      GifImage image;
      image.hundredths = hundredths_;
      if (!Skip(4)) return std::nullopt;
      image.width = Word();
      image.height = Word();
      const int flags = Next();
      if (flags < 0 || !SkipColours(flags)) return std::nullopt;
      return image;
    }
    if (kind != kExtension) {
      // The file's end in place of an image that was announced is none.
      const bool marked = kind == kTrailer || (kind < 0 && !announced_);
      end_ = marked ? End::kMark : kind < 0 ? End::kCut : End::kStranger;
      return std::nullopt;
    }
    if (!ReadExtension()) return std::nullopt;
  }
}

std::optional<Error> GifWalk::ReadData(const GifImage& image, Strict strict) {
  const uint64_t wanted = image.pixels();
  const int bits = Next();
  const bool cut = bits < 0;
  const auto decoder_says = [&](Error error) {
    return strict == Strict::kYes ? std::optional(std::move(error)) : std::nullopt;
  };
  if (cut) return decoder_says(EndsAfter(0, wanted));
  if (wanted == 0) return decoder_says(Broken("a GIF image without pixels"));
  if (bits < 1 || bits > 11)
    return decoder_says(Broken("GIF data begins with codes of " + std::to_string(bits) + " bits"));
  PixelCount count(bits);
  bool zeros_last = false;  // the data's last two bytes
  for (int length = Next(); length != 0; length = Next()) {
    int zeros = 0;
    for (int i = 0; i < length; ++i) {
      const int byte = Next();
      if (byte < 0) length = -1;
      if (length < 0) break;
      zeros = byte == 0 ? zeros + 1 : 0;
      if (count.pixels() >= wanted) continue;
      const PixelCount::State state = count.Add(static_cast<unsigned>(byte));
      if (state == PixelCount::State::kBroken)
        return decoder_says(Broken("GIF data is broken after " + std::to_string(count.pixels()) + " of " +
                                   std::to_string(wanted) + " pixels"));
      if (state == PixelCount::State::kEnd && count.pixels() < wanted)
        return EndsAfter(count.pixels(), wanted);
    }
    if (length < 0) return decoder_says(EndsAfter(count.pixels(), wanted));
    zeros_last = zeros >= 2;
  }
  if (count.pixels() < wanted) return EndsAfter(count.pixels(), wanted);
  if (!zeros_last) return std::nullopt;
  // Looked at from here on without losing the place.
  ByteStream rest = bytes_;
  for (int byte = rest.Next(); byte >= 0; byte = rest.Next()) {
    if (byte != 0) return std::nullopt;
  }
  return Error{Stage::kDecode, Code::kTruncated, "GIF data ends in zeros, up to the end of the file"};
}

}  // namespace imgmill
