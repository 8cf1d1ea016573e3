#include "listing_order.h"

#include <charconv>
#include <cstdio>
#include <optional>
#include <string>

#include "base/try.h"
#include "dataset/sorted_paths.h"

namespace imgmill {
namespace {

constexpr size_t kMemory = size_t{1} << 20;

/// Digits of a row's number, behind its file's name and a byte that comes before all others in a name.
constexpr size_t kDigits = 16;

std::string WithRow(const std::string& name, uint64_t row) {
  char digits[kDigits + 2];
  std::snprintf(digits, sizeof digits, "\1%016llx", static_cast<unsigned long long>(row));
  return name + digits;
}

uint64_t RowOf(const std::string& entry) {
  uint64_t row = 0;
  const char* end = entry.data() + entry.size();
  std::from_chars(end - kDigits, end, row, 16);
  return row;
}

}  // namespace

Result<FileTable> InListingOrder(const FileTable& files) {
  SortedPaths sorted(kMemory);
  uint64_t rows = 0;
  TRY(files.ForEach([&](const ListedFile& file) { return sorted.Add(WithRow(file.relative, rows++)); }));
  TRY(sorted.Finish());
  FileTable ordered;
  while (true) {
    const std::optional<std::string> entry = TRY(sorted.Next());
    if (!entry) return ordered;
    const ListedFile file = TRY(files.At(RowOf(*entry)));
    ordered.Add(file);
  }
}

}  // namespace imgmill
