#include "readable_part.h"

#include <charconv>

#include "open_file.h"

namespace imgmill {
namespace {

constexpr std::string_view kCouldBeRead = " rows could be read; the rest is ";
constexpr std::string_view kLower = "the lower ";
constexpr std::string_view kOf = " of ";

}  // namespace

std::string PartNote(int64_t rows, int64_t all, std::string_view fill, const std::string& why, bool lower) {
  std::string note(lower ? kLower : "");
  note.append(std::to_string(rows)).append(kOf).append(std::to_string(all));
  return note.append(kCouldBeRead).append(fill).append(": ").append(why);
}

bool IsPartNote(std::string_view note) {
  return note.find(kCouldBeRead) != std::string_view::npos ||
         note.find(kReadableKept) != std::string_view::npos;
}

std::optional<RowSpan> RowsRead(const std::vector<std::string>& notes) {
  for (std::string_view note : notes) {
    if (note.find(kCouldBeRead) == std::string_view::npos) continue;
    const bool lower = note.starts_with(kLower);
    if (lower) note.remove_prefix(kLower.size());
    const char* const end = note.data() + note.size();
    int64_t rows = 0, all = 0;
    const std::from_chars_result first = std::from_chars(note.data(), end, rows);
    if (first.ec != std::errc() || end - first.ptr < static_cast<ptrdiff_t>(kOf.size())) continue;
    if (std::from_chars(first.ptr + kOf.size(), end, all).ec != std::errc()) continue;
    return lower ? RowSpan{all - rows, all} : RowSpan{0, rows};
  }
  return std::nullopt;
}

}  // namespace imgmill
