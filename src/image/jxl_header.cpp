// Bit by bit down to the first frame's header (ISO/IEC 18181-1: SizeHeader, ImageMetadata, FrameHeader; the
// boxes around them by 18181-2).
#include "jxl_header.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "file_box.h"

namespace imgmill {
namespace {

/// Of the codestream; a header without a profile has some tens of them, with all it may have some hundreds.
constexpr size_t kMostBytes = 4096;
constexpr int kMostBoxes = 4096;

/// The lowest bit of each byte first; zeros behind the end, which `ok` tells.
class JxlBits {
 public:
  explicit JxlBits(std::vector<unsigned char> bytes) : bytes_(std::move(bytes)) {}

  uint32_t Take(int count) {
    uint32_t value = 0;
    for (int i = 0; i < count; ++i, ++at_) {
      if (at_ / 8 >= bytes_.size()) ok_ = false;
      if (ok_) value |= static_cast<uint32_t>(bytes_[at_ / 8] >> at_ % 8 & 1) << i;
    }
    return value;
  }
  bool Flag() { return Take(1) != 0; }
  void Skip(uint64_t count) {
    ok_ = ok_ && count <= 8 * bytes_.size() - at_;
    if (ok_) at_ += count;
  }
  void SkipToByte() { Skip((8 - at_ % 8) % 8); }

  /// A number in one of four forms: so many bits above the least.
  struct Form {
    uint32_t least;
    int bits = 0;
  };
  uint32_t Take(const Form (&forms)[4]) {
    const Form form = forms[Take(2)];
    return form.least + Take(form.bits);
  }
  uint32_t TakeEnum() { return Take({{0}, {1}, {2, 4}, {18, 6}}); }
  uint64_t TakeLong() {
    const uint32_t form = Take(2);
    if (form == 0) return 0;
    if (form == 1) return 1 + Take(4);
    if (form == 2) return 17 + Take(8);
    uint64_t value = Take(12);
    for (int shift = 12; shift <= 60 && Flag(); shift += 8)
      value |= uint64_t{Take(shift == 60 ? 4 : 8)} << shift;
    return value;
  }
  bool ok() const { return ok_; }

 private:
  std::vector<unsigned char> bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

void SkipSize(JxlBits& bits) {
  const bool by_eights = bits.Flag();
  const auto skip_side = [&] { by_eights ? bits.Take(5) : bits.Take({{1, 9}, {1, 13}, {1, 18}, {1, 30}}); };
  skip_side();
  if (bits.Take(3) == 0) skip_side();  // no ratio of the sides
}

void SkipAnimation(JxlBits& bits) {
  bits.Take({{100}, {1000}, {1, 10}, {1, 30}});  // ticks, and what divides them
  bits.Take({{1}, {1001}, {1, 8}, {1, 10}});
  bits.Take({{0}, {0, 3}, {0, 16}, {0, 32}});  // loops
  bits.Flag();
}

void SkipDepth(JxlBits& bits) {
  if (bits.Flag()) {
    bits.Take({{32}, {16}, {24}, {1, 6}});
    bits.Take(4);  // of the exponent
  } else {
    bits.Take({{8}, {10}, {12}, {1, 6}});
  }
}

void SkipExtraChannel(JxlBits& bits) {
  if (bits.Flag()) return;
  constexpr uint32_t kAlpha = 0, kSpot = 2, kFilter = 5;
  const uint32_t kind = bits.TakeEnum();
  SkipDepth(bits);
  bits.Take({{0}, {3}, {4}, {1, 3}});                                    // by how much it is smaller
  bits.Skip(8 * uint64_t{bits.Take({{0}, {0, 4}, {16, 5}, {48, 10}})});  // name
  if (kind == kAlpha) bits.Flag();
  if (kind == kSpot) bits.Skip(4 * 16);
  if (kind == kFilter) bits.Take({{1}, {0, 2}, {3, 4}, {19, 8}});
}

void SkipPoint(JxlBits& bits) {
  for (int i = 0; i < 2; ++i) bits.Take({{0, 19}, {524288, 19}, {1048576, 20}, {2097152, 21}});
}

/// @return false where a profile says what the colours are
bool SkipColours(JxlBits& bits) {
  constexpr uint32_t kGrey = 1, kXyb = 2, kCustom = 2;
  if (bits.Flag()) return true;  // sRGB
  const bool has_profile = bits.Flag();
  const uint32_t space = bits.TakeEnum();
  if (has_profile) return false;
  if (space != kXyb) {
    if (bits.TakeEnum() == kCustom) SkipPoint(bits);  // white
    if (space != kGrey && bits.TakeEnum() == kCustom) {
      for (int primary = 0; primary < 3; ++primary) SkipPoint(bits);
    }
    bits.Flag() ? bits.Take(24) : bits.TakeEnum();  // gamma, or a curve that has a name
  }
  bits.TakeEnum();  // intent
  return true;
}

void SkipExtensions(JxlBits& bits) {
  uint64_t length = 0;
  for (uint64_t left = bits.TakeLong(); left != 0; left &= left - 1) {
    const uint64_t more = bits.TakeLong();
    length += std::min(more, UINT64_MAX - length);
  }
  bits.Skip(length);
}

void SkipUpsampling(JxlBits& bits) {
  constexpr uint64_t kWeights[] = {15, 55, 210};
  if (bits.Flag()) return;
  const uint32_t told = bits.Take(3);
  for (int i = 0; i < 3; ++i) {
    if ((told >> i & 1) != 0) bits.Skip(16 * kWeights[i]);
  }
}

/// Whether a frame's pixels are predicted, and its colours no YCbCr.
bool IsPlainModular(JxlBits& bits) {
  if (bits.Flag()) return false;  // all as usual
  bits.Take(2);                   // kind of frame
  const bool modular = bits.Flag();
  bits.TakeLong();  // flags
  return modular && !bits.Flag() && bits.ok();
}

struct JxlHeader {
  bool may_be_animated = false;
  bool lossless = false;
};

JxlHeader ReadStream(JxlBits bits) {
  JxlHeader header;
  SkipSize(bits);
  if (bits.Flag()) return header;  // all as usual: XYB
  const bool more = bits.Flag();
  if (more) {
    bits.Take(3);                      // orientation
    if (bits.Flag()) SkipSize(bits);   // at which it is to be shown
    const bool preview = bits.Flag();  // whose frame would come first
    header.may_be_animated = preview || bits.Flag();
    if (preview) return header;
    if (header.may_be_animated) SkipAnimation(bits);
  }
  SkipDepth(bits);
  bits.Flag();  // 16 bits are enough to decode
  const uint32_t extra = bits.Take({{0}, {1}, {2, 4}, {1, 12}});
  for (uint32_t i = 0; i < extra && bits.ok(); ++i) SkipExtraChannel(bits);
  const bool xyb = bits.Flag();
  if (xyb || !SkipColours(bits)) return header;
  if (more && !bits.Flag()) bits.Skip(3 * 16 + 1);  // tone mapping
  SkipExtensions(bits);
  SkipUpsampling(bits);
  bits.SkipToByte();
  header.lossless = IsPlainModular(bits);
  return header;
}

/// The first bytes of the codestream, which may be the file, or lie in one box, or in several behind a
/// number.
std::vector<unsigned char> BeginningOf(const InputFile& file) {
  std::vector<unsigned char> stream;
  const auto add = [&](uint64_t at, uint64_t end) {
    const size_t before = stream.size();
    stream.resize(before + std::min<uint64_t>(end - std::min(at, end), kMostBytes - before));
    const ptrdiff_t got =
        file.ReadAt(static_cast<int64_t>(at), stream.data() + before, stream.size() - before);
    stream.resize(before + static_cast<size_t>(std::max<ptrdiff_t>(got, 0)));
  };
  const auto end = static_cast<uint64_t>(file.bytes());
  unsigned char first = 0;
  if (file.ReadExactly(0, &first, 1) && first == 0xFF) {
    add(0, end);
    return stream;
  }
  uint64_t at = 0;
  for (int step = 0; step < kMostBoxes && stream.size() < kMostBytes; ++step) {
    const std::optional<FileBox> box = ReadFileBox(file, at, end);
    if (!box) break;
    if (box->Is("jxlp")) add(box->at + 4, box->end);
    if (box->Is("jxlc")) {
      add(box->at, box->end);
      break;
    }
    at = box->end;
  }
  return stream;
}

JxlHeader ReadJxlHeader(const InputFile& file) {
  std::vector<unsigned char> stream = BeginningOf(file);
  if (stream.size() < 4 || stream[0] != 0xFF || stream[1] != 0x0A) return {};
  stream.erase(stream.begin(), stream.begin() + 2);
  return ReadStream(JxlBits(std::move(stream)));
}

}  // namespace

bool MayBeAnimatedJxl(const InputFile& file) {
  return ReadJxlHeader(file).may_be_animated;
}

bool IsLosslessJxl(const InputFile& file) {
  return ReadJxlHeader(file).lossless;
}

}  // namespace imgmill
