// SHA-256 after FIPS 180-4, section 6.2, and with the instructions that many x86 processors have for it:
// weights are gigabytes, and without these a network's file takes longer to digest than to load.
#include "networks/weights/sha256.h"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace imgmill {
namespace {

// First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using State = std::array<uint32_t, 8>;

void AddBlock(State& state, const uint8_t* block) {
  uint32_t w[64];
  for (size_t i = 0; i < 16; ++i) {
    w[i] = static_cast<uint32_t>(block[4 * i]) << 24 | static_cast<uint32_t>(block[4 * i + 1]) << 16 |
           static_cast<uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
  }
  for (size_t i = 16; i < 64; ++i) {
    const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const uint32_t added[8] = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < 8; ++i) state[i] += added[i];
}

#if defined(__x86_64__)

/// AddBlock by the SHA extensions (Intel's manual, volume 2, SHA256RNDS2, SHA256MSG1 and SHA256MSG2), which
/// keep the state as two registers, {a, b, e, f} and {c, d, g, h}, and take two rounds at a time.
__attribute__((target("sha,sse4.1"))) void AddBlockByExtension(State& state, const uint8_t* block) {
  const auto number = [&](size_t i) { return static_cast<int>(state[i]); };
  __m128i abef = _mm_set_epi32(number(0), number(1), number(4), number(5));
  __m128i cdgh = _mm_set_epi32(number(2), number(3), number(6), number(7));
  const __m128i abef_before = abef, cdgh_before = cdgh;
  const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  __m128i w[16];
  for (size_t i = 0; i < 16; ++i) {
    if (i < 4) {
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + i), big_endian);
    } else {
      const __m128i seven_back = _mm_alignr_epi8(w[i - 1], w[i - 2], 4);
      w[i] =
          _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w[i - 4], w[i - 3]), seven_back), w[i - 1]);
    }
    const __m128i sum = _mm_add_epi32(w[i], _mm_loadu_si128(reinterpret_cast<const __m128i*>(kRound) + i));
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
  }
  alignas(16) uint32_t f_e_b_a[4], h_g_d_c[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(f_e_b_a), _mm_add_epi32(abef, abef_before));
  _mm_store_si128(reinterpret_cast<__m128i*>(h_g_d_c), _mm_add_epi32(cdgh, cdgh_before));
  state = {f_e_b_a[3], f_e_b_a[2], h_g_d_c[3], h_g_d_c[2], f_e_b_a[1], f_e_b_a[0], h_g_d_c[1], h_g_d_c[0]};
}

bool HasExtension() {
  constexpr unsigned kSha = 1u << 29, kSse41 = 1u << 19;  // of leaf 7's EBX, and of leaf 1's ECX
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (ebx & kSha) == 0) return false;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & kSse41) != 0;
}

#endif

using AddBlockFunction = void (*)(State& state, const uint8_t* block);

AddBlockFunction BestAddBlock() {
#if defined(__x86_64__)
  if (HasExtension()) return AddBlockByExtension;
#endif
  return AddBlock;
}

}  // namespace

Sha256::Sha256(bool plain) : add_block_(plain ? AddBlock : BestAddBlock()) {}

void Sha256::Update(const void* data, size_t bytes) {
  const uint8_t* in = static_cast<const uint8_t*>(data);
  while (bytes > 0) {
    const size_t held = static_cast<size_t>(bytes_ % 64);
    if (held == 0 && bytes >= 64) {
      add_block_(state_, in);
      bytes_ += 64;
      in += 64;
      bytes -= 64;
      continue;
    }
    const size_t now = bytes < 64 - held ? bytes : 64 - held;
    std::memcpy(pending_.data() + held, in, now);
    bytes_ += now;
    in += now;
    bytes -= now;
    if (bytes_ % 64 == 0) add_block_(state_, pending_.data());
  }
}

std::string Sha256::Hex() {
  const uint64_t bits = bytes_ * 8;
  const uint8_t one = 0x80, zero = 0;
  Update(&one, 1);
  while (bytes_ % 64 != 56) Update(&zero, 1);
  uint8_t length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  Update(length, 8);
  std::string hex;
  for (const uint32_t word : state_) {
    for (int shift = 28; shift >= 0; shift -= 4) hex += "0123456789abcdef"[word >> shift & 15];
  }
  return hex;
}

}  // namespace imgmill
