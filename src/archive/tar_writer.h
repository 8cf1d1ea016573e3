// Files into a tar archive, whose bytes depend on their names and contents alone.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"

namespace imgmill {

/// Members by the ustar format (POSIX.1-1988), those with a long name or of 8 GiB and more with a pax header
/// (POSIX.1-2001) in front. Owner, group and times are 0, and the mode is 0644: the same members make the
/// same archive anywhere.
class TarWriter {
 public:
  /// @param file  open for writing, at its start, not owned
  /// @param path  for messages
  TarWriter(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}

  /// What a member of that name takes, header and padding included.
  static uint64_t MemberBytes(std::string_view name, uint64_t size);
  /// What is behind the last member.
  static constexpr uint64_t kEndBytes = 1024;

  Status Begin(std::string_view name, uint64_t size);
  Status Write(const void* data, size_t bytes);
  /// As many bytes were written as Begin was told.
  Status End();
  /// Cuts off what is behind so many bytes, which are a whole number of members.
  Status CutTo(uint64_t bytes);
  Status Finish();

  /// Of the archive so far.
  uint64_t bytes() const { return written_; }

 private:
  Status Put(const void* data, size_t bytes);
  Error Failed() const;

  std::FILE* const file_;
  const std::string path_;
  uint64_t written_ = 0;
  uint64_t member_left_ = 0;  ///< of its bytes
  uint64_t padding_ = 0;
};

}  // namespace imgmill
