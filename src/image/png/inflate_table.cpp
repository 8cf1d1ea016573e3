#include "inflate_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "deflate_code.h"

namespace imgmill {
namespace {

constexpr int kLongest = 15;

}  // namespace

bool InflateTable::Make(std::span<const uint8_t> lengths, std::span<const InflateEntry> meaning) {
  std::array<int, kLongest + 1> counts{};
  for (const uint8_t length : lengths) ++counts[length];
  counts[0] = 0;
  int left = 1, codes = 0;
  for (int bits = 1; bits <= kLongest; ++bits) {
    left = 2 * left - counts[static_cast<size_t>(bits)];
    codes += counts[static_cast<size_t>(bits)];
    if (left < 0) return false;
  }
  const bool one_alone = codes == 0 || (codes == 1 && counts[1] == 1);
  if (left > 0 && !one_alone) return false;

  std::vector<uint16_t> codes_of(lengths.size());
  MakeCodes(lengths, codes_of.data());
  entries_.assign(size_t{1} << root_bits_, {});
  const uint32_t root_mask = (1u << root_bits_) - 1;
  // The longest code of each further table is known when its first one comes, if codes come by length from
  // the longest on: a table is as wide as that.
  std::vector<std::pair<uint8_t, uint16_t>> order;
  for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
    if (lengths[symbol] > 0) order.emplace_back(lengths[symbol], static_cast<uint16_t>(symbol));
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [bits, symbol] : order) {
    const uint32_t code = codes_of[symbol];
    InflateEntry entry = meaning[symbol];
    if (bits <= root_bits_) {
      entry.bits = bits;
      for (uint32_t at = code; at <= root_mask; at += 1u << bits) entries_[at] = entry;
      continue;
    }
    const int rest = bits - root_bits_;
    InflateEntry& root = entries_[code & root_mask];
    if (root.kind == InflateEntry::kBad) {
      root = {static_cast<uint8_t>(root_bits_), static_cast<uint8_t>(InflateEntry::kTable | rest),
              static_cast<uint16_t>(entries_.size())};
      entries_.resize(entries_.size() + (size_t{1} << rest));
    }
    const InflateEntry table = entries_[code & root_mask];
    entry.bits = static_cast<uint8_t>(rest);
    const uint32_t width = 1u << (table.kind & ~InflateEntry::kTable);
    for (uint32_t at = code >> root_bits_; at < width; at += 1u << rest) entries_[table.value + at] = entry;
  }
  return true;
}

}  // namespace imgmill
