// Seeded hashes as a folder with many near-duplicates has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace imgmill {

/// One in five hashes lies 0 to 12 bits from an earlier one.
inline std::vector<uint64_t> ClusteredHashes(size_t n) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> hashes(n);
  for (size_t i = 0; i < n; ++i) {
    hashes[i] = random();
    if (i == 0 || random() % 5 != 0) continue;
    hashes[i] = hashes[random() % i];
    for (uint64_t flips = random() % 13; flips > 0; --flips) hashes[i] ^= uint64_t{1} << (random() % 64);
  }
  return hashes;
}

}  // namespace imgmill
