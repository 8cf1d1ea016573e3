// Scan kernels for plain C++, the popcnt instruction, AVX2 and AVX-512, chosen once at run time.
#include "similarity/hamming_scan.h"

#include <array>
#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace imgmill {

size_t ScanScalar(const uint64_t* hashes, size_t n, uint64_t query, int radius, uint32_t* hits) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    if (std::popcount(hashes[i] ^ query) <= radius) hits[found++] = static_cast<uint32_t>(i);
  }
  return found;
}

#if defined(__x86_64__)
namespace {

// Without a branch: the hit is always written and only sometimes counted, since in a bucket of near
// neighbours a branch would be mispredicted at random.
__attribute__((target("popcnt"))) size_t ScanPopcnt(const uint64_t* hashes, size_t n, uint64_t query,
                                                    int radius, uint32_t* hits) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    hits[found] = static_cast<uint32_t>(i);
    found += _mm_popcnt_u64(hashes[i] ^ query) <= radius ? 1 : 0;
  }
  return found;
}

// Bit counts of nibbles by table look-up, summed a 64-bit lane (Mula, Kurz and Lemire, "Faster population
// counts using AVX2 instructions", 2016).
__attribute__((target("avx2,popcnt"))) size_t ScanAvx2(const uint64_t* hashes, size_t n, uint64_t query,
                                                       int radius, uint32_t* hits) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                         0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_nibbles = _mm256_set1_epi8(0x0f);
  const __m256i wanted = _mm256_set1_epi64x(static_cast<long long>(query));
  const __m256i limit = _mm256_set1_epi64x(radius);
  size_t found = 0;
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const __m256i x =
        _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(hashes + i)), wanted);
    const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, low_nibbles));
    const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi32(x, 4), low_nibbles));
    const __m256i count = _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
    const __m256i beyond = _mm256_cmpgt_epi64(count, limit);
    unsigned within = ~static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(beyond))) & 0xfu;
    while (within != 0) {
      hits[found++] = static_cast<uint32_t>(i) + static_cast<uint32_t>(std::countr_zero(within));
      within &= within - 1;
    }
  }
  for (; i < n; ++i) {
    hits[found] = static_cast<uint32_t>(i);
    found += _mm_popcnt_u64(hashes[i] ^ query) <= radius ? 1 : 0;
  }
  return found;
}

__attribute__((target("avx512f,avx512vpopcntdq,popcnt"))) size_t ScanAvx512(const uint64_t* hashes, size_t n,
                                                                            uint64_t query, int radius,
                                                                            uint32_t* hits) {
  const __m512i wanted = _mm512_set1_epi64(static_cast<long long>(query));
  const __m512i limit = _mm512_set1_epi64(radius);
  size_t found = 0;
  for (size_t i = 0; i < n; i += 8) {
    const size_t left = n - i;
    const __mmask8 valid = left >= 8 ? __mmask8{0xff} : static_cast<__mmask8>((1u << left) - 1u);
    const __m512i x = _mm512_xor_si512(_mm512_maskz_loadu_epi64(valid, hashes + i), wanted);
    unsigned within = _mm512_mask_cmple_epi64_mask(valid, _mm512_popcnt_epi64(x), limit);
    while (within != 0) {
      hits[found++] = static_cast<uint32_t>(i) + static_cast<uint32_t>(std::countr_zero(within));
      within &= within - 1;
    }
  }
  return found;
}

}  // namespace
#endif

std::vector<NamedScan> AvailableScans() {
  std::vector<NamedScan> scans = {{"scalar", &ScanScalar}};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("popcnt")) scans.push_back({"popcnt", &ScanPopcnt});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt")) {
    scans.push_back({"avx2", &ScanAvx2});
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq")) {
    scans.push_back({"avx512vpopcntdq", &ScanAvx512});
  }
#endif
  return scans;
}

namespace {

ScanFunction& Chosen() {
  static ScanFunction chosen = AvailableScans().back().function;
  return chosen;
}

}  // namespace

ScanFunction BestScan() {
  return Chosen();
}

bool ChooseScan(std::string_view name) {
  for (const NamedScan& scan : AvailableScans()) {
    if (scan.name != name) continue;
    Chosen() = scan.function;
    return true;
  }
  return false;
}

}  // namespace imgmill
