// Thirty-two hashes at once, a byte of each after the other.
#include "similarity/hamming_byte_scan.h"

#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>

namespace imgmill {
namespace {

constexpr size_t kTogether = kBlockOfBytes;
constexpr size_t kBytes = sizeof(Hash256);

/// Bytes after which hardly any of 32 strangers can still be near: of n bits, n / 2 +- sqrt(n) / 2 of theirs
/// differ, and 3.4 times that deviation leaves one block in a hundred. Three are added at a time.
size_t FirstBytes(int radius) {
  size_t bytes = 3;
  for (; bytes + 3 < kBytes; bytes += 3) {
    const int beyond = static_cast<int>(4 * bytes) - radius;
    if (beyond > 0 && 100 * beyond * beyond >= 2312 * static_cast<int>(bytes)) break;
  }
  return bytes;
}

// Bit counts of nibbles by table look-up (Mula, Kurz and Lemire, "Faster population counts using AVX2
// instructions", 2016).
__attribute__((target("avx2"))) inline __m256i BitsOfBytes(__m256i bytes) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                         0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_nibbles = _mm256_set1_epi8(0x0f);
  const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(bytes, low_nibbles));
  const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_nibbles));
  return _mm256_add_epi8(low, high);
}

__attribute__((target("avx2"))) inline __m256i Load(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

/// Which of 32 counts are within the limit: a bit each.
__attribute__((target("avx2"))) inline unsigned Within(__m256i counts, __m256i limit) {
  return static_cast<unsigned>(
      _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(counts, limit), counts)));
}

}  // namespace

__attribute__((target("avx2"))) size_t ScanBytesAvx2(const uint64_t* blocks, size_t n, const Hash256& query,
                                                     int radius, uint32_t* hits) {
  size_t found = 0;
  if (radius >= 255) {  // more than a byte can count
    for (size_t i = 0; i < n; ++i) {
      if (BitsApart(ScannedAt<Hash256>(ScanLayout::kBytes, blocks, i), query) <= radius)
        hits[found++] = static_cast<uint32_t>(i);
    }
    return found;
  }
  const size_t first_bytes = FirstBytes(radius);
  const __m256i limit = _mm256_set1_epi8(static_cast<char>(radius));
  __m256i wanted[kBytes];
  for (size_t b = 0; b < kBytes; ++b)
    wanted[b] = _mm256_set1_epi8(static_cast<char>(query[b / 8] >> (b % 8 * 8) & 0xff));
  for (size_t i = 0; i < n; i += kTogether) {
    const auto* const block = reinterpret_cast<const uint8_t*>(blocks + i * kWordsOf<Hash256>);
    const auto apart = [&](size_t b) __attribute__((target("avx2"), always_inline)) {
      return _mm256_xor_si256(wanted[b], Load(block + b * kTogether));
    };
    // Three bytes as two of sums and carries, which cost five operations and save a count of seven.
    __m256i ones = _mm256_setzero_si256(), twos = _mm256_setzero_si256();
    for (size_t b = 0; b < first_bytes; b += 3) {
      const __m256i x = apart(b), y = apart(b + 1), z = apart(b + 2);
      const __m256i odd = _mm256_xor_si256(x, y);
      ones = _mm256_add_epi8(ones, BitsOfBytes(_mm256_xor_si256(odd, z)));
      const __m256i carries = _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(odd, z));
      twos = _mm256_add_epi8(twos, BitsOfBytes(carries));
    }
    __m256i counts = _mm256_add_epi8(ones, _mm256_add_epi8(twos, twos));
    if (Within(counts, limit) == 0) continue;
    // 256 bits may differ: counts stay at 255.
    for (size_t b = first_bytes; b < kBytes; ++b) counts = _mm256_adds_epu8(counts, BitsOfBytes(apart(b)));
    unsigned within = Within(counts, limit);
    if (n - i < kTogether) within &= (1u << (n - i)) - 1u;
    for (; within != 0; within &= within - 1)
      hits[found++] = static_cast<uint32_t>(i) + static_cast<uint32_t>(std::countr_zero(within));
  }
  return found;
}

}  // namespace imgmill

#endif
