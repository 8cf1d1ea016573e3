// All pairs of hashes, of 64 or 256 bits, within a Hamming distance: the scalar oracle and the fast search.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "imgmill/base/hash256.h"
#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {

struct HammingPair {
  uint32_t a = 0;  ///< index, a < b
  uint32_t b = 0;
  int distance = 0;
  auto operator<=>(const HammingPair&) const = default;
};

/// Every pair, one by one. Slow, obviously right: the oracle of PairsWithin.
std::vector<HammingPair> PairsWithinScalar(std::span<const uint64_t> hashes, int radius);
std::vector<HammingPair> PairsWithinScalar(std::span<const Hash256> hashes, int radius);

/// Gives `sink` all pairs in order of (a, b), in blocks that are never empty. Exact at every radius.
/// `sink` is called from the calling thread; `threads` (1 or more) search meanwhile.
///
/// Memory: HammingIndexBytes() plus 12 bytes times (n + 65,536) a thread, from the current pool, however many
/// pairs there are.
/// @param hashes  at most 2^32 - 1 of them.
/// @return kInterrupted when `stop` asked for it; pairs given so far are right, the rest is missing.
/// @throws OutOfMemory
Status PairsWithin(std::span<const uint64_t> hashes, int radius, int threads, const StopFlag& stop,
                   const std::function<void(std::span<const HammingPair>)>& sink);
Status PairsWithin(std::span<const Hash256> hashes, int radius, int threads, const StopFlag& stop,
                   const std::function<void(std::span<const HammingPair>)>& sink);

/// Bytes that the search structure for `n` hashes takes from the current pool: about 12 to 60 a hash of 64
/// bits, and 36 to 120 of 256.
template <typename Hash = uint64_t>
size_t HammingIndexBytes(size_t n, int radius);

}  // namespace imgmill
