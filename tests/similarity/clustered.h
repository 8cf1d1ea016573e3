// Hashes that form groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace imgmill {

/// A few centres, many near them, some equal: groups overlap, so that the order decides.
/// @param most_flips  bits in which a hash may differ from an earlier one that it is near
inline std::vector<uint64_t> Clustered(size_t n, uint64_t seed, uint64_t most_flips) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < n; ++i) {
    uint64_t hash = random();
    if (i > 0 && random() % 4 != 0) {
      hash = hashes[random() % i];
      for (uint64_t flips = random() % (most_flips + 1); flips > 0; --flips) {
        hash ^= uint64_t{1} << (random() % 64);
      }
    }
    hashes.push_back(hash);
  }
  return hashes;
}

}  // namespace imgmill
