// Scan kernels for plain C++, the popcnt instruction, AVX2 and AVX-512, chosen once at run time.
#include "similarity/hamming_scan.h"

#include <bit>
#include <cstring>

#include "similarity/hamming_byte_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace imgmill {
namespace {

/// Words of 256 bits after which most strangers are known to be too far away, so that the others need not be
/// loaded: of n bits, n / 2 +- sqrt(n) / 2 of theirs differ.
constexpr size_t FirstWords(int radius) {
  return radius < 12 ? 1 : radius < 44 ? 2 : radius < 84 ? 3 : 4;
}

}  // namespace

template <typename Hash>
void PutScanned(ScanLayout layout, uint64_t* blocks, size_t i, const Hash& hash) {
  if (layout == ScanLayout::kWords || kWordsOf<Hash> == 1) {
    for (size_t w = 0; w < kWordsOf<Hash>; ++w) blocks[ScanPlace<Hash>(i, w)] = WordsOf(hash)[w];
    return;
  }
  auto* const at = reinterpret_cast<uint8_t*>(blocks) + i / kBlockOfBytes * kBlockOfBytes * sizeof(Hash) +
                   i % kBlockOfBytes;
  for (size_t b = 0; b < sizeof(Hash); ++b)
    at[b * kBlockOfBytes] = static_cast<uint8_t>(WordsOf(hash)[b / 8] >> (b % 8 * 8));
}

template <typename Hash>
Hash ScannedAt(ScanLayout layout, const uint64_t* blocks, size_t i) {
  uint64_t words[kWordsOf<Hash>] = {};
  if (layout == ScanLayout::kWords || kWordsOf<Hash> == 1) {
    for (size_t w = 0; w < kWordsOf<Hash>; ++w) words[w] = blocks[ScanPlace<Hash>(i, w)];
  } else {
    const auto* const at = reinterpret_cast<const uint8_t*>(blocks) +
                           i / kBlockOfBytes * kBlockOfBytes * sizeof(Hash) + i % kBlockOfBytes;
    for (size_t b = 0; b < sizeof(Hash); ++b) words[b / 8] |= uint64_t{at[b * kBlockOfBytes]} << (b % 8 * 8);
  }
  Hash hash;
  std::memcpy(&hash, words, sizeof hash);
  return hash;
}

template <typename Hash>
size_t ScanScalar(const uint64_t* blocks, size_t n, const Hash& query, int radius, uint32_t* hits) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    int bits = 0;
    for (size_t w = 0; w < kWordsOf<Hash>; ++w)
      bits += std::popcount(blocks[ScanPlace<Hash>(i, w)] ^ WordsOf(query)[w]);
    if (bits <= radius) hits[found++] = static_cast<uint32_t>(i);
  }
  return found;
}

size_t ScanRunsScalar(const uint64_t* hashes, const HashRun* runs, size_t count, uint64_t query, int radius,
                      uint32_t* hits) {
  size_t found = 0;
  for (size_t r = 0; r < count; ++r) {
    for (uint32_t i = runs[r].begin; i < runs[r].end; ++i) {
      if (std::popcount(hashes[i] ^ query) <= radius) hits[found++] = i;
    }
  }
  return found;
}

size_t PickScalar(const Hash256* hashes, const uint32_t* places, size_t n, const Hash256& query, int radius,
                  uint32_t* hits) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    if (BitsApart(hashes[places[i]], query) <= radius) hits[found++] = static_cast<uint32_t>(i);
  }
  return found;
}

#if defined(__x86_64__)
namespace {

// Without a branch: the hit is always written and only sometimes counted, since in a bucket of near
// neighbours a branch would be mispredicted at random.
template <typename Hash>
__attribute__((target("popcnt"))) size_t ScanPopcnt(const uint64_t* blocks, size_t n, const Hash& query,
                                                    int radius, uint32_t* hits, size_t first = 0,
                                                    size_t found = 0) {
  for (size_t i = first; i < n; ++i) {
    int64_t bits = 0;
    for (size_t w = 0; w < kWordsOf<Hash>; ++w)
      bits += _mm_popcnt_u64(blocks[ScanPlace<Hash>(i, w)] ^ WordsOf(query)[w]);
    hits[found] = static_cast<uint32_t>(i);
    found += bits <= radius ? 1 : 0;
  }
  return found;
}

template <typename Hash>
__attribute__((target("popcnt"))) size_t ScanByPopcnt(const uint64_t* blocks, size_t n, const Hash& query,
                                                      int radius, uint32_t* hits) {
  return ScanPopcnt(blocks, n, query, radius, hits);
}

__attribute__((target("popcnt"))) size_t PickPopcnt(const Hash256* hashes, const uint32_t* places, size_t n,
                                                    const Hash256& query, int radius, uint32_t* hits) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    const Hash256& hash = hashes[places[i]];
    int64_t bits = _mm_popcnt_u64(hash[0] ^ query[0]) + _mm_popcnt_u64(hash[1] ^ query[1]);
    if (bits > radius) continue;  // as nearly all are
    bits += _mm_popcnt_u64(hash[2] ^ query[2]) + _mm_popcnt_u64(hash[3] ^ query[3]);
    hits[found] = static_cast<uint32_t>(i);
    found += bits <= radius ? 1 : 0;
  }
  return found;
}

inline size_t PutHits(unsigned within, size_t first, uint32_t* hits, size_t found) {
  while (within != 0) {
    hits[found++] = static_cast<uint32_t>(first) + static_cast<uint32_t>(std::countr_zero(within));
    within &= within - 1;
  }
  return found;
}

// Bit counts of nibbles by table look-up, byte by byte (Mula, Kurz and Lemire, "Faster population counts
// using AVX2 instructions", 2016).
__attribute__((target("avx2"))) inline __m256i BytesApart(const uint64_t* words, uint64_t wanted) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                         0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_nibbles = _mm256_set1_epi8(0x0f);
  const __m256i x = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(words)),
                                     _mm256_set1_epi64x(static_cast<long long>(wanted)));
  const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, low_nibbles));
  const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi32(x, 4), low_nibbles));
  return _mm256_add_epi8(low, high);
}

// Which of four hashes are within the radius, by sums of bytes: a bit each.
__attribute__((target("avx2"))) inline unsigned FourWithin(__m256i bytes, __m256i limit) {
  const __m256i count = _mm256_sad_epu8(bytes, _mm256_setzero_si256());
  return ~static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(count, limit)))) &
         0xfu;
}

__attribute__((target("avx2,popcnt"))) size_t ScanAvx2(const uint64_t* hashes, size_t n,
                                                       const uint64_t& query, int radius, uint32_t* hits) {
  const __m256i limit = _mm256_set1_epi64x(radius);
  size_t found = 0;
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    found = PutHits(FourWithin(BytesApart(hashes + i, query), limit), i, hits, found);
  return ScanPopcnt(hashes, n, query, radius, hits, i, found);
}

__attribute__((target("avx2"))) size_t ScanRunsAvx2(const uint64_t* hashes, const HashRun* runs, size_t count,
                                                    uint64_t query, int radius, uint32_t* hits) {
  const __m256i limit = _mm256_set1_epi64x(radius);
  size_t found = 0;
  for (size_t r = 0; r < count; ++r) {
    const uint32_t end = runs[r].end;
    for (uint32_t i = runs[r].begin; i < end; i += 4) {
      unsigned within = FourWithin(BytesApart(hashes + i, query), limit);
      if (within == 0) continue;
      if (end - i < 4) within &= (1u << (end - i)) - 1u;
      found = PutHits(within, i, hits, found);
    }
  }
  return found;
}

template <typename Hash, size_t kFirst>
__attribute__((target("avx512f,avx512vpopcntdq,popcnt"))) size_t ScanAvx512After(const uint64_t* blocks,
                                                                                 size_t n, const Hash& query,
                                                                                 int radius, uint32_t* hits) {
  constexpr size_t kWords = kWordsOf<Hash>;
  const uint64_t* const wanted = WordsOf(query);
  const __m512i limit = _mm512_set1_epi64(radius);
  size_t found = 0;
  for (size_t i = 0; i < n; i += kBlockOfWords) {
    const size_t left = n - i;
    const __mmask8 valid = left >= 8 ? __mmask8{0xff} : static_cast<__mmask8>((1u << left) - 1u);
    const uint64_t* const words = blocks + i * kWords;
    __m512i count = _mm512_setzero_si512();
    for (size_t w = 0; w < kFirst; ++w) {
      const __m512i x = _mm512_xor_si512(_mm512_maskz_loadu_epi64(valid, words + w * kBlockOfWords),
                                         _mm512_set1_epi64(static_cast<long long>(wanted[w])));
      count = _mm512_add_epi64(count, _mm512_popcnt_epi64(x));
    }
    __mmask8 within = _mm512_mask_cmple_epi64_mask(valid, count, limit);
    if constexpr (kFirst < kWords) {
      if (within == 0) continue;
      for (size_t w = kFirst; w < kWords; ++w) {
        const __m512i x = _mm512_xor_si512(_mm512_maskz_loadu_epi64(within, words + w * kBlockOfWords),
                                           _mm512_set1_epi64(static_cast<long long>(wanted[w])));
        count = _mm512_add_epi64(count, _mm512_popcnt_epi64(x));
      }
      within = _mm512_mask_cmple_epi64_mask(within, count, limit);
    }
    found = PutHits(within, i, hits, found);
  }
  return found;
}

template <typename Hash>
size_t ScanAvx512(const uint64_t* blocks, size_t n, const Hash& query, int radius, uint32_t* hits) {
  if constexpr (kWordsOf < Hash >> 1) {
    switch (FirstWords(radius)) {
      case 2:
        return ScanAvx512After<Hash, 2>(blocks, n, query, radius, hits);
      case 3:
        return ScanAvx512After<Hash, 3>(blocks, n, query, radius, hits);
      case 4:
        return ScanAvx512After<Hash, 4>(blocks, n, query, radius, hits);
    }
  }
  return ScanAvx512After<Hash, 1>(blocks, n, query, radius, hits);
}

}  // namespace
#endif

template <typename Hash>
std::vector<NamedScan<Hash>> AvailableScans() {
  std::vector<NamedScan<Hash>> scans = {{"scalar", &ScanScalar<Hash>}};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("popcnt")) scans.push_back({"popcnt", &ScanByPopcnt<Hash>});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt")) {
    if constexpr (kWordsOf<Hash> == 1) {
      scans.push_back({"avx2", &ScanAvx2});
    } else {
      scans.push_back({"avx2", &ScanBytesAvx2, ScanLayout::kBytes});
    }
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq")) {
    scans.push_back({"avx512vpopcntdq", &ScanAvx512<Hash>});
  }
#endif
  return scans;
}

namespace {

template <typename Hash>
NamedScan<Hash>& Chosen() {
  static NamedScan<Hash> chosen = AvailableScans<Hash>().back();
  return chosen;
}

template <typename Hash>
bool Choose(std::string_view name) {
  for (const NamedScan<Hash>& scan : AvailableScans<Hash>()) {
    if (scan.name != name) continue;
    Chosen<Hash>() = scan;
    return true;
  }
  return false;
}

}  // namespace

template <typename Hash>
NamedScan<Hash> BestScan() {
  return Chosen<Hash>();
}

ScanRunsFunction BestScanRuns() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) return &ScanRunsAvx2;
#endif
  return &ScanRunsScalar;
}

PickFunction BestPick() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("popcnt")) return &PickPopcnt;
#endif
  return &PickScalar;
}

bool ChooseScan(std::string_view name) {
  return Choose<uint64_t>(name) && Choose<Hash256>(name);
}

template size_t ScanScalar<uint64_t>(const uint64_t*, size_t, const uint64_t&, int, uint32_t*);
template size_t ScanScalar<Hash256>(const uint64_t*, size_t, const Hash256&, int, uint32_t*);
template std::vector<NamedScan<uint64_t>> AvailableScans<uint64_t>();
template std::vector<NamedScan<Hash256>> AvailableScans<Hash256>();
template NamedScan<uint64_t> BestScan<uint64_t>();
template NamedScan<Hash256> BestScan<Hash256>();
template void PutScanned<uint64_t>(ScanLayout, uint64_t*, size_t, const uint64_t&);
template void PutScanned<Hash256>(ScanLayout, uint64_t*, size_t, const Hash256&);
template uint64_t ScannedAt<uint64_t>(ScanLayout, const uint64_t*, size_t);
template Hash256 ScannedAt<Hash256>(ScanLayout, const uint64_t*, size_t);

}  // namespace imgmill
