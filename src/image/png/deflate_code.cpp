// Huffman's algorithm over sorted counts, in place; then the limit.
#include "deflate_code.h"

#include <algorithm>

namespace imgmill {
namespace {

constexpr size_t kMostSymbols = 288;
constexpr int kMostBits = 15;

constexpr std::array<uint8_t, kLongestMatch + 1> MakeLengthTable(
    const std::array<NumberClass, kLiteralSymbols - kEndOfBlock - 1>& classes) {
  std::array<uint8_t, kLongestMatch + 1> table{};
  for (size_t c = 0; c < classes.size(); ++c) {
    for (size_t length = classes[c].base; length <= kLongestMatch; ++length)
      table[length] = static_cast<uint8_t>(c);
  }
  return table;
}

/// Depths of the leaves of a Huffman tree. `counts` ascend; each becomes its leaf's depth. (Moffat and
/// Katajainen, "In-place calculation of minimum-redundancy codes", 1995: first parents, then depths of inner
/// nodes, then of leaves.)
void CountsToDepths(uint32_t* counts, size_t n) {
  size_t leaf = 0;
  size_t root = 0;
  for (size_t next = 0; next + 1 < n; ++next) {
    uint32_t sum = 0;
    for (int child = 0; child < 2; ++child) {
      if (leaf < n && (root >= next || counts[leaf] <= counts[root])) {
        sum += counts[leaf++];
      } else {
        sum += counts[root];
        counts[root++] = static_cast<uint32_t>(next);
      }
    }
    counts[next] = sum;
  }
  counts[n - 2] = 0;
  for (size_t i = n - 2; i-- > 0;) counts[i] = counts[counts[i]] + 1;
  size_t inner = n - 1;  // of those, `inner` are not looked at yet, from the root on
  size_t free_places = 1;
  uint32_t depth = 0;
  size_t place = n;
  while (free_places > 0) {
    size_t used = 0;
    while (inner > 0 && counts[inner - 1] == depth) {
      ++used;
      --inner;
    }
    for (; free_places > used; --free_places) counts[--place] = depth;
    free_places = 2 * used;
    ++depth;
  }
}

}  // namespace

constexpr std::array<NumberClass, kLiteralSymbols - kEndOfBlock - 1> kLengthClasses = {
    {{3, 0},  {4, 0},  {5, 0},  {6, 0},   {7, 0},   {8, 0},   {9, 0},   {10, 0},  {11, 1}, {13, 1},
     {15, 1}, {17, 1}, {19, 2}, {23, 2},  {27, 2},  {31, 2},  {35, 3},  {43, 3},  {51, 3}, {59, 3},
     {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}}};

constexpr std::array<NumberClass, kDistanceSymbols> kDistanceClasses = {
    {{1, 0},     {2, 0},     {3, 0},     {4, 0},      {5, 1},      {7, 1},     {9, 2},     {13, 2},
     {17, 3},    {25, 3},    {33, 4},    {49, 4},     {65, 5},     {97, 5},    {129, 6},   {193, 6},
     {257, 7},   {385, 7},   {513, 8},   {769, 8},    {1025, 9},   {1537, 9},  {2049, 10}, {3073, 10},
     {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}}};

size_t LengthClass(size_t length) {
  static constexpr std::array<uint8_t, kLongestMatch + 1> kTable = MakeLengthTable(kLengthClasses);
  return kTable[length];
}

void MakeCodeLengths(std::span<const uint32_t> counts, int longest, uint8_t* lengths) {
  std::array<uint64_t, kMostSymbols> used{};  // count and symbol, so that equal counts have one order
  size_t n = 0;
  for (size_t symbol = 0; symbol < counts.size(); ++symbol) {
    lengths[symbol] = 0;
    if (counts[symbol] > 0) used[n++] = uint64_t{counts[symbol]} << 16 | symbol;
  }
  for (size_t symbol = 0; n < 2; ++symbol) {
    if (counts[symbol] == 0) used[n++] = symbol;
  }
  std::sort(used.begin(), used.begin() + static_cast<std::ptrdiff_t>(n));
  std::array<uint32_t, kMostSymbols> depths{};
  for (size_t i = 0; i < n; ++i) depths[i] = static_cast<uint32_t>(used[i] >> 16);
  CountsToDepths(depths.data(), n);

  std::array<uint32_t, kMostBits + 1> with_length{};
  for (size_t i = 0; i < n; ++i) ++with_length[std::min<size_t>(depths[i], static_cast<size_t>(longest))];
  // In units of the longest code: what is taken, and what there is. Where leaves were lifted to the limit,
  // too much is taken: a leaf above goes one down, and takes one of the deepest beside it.
  const auto deepest = static_cast<size_t>(longest);
  uint64_t taken = 0;
  for (size_t bits = 1; bits <= deepest; ++bits) taken += uint64_t{with_length[bits]} << (deepest - bits);
  while (taken > uint64_t{1} << deepest) {
    size_t bits = deepest - 1;
    while (with_length[bits] == 0) --bits;
    --with_length[bits];
    with_length[bits + 1] += 2;
    --with_length[deepest];
    --taken;
  }
  size_t i = n;
  for (size_t bits = 1; bits <= deepest; ++bits) {
    for (uint32_t k = 0; k < with_length[bits]; ++k) lengths[used[--i] & 0xFFFF] = static_cast<uint8_t>(bits);
  }
}

void MakeCodes(std::span<const uint8_t> lengths, uint16_t* codes) {
  std::array<uint32_t, kMostBits + 2> next{};
  for (const uint8_t length : lengths) ++next[length + 1U];
  next[1] = 0;  // symbols that do not occur
  for (size_t bits = 1; bits <= kMostBits; ++bits) next[bits + 1] = (next[bits] + next[bits + 1]) << 1;
  for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
    const uint32_t bits = lengths[symbol];
    uint32_t code = bits == 0 ? 0 : next[bits]++;
    uint32_t turned = 0;
    for (uint32_t i = 0; i < bits; ++i, code >>= 1) turned = turned << 1 | (code & 1);
    codes[symbol] = static_cast<uint16_t>(turned);
  }
}

}  // namespace imgmill
