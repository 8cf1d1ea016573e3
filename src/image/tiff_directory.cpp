// Reads the directory entry by entry; whatever does not add up is no directory.
#include "tiff_directory.h"

#include <algorithm>
#include <cstring>

namespace imgmill {
namespace {

constexpr uint64_t kMostEntries = 4096;
constexpr uint64_t kShort = 3;
constexpr uint64_t kLong = 4;
constexpr uint64_t kLong8 = 16;

bool ReadExactly(const InputFile& file, uint64_t at, void* destination, size_t bytes) {
  return at <= static_cast<uint64_t>(file.bytes()) &&
         file.ReadAt(static_cast<int64_t>(at), destination, bytes) == static_cast<ptrdiff_t>(bytes);
}

}  // namespace

uint64_t TiffDirectory::Number(const unsigned char* bytes, size_t length) const {
  uint64_t value = 0;
  for (size_t i = 0; i < length; ++i) value = value << 8 | bytes[big_endian ? i : length - 1 - i];
  return value;
}

std::optional<uint64_t> TiffDirectory::Value(uint64_t tag) const {
  for (const TiffEntry& entry : entries) {
    if (entry.tag != tag) continue;
    const size_t length = entry.type == kShort ? 2 : entry.type == kLong ? 4 : entry.type == kLong8 ? 8 : 0;
    if (length == 0 || length > field_bytes()) return std::nullopt;
    return Number(entry.field, length);
  }
  return std::nullopt;
}

std::optional<TiffDirectory> ReadTiffDirectory(const InputFile& file, uint64_t at) {
  TiffDirectory directory;
  unsigned char head[16] = {};
  if (file.ReadAt(0, head, sizeof head) < 8) return std::nullopt;
  directory.big_endian = head[0] == 'M';
  directory.big = directory.Number(head + 2, 2) == 43;
  const size_t word = directory.field_bytes();
  const size_t count_bytes = directory.big ? 8 : 2;
  const size_t entry_bytes = 4 + 2 * word;
  if (at == 0) at = directory.Number(head + word, word);
  unsigned char raw[8] = {};
  if (!ReadExactly(file, at, raw, count_bytes)) return std::nullopt;
  const uint64_t count = directory.Number(raw, count_bytes);
  if (count > kMostEntries) return std::nullopt;
  std::vector<unsigned char> table(static_cast<size_t>(count) * entry_bytes);
  const uint64_t table_at = at + count_bytes;
  if (!ReadExactly(file, table_at, table.data(), table.size())) return std::nullopt;
  // Files without the offset behind the table exist.
  if (ReadExactly(file, table_at + table.size(), raw, word)) directory.next = directory.Number(raw, word);
  for (size_t i = 0; i < table.size(); i += entry_bytes) {
    TiffEntry entry;
    entry.tag = directory.Number(&table[i], 2);
    entry.type = directory.Number(&table[i + 2], 2);
    entry.count = directory.Number(&table[i + 4], word);
    std::memcpy(entry.field, &table[i + 4 + word], word);
    directory.entries.push_back(entry);
  }
  return directory;
}

}  // namespace imgmill
