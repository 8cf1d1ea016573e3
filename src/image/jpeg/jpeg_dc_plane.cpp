// A scan of minimum coded units (ITU-T T.81, A.2 and F.2), of which only the DC coefficients of luma are
// kept. Whatever is not as it should be ends it: damage is libjpeg's to find, name and get around.
#include "jpeg_dc_plane.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "image/missing_end.h"
#include "jpeg_huffman.h"

namespace imgmill {
namespace {

constexpr int64_t DivideUp(int64_t size, int64_t by) {
  return (size + by - 1) / by;
}

/// The next bits of a scan, from the top; below `count` of them the ones that follow, or zeros.
struct BitWindow {
  uint64_t bits = 0;
  int count = 0;  // negative: more was dropped than there was

  uint32_t Peek(int wanted) const { return static_cast<uint32_t>(bits >> (64 - wanted)); }
  void Drop(int taken) {
    bits <<= taken;
    count -= taken;
  }
};

/// The data between two markers of a scan, without the zeros stuffed behind each FF.
class ScanData {
 public:
  ScanData(const InputFile& file, int64_t from) : file_(file), offset_(from) {}

  /// Fills the window with 56 bits or more, as far as there are so many before the next marker.
  void Fill(BitWindow& window) {
    if (window.count < 0) return;
    // Eight bytes at once, mostly: those that do not fit are the same ones next time.
    if (uint64_t next; end_ - at_ >= sizeof next) {
      std::memcpy(&next, bytes_.data() + at_, sizeof next);
      if constexpr (std::endian::native == std::endian::little) next = __builtin_bswap64(next);
      constexpr uint64_t kOnes = 0x0101010101010101;
      if (const bool marks = ((~next - kOnes) & next & kOnes << 7) != 0; !marks) {
        window.bits |= next >> window.count;
        const int taken = (63 - window.count) / 8;
        at_ += static_cast<size_t>(taken);
        window.count += taken * 8;
        return;
      }
    }
    window = FilledByByte(window);
  }

  /// Goes beyond this marker: true if it is the next thing, but for the padding of the last byte.
  bool PassMarker(int marker, BitWindow& window) {
    if (window.count < 8) Fill(window);
    if (window.count < 0 || window.count >= 8) return false;
    if (!Has(2) || bytes_[at_] != 0xFF || bytes_[at_ + 1] != marker) return false;
    at_ += 2;
    window = {};
    return true;
  }
  /// In the file, of the next byte that was not looked at.
  int64_t offset() const { return offset_ - static_cast<int64_t>(end_ - at_); }

 private:
  /// Whether so many more bytes are at hand, read if need be.
  bool Has(size_t wanted) {
    if (end_ - at_ >= wanted) return true;
    std::copy(bytes_.begin() + static_cast<ptrdiff_t>(at_), bytes_.begin() + static_cast<ptrdiff_t>(end_),
              bytes_.begin());
    end_ -= at_;
    at_ = 0;
    const ptrdiff_t got = file_.ReadAt(offset_, bytes_.data() + end_, bytes_.size() - end_);
    if (got > 0) {
      end_ += static_cast<size_t>(got);
      offset_ += got;
    }
    return end_ - at_ >= wanted;
  }

  /// By value, so that the window of all others stays in registers.
  [[gnu::noinline]] BitWindow FilledByByte(BitWindow window) {
    while (window.count <= 56 && Has(2)) {
      const uint8_t byte = bytes_[at_];
      if (byte == 0xFF && bytes_[at_ + 1] != 0) break;  // a marker
      at_ += byte == 0xFF ? 2 : 1;
      window.bits |= uint64_t{byte} << (56 - window.count);
      window.count += 8;
    }
    return window;
  }

  const InputFile& file_;
  int64_t offset_;  // in the file, behind what was read
  std::array<uint8_t, size_t{32} << 10> bytes_;
  size_t at_ = 0, end_ = 0;
};

/// One component's share of a minimum coded unit.
struct Component {
  int across = 1, down = 1;  // blocks
  const JpegDcCodes* dc = nullptr;
  const JpegSteps* ac = nullptr;
  bool is_luma = false;
};

class DcScan {
 public:
  DcScan(const jpeg_decompress_struct& info, const InputFile& file, int64_t from)
      : info_(info), file_(file), data_(file, from) {}

  /// False where libjpeg is to look at the file.
  bool Read(PoolArray<uint8_t>& plane) { return SetTables() && ReadUnits(plane) && !EndsInZeros(); }

 private:
  bool SetTables() {
    int blocks = 0;  // of a unit
    for (int i = 0; i < info_.comps_in_scan; ++i) {
      const jpeg_component_info& from = *info_.cur_comp_info[i];
      Component& component = components_[static_cast<size_t>(i)];
      component.dc = CodesOf(dc_, info_.dc_huff_tbl_ptrs, from.dc_tbl_no);
      component.ac = CodesOf(ac_, info_.ac_huff_tbl_ptrs, from.ac_tbl_no);
      const int quantizer = from.quant_tbl_no;
      if (component.dc == nullptr || component.ac == nullptr || quantizer < 0 ||
          quantizer >= NUM_QUANT_TBLS || info_.quant_tbl_ptrs[quantizer] == nullptr)
        return false;
      // The units of a single component are its blocks, whatever its sampling is said to be (A.2.2).
      if (info_.comps_in_scan > 1) {
        component.across = from.h_samp_factor;
        component.down = from.v_samp_factor;
      }
      blocks += component.across * component.down;
      component.is_luma = from.component_index == 0;
      if (component.is_luma) step_ = info_.quant_tbl_ptrs[quantizer]->quantval[0];
    }
    return blocks <= D_MAX_BLOCKS_IN_MCU && step_ > 0 && step_ <= kMostDc;
  }

  /// The table of that number, made where none has asked for it; null where it is missing or makes no sense.
  template <typename Codes>
  static const Codes* CodesOf(std::array<std::unique_ptr<Codes>, NUM_HUFF_TBLS>& made,
                              const JHUFF_TBL* const (&tables)[NUM_HUFF_TBLS], int number) {
    if (number < 0 || number >= NUM_HUFF_TBLS || tables[number] == nullptr) return nullptr;
    std::unique_ptr<Codes>& codes = made[static_cast<size_t>(number)];
    if (codes) return codes.get();
    codes = std::make_unique<Codes>();
    return codes->Set(*tables[number]) ? codes.get() : nullptr;
  }

  bool ReadUnits(PoolArray<uint8_t>& plane) {
    const bool several = info_.comps_in_scan > 1;
    const int64_t width = DivideUp(info_.image_width, DCTSIZE),
                  height = DivideUp(info_.image_height, DCTSIZE);
    const int64_t across = several ? info_.max_h_samp_factor : 1,
                  down = several ? info_.max_v_samp_factor : 1;
    const int64_t columns = DivideUp(width, across), rows = DivideUp(height, down);
    unsigned units_left = info_.restart_interval, restart = 0;
    BitWindow bits;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < columns; ++column) {
        if (info_.restart_interval != 0 && units_left-- == 0) {
          if (!data_.PassMarker(JPEG_RST0 + static_cast<int>(restart++ % 8), bits)) return false;
          units_left = info_.restart_interval - 1;
          luma_dc_ = 0;
        }
        if (!ReadUnit(plane, {column * across, row * down, width, height}, bits)) return false;
      }
    }
    return data_.PassMarker(JPEG_EOI, bits);
  }

  /// Where a unit's first block of luma lies in the plane of that size.
  struct Place {
    int64_t x, y, width, height;
  };

  bool ReadUnit(PoolArray<uint8_t>& plane, const Place& place, BitWindow& bits) {
    for (const Component& component :
         std::span(components_).first(static_cast<size_t>(info_.comps_in_scan))) {
      for (int y = 0; y < component.down; ++y) {
        for (int x = 0; x < component.across; ++x) {
          int difference = 0;
          if (!ReadBlock(component, bits, difference)) return false;
          if (!component.is_luma) continue;
          luma_dc_ += difference;
          const int dc = luma_dc_ * step_;
          if (std::abs(luma_dc_) > kMostDc || std::abs(dc) > kMostDc) return false;
          const int64_t at_x = place.x + x, at_y = place.y + y;
          if (at_x < place.width && at_y < place.height)
            plane[static_cast<size_t>(at_y * place.width + at_x)] = Sample(dc);
        }
      }
    }
    return bits.count >= 0;
  }

  /// As libjpeg's inverse DCT to one sample: an eighth of the coefficient, rounded, around the middle.
  static uint8_t Sample(int dc) { return static_cast<uint8_t>(std::clamp(((dc + 4) >> 3) + 128, 0, 255)); }

  bool ReadBlock(const Component& component, BitWindow& bits, int& difference) {
    data_.Fill(bits);
    const JpegHuffmanCodes::Code dc = component.dc->Find(bits.Peek(16));
    if (dc.length == 0) return false;
    bits.Drop(dc.length);
    if (dc.symbol > 0) {
      difference = static_cast<int>(bits.Peek(dc.symbol));
      // F.2.2.1: a first bit of 0 is a negative number's.
      if (difference < 1 << (dc.symbol - 1)) difference -= (1 << dc.symbol) - 1;
      bits.Drop(dc.symbol);
    }
    return PassAc(*component.ac, bits);
  }

  bool PassAc(const JpegSteps& steps, BitWindow& bits) {
    constexpr int kMostOfCode = 32;  // bits: a code of 16 and a value of 15
    for (int k = 1; k < DCTSIZE2;) {
      if (bits.count < kMostOfCode) data_.Fill(bits);
      JpegSteps::Step step = steps.ManyCodes(bits.Peek(JpegHuffmanCodes::kPeek));
      // Not beyond the block's last coefficient, behind which the next block's codes begin.
      const int next = k + step.coefficients();
      if (next < DCTSIZE2) {
        bits.Drop(step.bits());
        k = next;
        continue;
      }
      const bool ends = next >= JpegSteps::kEnd && next < JpegSteps::kEnd + DCTSIZE2;
      if (!ends || step.bits() == 0) step = steps.OneCode(bits.Peek(16));
      if (step.bits() == 0) return false;
      bits.Drop(step.bits());
      k += step.coefficients();
    }
    return true;
  }

  /// Trailing zeros may stand for rows that were never written.
  bool EndsInZeros() const {
    constexpr uint64_t kMany = 16;
    const auto end = static_cast<uint64_t>(data_.offset() - 2);
    return ZerosAtEnd(file_, 0, end, kMany) == kMany;
  }

  // An eighth of more would be beyond libjpeg's table of samples. A picture's are 1024 at most.
  static constexpr int kMostDc = 4000;

  const jpeg_decompress_struct& info_;
  const InputFile& file_;
  ScanData data_;
  std::array<std::unique_ptr<JpegDcCodes>, NUM_HUFF_TBLS> dc_;
  std::array<std::unique_ptr<JpegSteps>, NUM_HUFF_TBLS> ac_;
  std::array<Component, MAX_COMPS_IN_SCAN> components_{};
  int step_ = 0;
  int luma_dc_ = 0;
};

/// Whether the first component is luma, at full resolution, in one scan with all the others.
bool IsOrdinary(const jpeg_decompress_struct& info) {
  const bool luma = info.jpeg_color_space == JCS_GRAYSCALE || info.jpeg_color_space == JCS_YCbCr;
  if (!luma || info.progressive_mode != 0 || info.arith_code != 0 || info.data_precision != 8 ||
      info.comps_in_scan != info.num_components)
    return false;
  const jpeg_component_info& first = info.comp_info[0];
  return first.h_samp_factor == info.max_h_samp_factor && first.v_samp_factor == info.max_v_samp_factor;
}

}  // namespace

size_t JpegDcPlaneBytes(int64_t width, int64_t height) {
  return static_cast<size_t>(DivideUp(width, DCTSIZE) * DivideUp(height, DCTSIZE));
}

std::optional<PoolArray<uint8_t>> ReadJpegDcPlane(const jpeg_decompress_struct& info, const InputFile& file,
                                                  int64_t from) {
  if (!IsOrdinary(info)) return std::nullopt;
  PoolArray<uint8_t> plane(JpegDcPlaneBytes(info.image_width, info.image_height));
  const auto scan = std::make_unique<DcScan>(info, file, from);
  if (!scan->Read(plane)) return std::nullopt;
  return plane;
}

}  // namespace imgmill
