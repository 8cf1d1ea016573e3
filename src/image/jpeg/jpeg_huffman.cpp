// Tables are made for each image: ranges are filled, not searched, since that must cost less than they save.
#include "jpeg_huffman.h"

#include <algorithm>
#include <numeric>

namespace imgmill {

bool JpegHuffmanCodes::Set(const JHUFF_TBL& table) {
  short_.fill({});
  std::copy_n(table.huffval, symbols_.size(), symbols_.begin());
  uint32_t code = 0;
  int place = 0;
  for (int length = 1; length <= 16; ++length, code <<= 1) {
    const int count = table.bits[length];
    // No code is all ones (C.2).
    if (place + count > 256 || code + static_cast<uint32_t>(count) >= 1U << length) return false;
    offset_[static_cast<size_t>(length)] = place - static_cast<int32_t>(code);
    for (int i = 0; i < count; ++i, ++code, ++place) {
      if (length > kPeek) continue;
      const uint32_t first = code << (kPeek - length), all = 1U << (kPeek - length);
      std::fill_n(short_.begin() + first, all, Code{static_cast<uint8_t>(length), table.huffval[place]});
    }
    end_[static_cast<size_t>(length)] = code << (16 - length);
  }
  return true;
}

JpegHuffmanCodes::Code JpegHuffmanCodes::FindLong(uint32_t bits) const {
  for (size_t length = kPeek + 1; length <= 16; ++length) {
    if (bits >= end_[length]) continue;
    const auto place = static_cast<int32_t>(bits >> (16 - length)) + offset_[length];
    return {static_cast<uint8_t>(length), symbols_[static_cast<size_t>(place)]};
  }
  return {};
}

bool JpegDcCodes::Set(const JHUFF_TBL& table) {
  const int symbols = std::accumulate(table.bits + 1, table.bits + 17, 0);
  return codes_.Set(table) &&
         std::all_of(table.huffval, table.huffval + symbols, [](int symbol) { return symbol <= 15; });
}

bool JpegSteps::Set(const JHUFF_TBL& table) {
  if (!codes_.Set(table)) return false;
  constexpr int kPeek = JpegHuffmanCodes::kPeek;
  constexpr uint32_t kMask = (1U << kPeek) - 1;
  for (uint32_t bits = 0; bits <= kMask; ++bits) {
    int used = 0, coefficients = 0;
    while (used < kPeek && coefficients < kEnd) {
      const JpegHuffmanCodes::Code code = codes_.FindShort(bits << used & kMask);
      if (code.length == 0 || used + code.length > kPeek) break;
      const Step one = Meaning(code);
      used += one.bits();
      coefficients += one.coefficients();
    }
    far_[bits] = used == 0 ? Step() : Step(used, coefficients);
  }
  return true;
}

}  // namespace imgmill
