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

/// How hashes of 256 bits lie that are scanned, so that one load takes the same part of several: in blocks of
/// eight, the first words of eight hashes, their second words, and so on; or in blocks of 32, byte by byte.
/// Those of 64 bits lie one after the other.
enum class ScanLayout { kWords, kBytes };
inline constexpr size_t kBlockOfWords = 8, kBlockOfBytes = 32;

/// Words that hold `n` hashes in either layout; those of 64 bits need no padding. Hash `i` of a block's first
/// is at word i times those of a hash.
template <typename Hash>
constexpr size_t ScanWords(size_t n) {
  constexpr size_t kWords = kWordsOf<Hash>;
  return kWords == 1 ? n : (n + kBlockOfBytes - 1) / kBlockOfBytes * kBlockOfBytes * kWords;
}
/// Where word `word` of hash `i` is, in blocks of words.
template <typename Hash>
constexpr size_t ScanPlace(size_t i, size_t word) {
  if constexpr (kWordsOf<Hash> == 1) return i;
  return i / kBlockOfWords * kBlockOfWords * kWordsOf<Hash> + word * kBlockOfWords + i % kBlockOfWords;
}
/// Writes hash `i` among those that are scanned, and reads it.
template <typename Hash>
void PutScanned(ScanLayout layout, uint64_t* blocks, size_t i, const Hash& hash);
template <typename Hash>
Hash ScannedAt(ScanLayout layout, const uint64_t* blocks, size_t i);

/// Writes the positions 0..n-1 of the hashes within `radius` of `query` to `hits`, in order.
/// @param blocks  begins with a block where hashes have several words, in the function's layout; padding need
///     not be initialised.
/// @param n     at most kScanRun
/// @param hits  room for kScanRun + 16 positions; what lies beyond the returned count is undefined.
/// @return how many there are
template <typename Hash>
using ScanFunction = size_t (*)(const uint64_t* blocks, size_t n, const Hash& query, int radius,
                                uint32_t* hits);

/// One hash at a time in plain C++, in blocks of words: the oracle of the others.
template <typename Hash>
size_t ScanScalar(const uint64_t* blocks, size_t n, const Hash& query, int radius, uint32_t* hits);

/// From `begin` to before `end` of a list of hashes.
struct HashRun {
  uint32_t begin = 0, end = 0;
};
/// Most runs that one call may be given.
inline constexpr size_t kRunsTogether = 64;
/// After the last hash of a list, so many more are read, whatever they are.
inline constexpr size_t kReadBeyond = 3;
/// Several short runs of hashes of 64 bits: writes the positions in the list of those within `radius`.
/// @param runs  of kScanRun hashes together at most
/// @param hits  as for a ScanFunction
using ScanRunsFunction = size_t (*)(const uint64_t* hashes, const HashRun* runs, size_t count, uint64_t query,
                                    int radius, uint32_t* hits);
size_t ScanRunsScalar(const uint64_t* hashes, const HashRun* runs, size_t count, uint64_t query, int radius,
                      uint32_t* hits);
ScanRunsFunction BestScanRuns();

/// One of them, by name.
template <typename Hash>
struct NamedScan {
  std::string_view name;
  ScanFunction<Hash> function;
  ScanLayout layout = ScanLayout::kWords;
};
/// The fastest one that this machine can run.
template <typename Hash>
NamedScan<Hash> BestScan();

/// The same of hashes that lie one after the other, at `places` among them: positions 0..n-1 in `places`.
using PickFunction = size_t (*)(const Hash256* hashes, const uint32_t* places, size_t n, const Hash256& query,
                                int radius, uint32_t* hits);
size_t PickScalar(const Hash256* hashes, const uint32_t* places, size_t n, const Hash256& query, int radius,
                  uint32_t* hits);
/// By the popcnt instruction where there is one: cache misses leave nothing to gain by vectors.
PickFunction BestPick();

/// All that this machine can run, for tests and benchmarks.
template <typename Hash>
std::vector<NamedScan<Hash>> AvailableScans();

/// What BestScan gives from now on, to measure what a lesser machine would do. Before any search.
/// @return false if this machine cannot run it
bool ChooseScan(std::string_view name);

}  // namespace imgmill
