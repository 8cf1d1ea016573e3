// Reading the kernel's small text files without the heap: the memory sampler does it many times a second.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace imgmill {

/// A file of up to 16 KiB, in a buffer of its own; what lies beyond is left out.
class ProcFile {
 public:
  /// Reads the file once. text() is empty if it cannot be read.
  explicit ProcFile(const char* path);
  std::string_view text() const { return {buffer_, length_}; }
  /// The number behind `key` at the start of a line ("VmRSS:  123 kB"), as it stands there.
  std::optional<size_t> Number(std::string_view key) const;

 private:
  char buffer_[16384];
  size_t length_ = 0;
};

/// All of a file, whatever its length; empty if it cannot be read.
std::string ReadWholeFile(const std::string& path);

/// The number at the start of `text`; nothing if there is none ("max"). Numbers beyond size_t become its
/// largest value.
std::optional<size_t> LeadingNumber(std::string_view text);

/// Resident bytes of this process from a /proc/self/statm kept open: one system call a reading.
class ResidentReader {
 public:
  ResidentReader();
  ~ResidentReader();
  ResidentReader(const ResidentReader&) = delete;
  ResidentReader& operator=(const ResidentReader&) = delete;
  size_t Read() const;
  /// Resident bytes without pages of mapped files and of shared memory.
  size_t ReadAnonymous() const;

 private:
  int file_;
};

}  // namespace imgmill
