// Seeded hashes as a folder with many near-duplicates has them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "imgmill/base/hash256.h"

namespace imgmill {

/// One in five hashes lies 0 to 12 bits from an earlier one, or 0 to 40 where hashes have 256.
template <typename Hash = uint64_t>
std::vector<Hash> ClusteredHashes(size_t n) {
  constexpr size_t kWords = kWordsOf<Hash>;
  std::mt19937_64 random(1);
  // In words, so that hashes of either length are made by the same lines.
  std::vector<uint64_t> words(n * kWords);
  for (size_t i = 0; i < n; ++i) {
    uint64_t* const hash = words.data() + i * kWords;
    for (size_t w = 0; w < kWords; ++w) hash[w] = random();
    if (i == 0 || random() % 5 != 0) continue;
    const uint64_t* const earlier = words.data() + random() % i * kWords;
    std::copy_n(earlier, kWords, hash);
    for (uint64_t flips = random() % (kWords == 1 ? 13 : 41); flips > 0; --flips) {
      const uint64_t bit = random() % (64 * kWords);
      hash[bit / 64] ^= uint64_t{1} << (bit % 64);
    }
  }
  std::vector<Hash> hashes(n);
  std::memcpy(hashes.data(), words.data(), n * sizeof(Hash));
  return hashes;
}

}  // namespace imgmill
