// The scan kernels, one text for all instruction sets: Highway compiles this file once for each, and the best
// that the machine has is chosen at run time.
#include "similarity/hamming_scan.h"

#include <algorithm>
#include <cstring>

#include "similarity/instruction_sets.h"

// AVX-512 with instructions that count bits (VPOPCNTDQ and BITALG). Without these it gains nothing over AVX2.
// The vectors of SVE have no size that blocks could be laid out for, and NEON is always there as well.
#define HWY_WANT_AVX3_DL
#define HWY_DISABLED_TARGETS (HWY_AVX3 | HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "similarity/hamming_scan.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imgmill::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::CappedTag<uint64_t, kReadBeyond + 1>;
using Bytes = hn::CappedTag<uint8_t, kScanBlock>;

/// Whether the bits of a byte are counted by one instruction. Others look two halves up in a table (Mula,
/// Kurz and Lemire, "Faster population counts using AVX2 instructions", 2016).
constexpr bool kCountsAtOnce =
    HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON || HWY_TARGET == HWY_SCALAR;

/// A bit for each lane, the first one lowest.
template <typename Lanes, typename Mask>
uint64_t BitsOf(Lanes lanes, Mask mask) {
  uint8_t bytes[8];
  hn::StoreMaskBits(lanes, mask, bytes);
  constexpr size_t kBytes = (hn::MaxLanes(Lanes()) + 7) / 8;
  hwy::UnsignedFromSize<kBytes> bits;
  std::memcpy(&bits, bytes, kBytes);
  return bits;
}

/// Of `within`, the first `n` count.
inline size_t PutHits(uint64_t within, size_t first, size_t n, uint32_t* hits, size_t found) {
  if (n < 64) within &= (uint64_t{1} << n) - 1;
  for (; within != 0; within &= within - 1)
    hits[found++] = static_cast<uint32_t>(first + hwy::Num0BitsBelowLS1Bit_Nonzero64(within));
  return found;
}

inline hn::Vec<Words> CountBits(hn::Vec<Words> words) {
#if HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_SCALAR  // no sums of bytes are needed
  return hn::PopulationCount(words);
#else
  return hn::SumsOf8(hn::PopulationCount(hn::BitCast(hn::Repartition<uint8_t, Words>(), words)));
#endif
}

size_t ScanRuns(const uint64_t* hashes, const HashRun* runs, size_t count, uint64_t query, int radius,
                uint32_t* hits) {
  const Words words;
  const hn::RebindToSigned<Words> counts;  // of which most machines compare only signed ones
  const auto wanted = hn::Set(words, query);
  const auto beyond = hn::Set(counts, radius + 1);
  size_t found = 0;
  for (size_t r = 0; r < count; ++r) {
    const size_t end = runs[r].end;
    for (size_t i = runs[r].begin; i < end; i += hn::Lanes(words)) {
      const auto apart = CountBits(hn::Xor(hn::LoadU(words, hashes + i), wanted));
      const auto within = hn::Lt(hn::BitCast(counts, apart), beyond);
      if (hn::AllFalse(counts, within)) continue;
      found = PutHits(BitsOf(counts, within), i, end - i, hits, found);
    }
  }
  return found;
}

size_t Scan64(const uint64_t* hashes, size_t n, const uint64_t& query, int radius, uint32_t* hits) {
  const HashRun all{0, static_cast<uint32_t>(n)};
  return ScanRuns(hashes, &all, 1, query, radius, hits);
}

/// Bytes after which hardly any of so many strangers can still be near: of n bits, n / 2 +- sqrt(n) / 2 of
/// theirs differ, and 3.4 times that deviation leaves one of 32 in a hundred. Three are added at a time.
size_t FirstBytes(int radius) {
  size_t bytes = 3;
  for (; bytes + 3 < sizeof(Hash256); bytes += 3) {
    const int beyond = static_cast<int>(4 * bytes) - radius;
    if (beyond > 0 && 100 * beyond * beyond >= 2312 * static_cast<int>(bytes)) break;
  }
  return bytes;
}

/// Counts of more than a byte can hold.
size_t ScanFar(const uint64_t* blocks, size_t n, const Hash256& query, int radius, uint32_t* hits) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    if (BitsApart(ScannedAt<Hash256>(blocks, i), query) <= radius) hits[found++] = static_cast<uint32_t>(i);
  }
  return found;
}

size_t Scan256(const uint64_t* blocks, size_t n, const Hash256& query, int radius, uint32_t* hits) {
  if (radius >= 255) return ScanFar(blocks, n, query, radius, hits);
  const Bytes bytes;
  const size_t first_bytes = FirstBytes(radius);
  const auto limit = hn::Set(bytes, static_cast<uint8_t>(radius));
  HWY_ALIGN uint8_t wanted[sizeof(Hash256) * hn::MaxLanes(bytes)];
  for (size_t b = 0; b < sizeof(Hash256); ++b)
    hn::Store(hn::Set(bytes, ByteOf(query, b)), bytes, wanted + b * hn::Lanes(bytes));
  size_t found = 0;
  for (size_t i = 0; i < n; i += hn::Lanes(bytes)) {
    const uint8_t* const block = ScannedBytes(blocks, i);
    const auto apart = [&](size_t b) HWY_ATTR {
      return hn::Xor(hn::Load(bytes, wanted + b * hn::Lanes(bytes)),
                     hn::LoadU(bytes, block + b * kScanBlock));
    };
    auto ones = hn::Zero(bytes), twos = hn::Zero(bytes);
    for (size_t b = 0; b < first_bytes; b += 3) {
      const auto x = apart(b), y = apart(b + 1), z = apart(b + 2);
      if constexpr (kCountsAtOnce) {
        ones = hn::Add(ones, hn::PopulationCount(x));
        ones = hn::Add(ones, hn::PopulationCount(y));
        ones = hn::Add(ones, hn::PopulationCount(z));
        continue;
      }
      // As two bytes of sums and carries, which cost five operations and save a count of seven.
      const auto odd = hn::Xor(x, y);
      ones = hn::Add(ones, hn::PopulationCount(hn::Xor(odd, z)));
      twos = hn::Add(twos, hn::PopulationCount(hn::Or(hn::And(x, y), hn::And(odd, z))));
    }
    auto counts = hn::Add(ones, hn::Add(twos, twos));
    if (hn::AllFalse(bytes, hn::Eq(hn::Min(counts, limit), counts))) continue;
    // 256 bits may differ: counts stay at 255.
    for (size_t b = first_bytes; b < sizeof(Hash256); ++b)
      counts = hn::SaturatedAdd(counts, hn::PopulationCount(apart(b)));
    found = PutHits(BitsOf(bytes, hn::Eq(hn::Min(counts, limit), counts)), i, n - i, hits, found);
  }
  return found;
}

/// One by one: cache misses leave nothing to gain by vectors.
size_t Pick(const Hash256* hashes, const uint32_t* places, size_t n, const Hash256& query, int radius,
            uint32_t* hits) {
  const auto limit = static_cast<size_t>(radius);
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    const Hash256& hash = hashes[places[i]];
    size_t bits = hwy::PopCount(hash[0] ^ query[0]) + hwy::PopCount(hash[1] ^ query[1]);
    if (bits > limit) continue;  // as nearly all are
    bits += hwy::PopCount(hash[2] ^ query[2]) + hwy::PopCount(hash[3] ^ query[3]);
    hits[found] = static_cast<uint32_t>(i);
    found += bits <= limit ? 1 : 0;
  }
  return found;
}

HammingKernels Kernels() {
  return {hwy::TargetName(HWY_TARGET), &Scan64, &Scan256, &ScanRuns, &Pick};
}

}  // namespace
}  // namespace imgmill::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imgmill {
namespace {

HammingKernels& Chosen() {
  static HammingKernels chosen = AvailableHammingKernels().front();
  return chosen;
}

}  // namespace

const HammingKernels& BestHammingKernels() {
  return Chosen();
}

std::vector<HammingKernels> AvailableHammingKernels() {
  std::vector<HammingKernels> found;
#if HWY_ARCH_X86
  const InstructionSets machine = MachinesInstructionSets();
  AddKernels(found, machine.avx512_counts_bits, HWY_CHOOSE_AVX3_DL(Kernels));
  AddKernels(found, machine.avx2, HWY_CHOOSE_AVX2(Kernels));
  AddKernels(found, machine.sse4, HWY_CHOOSE_SSE4(Kernels));
#endif
  AddKernels(found, true, HWY_CHOOSE_NEON(Kernels));
  AddKernels(found, true, HWY_CHOOSE_FALLBACK(Kernels));  // NEON once more, where there is that
  return found;
}

bool ChooseHammingKernels(std::string_view name) {
  return ChooseByName(AvailableHammingKernels(), name, Chosen());
}

}  // namespace imgmill
#endif
