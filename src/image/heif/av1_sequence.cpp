// Bit by bit down to color_range (AV1 Bitstream & Decoding Process Specification, 5.3 to 5.5).
#include "av1_sequence.h"

#include <algorithm>
#include <vector>

namespace imgmill {
namespace {

/// The highest bit first; zeros beyond the end, which `ok` tells.
class Bits {
 public:
  explicit Bits(std::vector<unsigned char> bytes) : bytes_(std::move(bytes)) {}
  uint32_t Take(int count) {
    uint32_t value = 0;
    for (; count > 0; --count, ++at_) {
      if (at_ / 8 >= bytes_.size()) ok_ = false;
      value = value << 1 | (ok_ ? bytes_[at_ / 8] >> (7 - at_ % 8) & 1U : 0U);
    }
    return value;
  }
  bool Flag() { return Take(1) != 0; }
  /// A number in as many bits as there are zeros before it.
  void SkipVariable() {
    int zeros = 0;
    while (ok_ && zeros < 32 && !Flag()) ++zeros;
    if (zeros < 32) Take(zeros);
  }
  bool ok() const { return ok_; }

 private:
  std::vector<unsigned char> bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

void SkipOperatingPoints(Bits& bits) {
  int delay_bits = 0;
  if (bits.Flag()) {  // timing_info
    bits.Take(32);
    bits.Take(32);
    if (bits.Flag()) bits.SkipVariable();
    if (bits.Flag()) {  // decoder_model_info
      delay_bits = static_cast<int>(bits.Take(5)) + 1;
      bits.Take(32);
      bits.Take(10);
    }
  }
  const bool display_delay = bits.Flag();
  const uint32_t points = bits.Take(5) + 1;
  for (uint32_t i = 0; i < points; ++i) {
    bits.Take(12);
    constexpr uint32_t kLowLevels = 7;
    if (bits.Take(5) > kLowLevels) bits.Take(1);
    if (delay_bits > 0 && bits.Flag()) {
      bits.Take(delay_bits);
      bits.Take(delay_bits);
      bits.Take(1);
    }
    if (display_delay && bits.Flag()) bits.Take(4);
  }
}

void SkipInterTools(Bits& bits) {
  bits.Take(4);  // interintra, masked, warped, dual filter
  const bool order_hint = bits.Flag();
  if (order_hint) bits.Take(2);
  const bool screen_content = bits.Flag() || bits.Flag();  // chosen for each frame, or for all
  if (screen_content && !bits.Flag()) bits.Take(1);        // whole motion vectors
  if (order_hint) bits.Take(3);
}

bool IsLimited(Bits bits) {
  const uint32_t profile = bits.Take(3);
  bits.Take(1);  // still_image
  const bool reduced = bits.Flag();
  if (reduced) {
    bits.Take(5);
  } else {
    SkipOperatingPoints(bits);
  }
  const int width_bits = static_cast<int>(bits.Take(4)) + 1;
  const int height_bits = static_cast<int>(bits.Take(4)) + 1;
  bits.Take(width_bits);
  bits.Take(height_bits);
  if (!reduced && bits.Flag()) bits.Take(7);  // frame numbers
  bits.Take(3);                               // blocks of 128, intra filter, intra edge filter
  if (!reduced) SkipInterTools(bits);
  bits.Take(3);  // superres, cdef, restoration
  const bool high = bits.Flag();
  if (profile == 2 && high) bits.Take(1);
  const bool grey = profile != 1 && bits.Flag();
  uint32_t colours = 0;
  if (bits.Flag()) colours = bits.Take(24);
  constexpr uint32_t kSrgb = 1 << 16 | 13 << 8 | 0;  // BT.709, sRGB, RGB: of full range, without being told
  if (!grey && colours == kSrgb) return false;
  return !bits.Flag() && bits.ok();
}

}  // namespace

bool Av1RangeIsLimited(const InputFile& file, uint64_t at, uint64_t bytes) {
  constexpr uint64_t kEnough = 256;
  std::vector<unsigned char> stream(static_cast<size_t>(std::min(bytes, kEnough)));
  if (!file.ReadExactly(at, stream.data(), stream.size())) return false;
  constexpr int kSequenceHeader = 1;
  for (size_t i = 0; i < stream.size();) {
    const int type = stream[i] >> 3 & 15;
    const bool extension = (stream[i] & 4) != 0;
    const bool sized = (stream[i] & 2) != 0;
    i += extension ? 2 : 1;
    uint64_t length = stream.size() - std::min(i, stream.size());
    if (sized) {
      length = 0;
      for (int shift = 0; shift < 56 && i < stream.size(); shift += 7) {
        length |= uint64_t{stream[i] & 127U} << shift;
        if ((stream[i++] & 128) == 0) break;
      }
    }
    if (type == kSequenceHeader && i < stream.size())
      return IsLimited(Bits({stream.begin() + static_cast<std::ptrdiff_t>(i), stream.end()}));
    if (length >= stream.size() - std::min(i, stream.size())) return false;
    i += static_cast<size_t>(length);
  }
  return false;
}

}  // namespace imgmill
