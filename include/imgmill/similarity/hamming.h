// All pairs of 64-bit hashes within a Hamming distance: the scalar oracle and the fast search.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace imgmill {

struct HammingPair {
  uint32_t a = 0;  ///< index, a < b
  uint32_t b = 0;
  int distance = 0;
  auto operator<=>(const HammingPair&) const = default;
};

/// Every pair, one by one. Slow, obviously right: the oracle of PairsWithin.
std::vector<HammingPair> PairsWithinScalar(std::span<const uint64_t> hashes, int radius);

/// The same pairs, in order of (a, b), given to `sink` in blocks, on `threads` threads; the sink is called
/// from one thread at a time, in order. Exact at every radius 0..64.
void PairsWithin(std::span<const uint64_t> hashes, int radius, int threads,
                 const std::function<void(std::span<const HammingPair>)>& sink);

}  // namespace imgmill
