// Tables by which prefix codes of the deflate format are read.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace imgmill {

/// What stands behind some bits of the stream.
struct InflateEntry {
  /// In `kind`: how many more bits make a length or distance, or one of these.
  static constexpr uint8_t kLiteral = 0x80, kTable = 0x40, kEnd = 0x20, kBad = 0x21;

  uint8_t bits = 0;  ///< of the code; in a further table, of its rest
  uint8_t kind = kBad;
  uint16_t value = 0;  ///< the literal; the least length or distance; or where a table begins
};

/// Entries by the next `root_bits` bits, and further tables for longer codes.
class InflateTable {
 public:
  explicit InflateTable(int root_bits) : root_bits_(root_bits) {}

  /// @param lengths  of the codes by symbol, 0 to 15; 0: it does not occur
  /// @param meaning  of the symbols
  /// @return false where the lengths are of no whole prefix code; one code alone may have one bit
  bool Make(std::span<const uint8_t> lengths, std::span<const InflateEntry> meaning);

  const InflateEntry* entries() const { return entries_.data(); }

 private:
  const int root_bits_;
  std::vector<InflateEntry> entries_;
};

}  // namespace imgmill
