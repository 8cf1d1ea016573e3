// Reads the directory entry by entry; whatever does not add up is no directory.
#include "tiff_directory.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"
#include "image/stored_number.h"

namespace imgmill {
namespace {

constexpr uint64_t kMostEntries = 4096;

}  // namespace

uint64_t TiffDirectory::Number(const unsigned char* bytes, size_t length) const {
  return StoredNumber(bytes, length, big_endian);
}

const TiffEntry* TiffDirectory::Find(uint64_t tag) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const TiffEntry& entry) { return entry.tag == tag; });
  return found == entries.end() ? nullptr : &*found;
}

std::optional<uint64_t> TiffDirectory::Value(uint64_t tag) const {
  const TiffEntry* entry = Find(tag);
  if (entry == nullptr) return std::nullopt;
  const size_t length = entry->value_bytes();
  if (length == 0 || length > field_bytes()) return std::nullopt;
  return Number(entry->field, length);
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
  directory.at = at;
  unsigned char raw[8] = {};
  if (!file.ReadExactly(at, raw, count_bytes)) return std::nullopt;
  const uint64_t count = directory.Number(raw, count_bytes);
  if (count > kMostEntries) return std::nullopt;
  std::vector<unsigned char> table(static_cast<size_t>(count) * entry_bytes);
  const uint64_t table_at = at + count_bytes;
  if (!file.ReadExactly(table_at, table.data(), table.size())) return std::nullopt;
  directory.next_at = table_at + table.size();
  // Files without the offset behind the table exist.
  if (file.ReadExactly(directory.next_at, raw, word)) directory.next = directory.Number(raw, word);
  for (size_t i = 0; i < table.size(); i += entry_bytes) {
    TiffEntry entry;
    entry.tag = directory.Number(&table[i], 2);
    entry.type = directory.Number(&table[i + 2], 2);
    entry.count = directory.Number(&table[i + 4], word);
    std::memcpy(entry.field, &table[i + 4 + word], word);
    entry.field_at = table_at + i + 4 + word;
    directory.entries.push_back(entry);
  }
  return directory;
}

bool ShowTiffDirectory(InputFile& file, uint64_t at) {
  const std::optional<TiffDirectory> directory = ReadTiffDirectory(file, at);
  if (!directory) return false;
  const size_t word = directory->field_bytes();
  std::string first(word, '\0');
  for (size_t i = 0; i < word; ++i)
    first[directory->big_endian ? word - 1 - i : i] = static_cast<char>(at >> (8 * i));
  file.Overlay(word, std::move(first));  // of the header, where the first one's offset lies
  file.Overlay(directory->next_at, std::string(word, '\0'));
  return true;
}

Result<InputFile> OpenTiffPage(const std::string& path, uint64_t directory, Stage stage) {
  InputFile file = TRY(InputFile::Open(path, stage));
  if (directory != 0 && !ShowTiffDirectory(file, directory)) return FileChanged();
  return file;
}

}  // namespace imgmill
