// Huffman codes of a JPEG's scan, for a reader that steps over coefficients without wanting their values.
#pragma once

#include <array>
#include <cstdint>

#include "jpeg_api.h"

namespace imgmill {

/// One table of codes (ITU-T T.81, annex C and F.2.2.3).
class JpegHuffmanCodes {
 public:
  /// Bits by which the codes that an image is made of are found at once.
  static constexpr int kPeek = 12;

  struct Code {
    uint8_t length = 0;  ///< bits; 0 where there is no such code
    uint8_t symbol = 0;
  };

  /// @return false where no encoder writes such a table; codes are then not to be asked for.
  bool Set(const JHUFF_TBL& table);

  /// The code that the 16 bits begin with.
  Code Find(uint32_t bits) const {
    const Code code = short_[bits >> (16 - kPeek)];
    return code.length != 0 ? code : FindLong(bits);
  }
  /// The same of kPeek bits; none where they are not the whole code.
  Code FindShort(uint32_t bits) const { return short_[bits]; }

 private:
  Code FindLong(uint32_t bits) const;

  std::array<Code, size_t{1} << kPeek> short_;
  std::array<uint8_t, 256> symbols_;
  std::array<uint32_t, 17> end_;    // of the codes of a length, as 16 bits: the first that is none of them
  std::array<int32_t, 17> offset_;  // from a code of a length to its symbol's place
};

/// Of DC coefficients: a symbol is the number of bits of the difference that follows it, at most 15.
class JpegDcCodes {
 public:
  bool Set(const JHUFF_TBL& table);
  JpegHuffmanCodes::Code Find(uint32_t bits) const { return codes_.Find(bits); }

 private:
  JpegHuffmanCodes codes_;
};

/// Of the AC coefficients of a block: how far a few bits lead at once, the values of the coefficients, which
/// nobody wants, included.
class JpegSteps {
 public:
  /// Two bytes, since the tables are to stay in the fastest cache.
  class Step {
   public:
    constexpr Step() = default;
    constexpr Step(int bits, int coefficients) : packed_(static_cast<uint16_t>(coefficients << 6 | bits)) {}
    /// Codes and values; 0 where there is no such code, or where it is not known yet.
    int bits() const { return packed_ & 63; }
    /// Places that the block comes forward by: kEnd and more where the last code ends it, and where there is
    /// no code.
    int coefficients() const { return packed_ >> 6; }

   private:
    uint16_t packed_ = kEnd << 6;
  };
  static constexpr int kEnd = 256;

  bool Set(const JHUFF_TBL& table);
  /// From the next kPeek bits, as far as whole codes go.
  Step ManyCodes(uint32_t bits) const { return far_[bits]; }
  /// From the next 16 bits, by one code.
  Step OneCode(uint32_t bits) const { return Meaning(codes_.Find(bits)); }

 private:
  /// T.81, F.2.2.2: zeros before a coefficient and the bits of its value; 15 and none are 16 zeros, and else
  /// none is the end.
  static Step Meaning(JpegHuffmanCodes::Code code) {
    if (code.length == 0) return {};
    const int zeros = code.symbol >> 4, value = code.symbol & 15;
    return {code.length + value, value == 0 && zeros != 15 ? kEnd : zeros + 1};
  }

  JpegHuffmanCodes codes_;
  std::array<Step, size_t{1} << JpegHuffmanCodes::kPeek> far_;
};

}  // namespace imgmill
