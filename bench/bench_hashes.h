// Seeded hashes as a folder with many near-duplicates has them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "imgmill/base/hash256.h"

namespace imgmill {

/// Hashes of so many words: one in five lies 0 to 12 bits from an earlier one, or 0 to 40 where hashes have
/// 256.
inline void FillClustered(std::span<uint64_t> words, size_t hash_words) {
  std::mt19937_64 random(1);
  for (size_t i = 0; i < words.size() / hash_words; ++i) {
    uint64_t* const hash = words.data() + i * hash_words;
    for (size_t w = 0; w < hash_words; ++w) hash[w] = random();
    if (i == 0 || random() % 5 != 0) continue;
    std::copy_n(words.data() + random() % i * hash_words, hash_words, hash);
    for (uint64_t flips = random() % (hash_words == 1 ? 13 : 41); flips > 0; --flips) {
      const uint64_t bit = random() % (64 * hash_words);
      hash[bit / 64] ^= uint64_t{1} << (bit % 64);
    }
  }
}

/// Puts 50,000 equal hashes, and 20,000 that lie up to 5 bits from another one, in the places of others.
inline void AddDense(std::span<uint64_t> hashes) {
  std::mt19937_64 random(2);
  const uint64_t equal = random(), middle = random();
  for (size_t i = 0; i < 70'000 && !hashes.empty(); ++i) {
    uint64_t& hash = hashes[random() % hashes.size()];
    hash = i < 50'000 ? equal : middle;
    for (uint64_t flips = i < 50'000 ? 0 : random() % 6; flips > 0; --flips)
      hash ^= uint64_t{1} << (random() % 64);
  }
}

template <typename Hash = uint64_t>
std::vector<Hash> ClusteredHashes(size_t n) {
  std::vector<uint64_t> words(n * kWordsOf<Hash>);
  FillClustered(words, kWordsOf<Hash>);
  std::vector<Hash> hashes(n);
  if (n > 0) std::memcpy(hashes.data(), words.data(), n * sizeof(Hash));
  return hashes;
}

}  // namespace imgmill
