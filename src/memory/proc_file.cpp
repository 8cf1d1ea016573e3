// Plain read(2) into fixed buffers, and the numbers in them.
#include "memory/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>

#include "memory/free_runs.h"

namespace imgmill {
namespace {

size_t ReadUpTo(int file, char* buffer, size_t bytes) {
  size_t length = 0;
  while (length < bytes) {
    const ssize_t got = read(file, buffer + length, bytes - length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    length += static_cast<size_t>(got);
  }
  return length;
}

}  // namespace

ProcFile::ProcFile(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  length_ = ReadUpTo(file, buffer_, sizeof buffer_);
  close(file);
}

std::optional<size_t> ProcFile::Number(std::string_view key) const {
  std::string_view rest = text();
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (line.starts_with(key)) return LeadingNumber(line.substr(key.size()));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::string ReadWholeFile(const std::string& path) {
  std::string text;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  char buffer[4096];
  while (const size_t got = ReadUpTo(file, buffer, sizeof buffer)) text.append(buffer, got);
  close(file);
  return text;
}

std::optional<size_t> LeadingNumber(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return std::nullopt;
  text.remove_prefix(start);
  size_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem == std::errc::result_out_of_range) return SIZE_MAX;
  if (problem != std::errc{}) return std::nullopt;
  return number;
}

ResidentReader::ResidentReader() : file_(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

ResidentReader::~ResidentReader() {
  if (file_ >= 0) close(file_);
}

namespace {

// statm: size resident shared text lib data dirty, in pages (proc(5)).
struct ResidentPages {
  size_t all = 0;
  size_t shared = 0;
};

ResidentPages ReadStatm(int file) {
  char buffer[128];
  const ssize_t length = pread(file, buffer, sizeof buffer, 0);
  if (length <= 0) return {};
  const std::string_view text(buffer, static_cast<size_t>(length));
  const size_t first = text.find(' ');
  const size_t second = first == std::string_view::npos ? first : text.find(' ', first + 1);
  if (second == std::string_view::npos) return {};
  return {LeadingNumber(text.substr(first)).value_or(0), LeadingNumber(text.substr(second)).value_or(0)};
}

}  // namespace

size_t ResidentReader::Read() const {
  return ReadStatm(file_).all * PageBytes();
}

size_t ResidentReader::ReadAnonymous() const {
  const ResidentPages pages = ReadStatm(file_);
  return (pages.all - std::min(pages.all, pages.shared)) * PageBytes();
}

}  // namespace imgmill
