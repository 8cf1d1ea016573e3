// SHA-256 (FIPS 180-4): identifies weight files without a library, in builds that have none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace imgmill {

class Sha256 {
 public:
  /// @param plain  without the processor's own instructions for it
  explicit Sha256(bool plain = false);

  void Update(const void* data, size_t bytes);
  /// 64 hex digits. To be called once, at the end.
  std::string Hex();

 private:
  void (*add_block_)(std::array<uint32_t, 8>& state, const uint8_t* block);
  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending_{};
  uint64_t bytes_ = 0;
};

}  // namespace imgmill
