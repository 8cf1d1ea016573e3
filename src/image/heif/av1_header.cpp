// Bit by bit down to the quantisers of the first frame (AV1 Bitstream & Decoding Process Specification, 5.3
// to 5.9).
#include "av1_header.h"

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
  /// A count from `least` on: as many ones as are added to it, and a zero where it is below `most`.
  int TakeCount(int least, int most) {
    while (least < most && Flag()) ++least;
    return least;
  }
  bool ok() const { return ok_; }

 private:
  std::vector<unsigned char> bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

/// What a frame's header can only be read with.
struct Sequence {
  bool reduced = false;  ///< made for single images: much is not there
  bool decoder_model = false;
  int width_bits = 0, height_bits = 0;
  int64_t width = 0, height = 0;
  int frame_number_bits = 0;
  bool blocks_of_128 = false;
  bool superres = false;
  int order_bits = 0;
  /// 2: each frame chooses.
  uint32_t screen_content = 2, whole_motion = 2;
  bool colours_apart = false;  ///< the quantisers of both colours are not the same
};

void SkipOperatingPoints(Bits& bits, Sequence& sequence) {
  int delay_bits = 0;
  if (bits.Flag()) {  // timing_info
    bits.Take(32);
    bits.Take(32);
    if (bits.Flag()) bits.SkipVariable();
    sequence.decoder_model = bits.Flag();
    if (sequence.decoder_model) {
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

void ReadInterTools(Bits& bits, Sequence& sequence) {
  bits.Take(4);  // interintra, masked, warped, dual filter
  const bool order_hint = bits.Flag();
  if (order_hint) bits.Take(2);
  sequence.screen_content = bits.Flag() ? 2 : bits.Take(1);
  if (sequence.screen_content > 0) sequence.whole_motion = bits.Flag() ? 2 : bits.Take(1);
  if (order_hint) sequence.order_bits = static_cast<int>(bits.Take(3)) + 1;
}

void ReadColours(Bits& bits, uint32_t profile, Sequence& sequence, Av1Header& header) {
  const bool high = bits.Flag();
  const bool twelve = profile == 2 && high && bits.Flag();
  header.grey = profile != 1 && bits.Flag();
  uint32_t colours = 2 << 16 | 2 << 8 | 2;  // none is told
  if (bits.Flag()) colours = bits.Take(24);
  header.matrix = colours & 255;
  constexpr uint32_t kSrgb = 1 << 16 | 13 << 8 | 0;  // BT.709, sRGB, RGB: of full range, without being told
  if (!header.grey && colours == kSrgb) {
    header.full_colours = true;
  } else {
    header.limited = !bits.Flag();
    if (header.grey) return;
    bool fewer_across = profile == 0 || profile == 2;
    bool fewer_down = profile == 0;
    if (twelve) {
      fewer_across = bits.Flag();
      fewer_down = fewer_across && bits.Flag();
    }
    if (fewer_across && fewer_down) bits.Take(2);  // where they lie
    header.full_colours = !fewer_across;
  }
  sequence.colours_apart = bits.Flag();
}

Sequence ReadSequence(Bits bits, Av1Header& header) {
  Sequence sequence;
  const uint32_t profile = bits.Take(3);
  bits.Take(1);  // still_image
  sequence.reduced = bits.Flag();
  if (sequence.reduced) {
    bits.Take(5);
  } else {
    SkipOperatingPoints(bits, sequence);
  }
  sequence.width_bits = static_cast<int>(bits.Take(4)) + 1;
  sequence.height_bits = static_cast<int>(bits.Take(4)) + 1;
  sequence.width = int64_t{bits.Take(sequence.width_bits)} + 1;
  sequence.height = int64_t{bits.Take(sequence.height_bits)} + 1;
  if (!sequence.reduced && bits.Flag()) {
    const auto delta_bits = static_cast<int>(bits.Take(4)) + 2;
    sequence.frame_number_bits = delta_bits + static_cast<int>(bits.Take(3)) + 1;
  }
  sequence.blocks_of_128 = bits.Flag();
  bits.Take(2);  // intra filter, intra edge filter
  if (!sequence.reduced) ReadInterTools(bits, sequence);
  sequence.superres = bits.Flag();
  bits.Take(2);  // cdef, restoration
  ReadColours(bits, profile, sequence, header);
  header.told = bits.ok();
  if (!header.told) header = {};
  return sequence;
}

/// The power of two by which `unit` reaches `whole`.
int Doublings(int64_t unit, int64_t whole) {
  int doublings = 0;
  while (unit << doublings < whole) ++doublings;
  return doublings;
}

/// @return false where tiles have sizes of their own
bool SkipTiles(Bits& bits, int64_t width, int64_t height, bool blocks_of_128) {
  constexpr int64_t kMostAcross = 4096, kMostArea = int64_t{4096} * 2304, kMostTiles = 64;
  const int shift = blocks_of_128 ? 7 : 6;
  // Both count blocks of 8 first.
  const auto blocks = [&](int64_t side) { return ((side + 7) / 8 * 8 + (int64_t{1} << shift) - 1) >> shift; };
  const int64_t across = blocks(width), down = blocks(height);
  const int least_across = Doublings(kMostAcross >> shift, across);
  const int least = std::max(least_across, Doublings(kMostArea >> 2 * shift, across * down));
  if (!bits.Flag()) return false;
  const int columns = bits.TakeCount(least_across, Doublings(1, std::min(across, kMostTiles)));
  const int rows = bits.TakeCount(std::max(least - columns, 0), Doublings(1, std::min(down, kMostTiles)));
  if (columns + rows > 0) bits.Take(columns + rows + 2);  // whose statistics are kept, and how sizes are told
  return true;
}

/// Whether all quantisers are 0, and there are no others.
bool QuantisesNothing(Bits& bits, bool grey, bool colours_apart) {
  if (bits.Take(8) != 0 || bits.Flag()) return false;
  if (!grey) {
    const bool apart = colours_apart && bits.Flag();
    if (bits.Take(apart ? 4 : 2) != 0) return false;
  }
  if (bits.Flag()) bits.Take(grey ? 4 + 4 : colours_apart ? 12 : 8);  // matrices, which have no effect then
  return !bits.Flag() && bits.ok();                                   // segments
}

/// Of a frame that stands for itself and is shown.
bool IsExact(Bits bits, const Sequence& sequence, bool grey) {
  if (sequence.decoder_model) return false;
  // show_existing_frame 0, frame_type 0, show_frame 1
  if (!sequence.reduced && bits.Take(4) != 1) return false;
  const bool fixed_statistics = bits.Flag();
  const bool screen_content = sequence.screen_content == 2 ? bits.Flag() : sequence.screen_content == 1;
  if (screen_content && sequence.whole_motion == 2) bits.Take(1);
  bits.Take(sequence.frame_number_bits);
  const bool own_size = !sequence.reduced && bits.Flag();
  bits.Take(sequence.order_bits);
  int64_t width = sequence.width, height = sequence.height;
  if (own_size) {
    width = int64_t{bits.Take(sequence.width_bits)} + 1;
    height = int64_t{bits.Take(sequence.height_bits)} + 1;
  }
  if (sequence.superres && bits.Flag()) return false;
  if (bits.Flag()) bits.Take(32);  // size to be shown at
  if (screen_content) bits.Take(1);
  if (!sequence.reduced && !fixed_statistics) bits.Take(1);
  return SkipTiles(bits, width, height, sequence.blocks_of_128) &&
         QuantisesNothing(bits, grey, sequence.colours_apart);
}

}  // namespace

Av1Header ReadAv1Header(const InputFile& file, uint64_t at, uint64_t bytes) {
  constexpr uint64_t kEnough = 4096;
  Av1Header header;
  Sequence sequence;
  std::vector<unsigned char> stream(static_cast<size_t>(std::min(bytes, kEnough)));
  const ptrdiff_t got = file.ReadAt(static_cast<int64_t>(at), stream.data(), stream.size());
  stream.resize(static_cast<size_t>(std::max<ptrdiff_t>(got, 0)));
  constexpr int kSequenceHeader = 1, kFrameHeader = 3, kFrame = 6;
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
    const uint64_t rest = stream.size() - std::min(i, stream.size());
    const auto content = [&] {
      const auto from = stream.end() - static_cast<std::ptrdiff_t>(rest);
      return Bits({from, from + static_cast<std::ptrdiff_t>(std::min(length, rest))});
    };
    if (type == kSequenceHeader) sequence = ReadSequence(content(), header);
    if (type == kFrame || type == kFrameHeader) {
      header.exact = header.told && IsExact(content(), sequence, header.grey);
      break;
    }
    if (length >= rest) break;
    i += static_cast<size_t>(length);
  }
  return header;
}

}  // namespace imgmill
