// The inner loop of every Hamming search: which of a run of hashes lie within a radius of one hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "imgmill/base/hash256.h"

namespace imgmill {

/// Longest run that one call may be given, so that its hits fit a buffer on the stack.
inline constexpr size_t kScanRun = 1024;

/// Hashes of 256 bits lie in blocks of so many that are scanned: the first bytes of all of them, their second
/// bytes, and so on, so that one load takes the same byte of several. Those of 64 bits lie one after the
/// other.
inline constexpr size_t kScanBlock = 64;
/// After the last hash of 64 bits of a list, so many more are read, whatever they are.
inline constexpr size_t kReadBeyond = 7;

/// Words that hold `n` hashes that are scanned. Hash `i` of a block's first is at word i times those of a
/// hash.
template <typename Hash>
constexpr size_t ScanWords(size_t n) {
  if constexpr (kWordsOf<Hash> == 1) return n + kReadBeyond;
  return (n + kScanBlock - 1) / kScanBlock * kScanBlock * kWordsOf<Hash>;
}

/// Byte 0 of hash `i`; the next ones follow at distances of kScanBlock.
inline const uint8_t* ScannedBytes(const uint64_t* blocks, size_t i) {
  return reinterpret_cast<const uint8_t*>(blocks) + i / kScanBlock * kScanBlock * sizeof(Hash256) +
         i % kScanBlock;
}
/// Byte `b` of a hash, the lowest of the first word first.
inline uint8_t ByteOf(const Hash256& hash, size_t b) {
  return static_cast<uint8_t>(hash[b / 8] >> (b % 8 * 8));
}

/// Writes hash `i` among those that are scanned, and reads it.
template <typename Hash>
void PutScanned(uint64_t* blocks, size_t i, const Hash& hash) {
  if constexpr (kWordsOf<Hash> == 1) {
    blocks[i] = hash;
  } else {
    auto* const bytes = const_cast<uint8_t*>(ScannedBytes(blocks, i));
    for (size_t b = 0; b < sizeof hash; ++b) bytes[b * kScanBlock] = ByteOf(hash, b);
  }
}
template <typename Hash>
Hash ScannedAt(const uint64_t* blocks, size_t i) {
  if constexpr (kWordsOf<Hash> == 1) {
    return blocks[i];
  } else {
    Hash hash{};
    for (size_t b = 0; b < sizeof hash; ++b)
      hash[b / 8] |= uint64_t{ScannedBytes(blocks, i)[b * kScanBlock]} << (b % 8 * 8);
    return hash;
  }
}

/// Writes the positions 0..n-1 of the hashes within `radius` of `query` to `hits`, in order.
/// @param blocks  ScanWords of them; begins with a block where hashes have several words. Padding need not be
///     initialised.
/// @param n     at most kScanRun
/// @param hits  room for kScanRun + 16 positions; what lies beyond the returned count is undefined.
/// @return how many there are
template <typename Hash>
using ScanFunction = size_t (*)(const uint64_t* blocks, size_t n, const Hash& query, int radius,
                                uint32_t* hits);

/// From `begin` to before `end` of a list of hashes.
struct HashRun {
  uint32_t begin = 0, end = 0;
};
/// Most runs that one call may be given.
inline constexpr size_t kRunsTogether = 64;
/// Several short runs of hashes of 64 bits: writes the positions in the list of those within `radius`.
/// @param hashes  followed by kReadBeyond more
/// @param runs  of kScanRun hashes together at most
/// @param hits  as for a ScanFunction
using ScanRunsFunction = size_t (*)(const uint64_t* hashes, const HashRun* runs, size_t count, uint64_t query,
                                    int radius, uint32_t* hits);

/// The same of hashes that lie one after the other, at `places` among them: positions 0..n-1 in `places`.
using PickFunction = size_t (*)(const Hash256* hashes, const uint32_t* places, size_t n, const Hash256& query,
                                int radius, uint32_t* hits);

/// All of them for one instruction set, by Highway's name for it.
struct HammingKernels {
  std::string_view name;
  ScanFunction<uint64_t> scan_64;
  ScanFunction<Hash256> scan_256;
  ScanRunsFunction scan_runs;
  PickFunction pick;

  ScanFunction<uint64_t> ScanOf(uint64_t) const { return scan_64; }
  ScanFunction<Hash256> ScanOf(const Hash256&) const { return scan_256; }
};
/// Those for the best that this machine has.
const HammingKernels& BestHammingKernels();

/// All that this machine can run, the best first: for tests and benchmarks.
std::vector<HammingKernels> AvailableHammingKernels();

/// What BestHammingKernels gives from now on, to measure what a lesser machine would do. Before any search.
/// @return false if this machine cannot run it
bool ChooseHammingKernels(std::string_view name);

}  // namespace imgmill
