// 256 bits of an image's hash, and what searches ask of hashes of either length.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace imgmill {

/// Bit k of the hash is bit k % 64 of word k / 64.
using Hash256 = std::array<uint64_t, 4>;

/// The words of a hash of 64 or 256 bits.
constexpr const uint64_t* WordsOf(const uint64_t& hash) {
  return &hash;
}
constexpr const uint64_t* WordsOf(const Hash256& hash) {
  return hash.data();
}
template <typename Hash>
inline constexpr size_t kWordsOf = sizeof(Hash) / sizeof(uint64_t);

/// In how many bits two hashes differ.
constexpr int BitsApart(uint64_t a, uint64_t b) {
  return std::popcount(a ^ b);
}
constexpr int BitsApart(const Hash256& a, const Hash256& b) {
  int bits = 0;
  for (size_t w = 0; w < a.size(); ++w) bits += std::popcount(a[w] ^ b[w]);
  return bits;
}

}  // namespace imgmill
