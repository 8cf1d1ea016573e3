// Where a tar header has its fields, for whoever writes or reads one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace imgmill::tar {

/// Headers are of one block, and contents are padded to whole ones.
inline constexpr uint64_t kBlock = 512;
using Header = std::array<char, kBlock>;

struct Field {
  size_t at, bytes;
};
/// POSIX.1-1988 (ustar).
inline constexpr Field kName{0, 100}, kMode{100, 8}, kOwner{108, 8}, kGroup{116, 8}, kSize{124, 12},
    kTime{136, 12}, kChecksum{148, 8}, kType{156, 1}, kMagic{257, 8}, kPrefix{345, 155};

constexpr uint64_t PaddingOf(uint64_t bytes) {
  return (kBlock - bytes % kBlock) % kBlock;
}

template <typename Byte>
uint64_t SumOf(const Header& header) {
  int64_t sum = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.bytes;
    sum += own ? int64_t{' '} : int64_t{static_cast<Byte>(header[i])};
  }
  return static_cast<uint64_t>(sum);
}
/// The sum of all bytes, with blanks in place of the checksum itself.
inline uint64_t ChecksumOf(const Header& header) {
  return SumOf<unsigned char>(header);
}
inline uint64_t SignedChecksumOf(const Header& header) {
  return SumOf<signed char>(header);
}

}  // namespace imgmill::tar
