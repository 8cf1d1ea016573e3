// What makes a file the same file, and its content the same content.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// XXH3-128 of a file's bytes, canonical (big-endian) form.
struct ContentDigest {
  std::array<uint8_t, 16> bytes{};
  auto operator<=>(const ContentDigest&) const = default;
  std::string Hex() const;
};

/// What stat says; if it is unchanged, so is the content, as make and rsync assume too.
struct FileStamp {
  int64_t size = 0;
  int64_t mtime_ns = 0;
  auto operator<=>(const FileStamp&) const = default;
};

Result<FileStamp> StampOf(const std::string& path);
/// Reads the file once, in chunks.
Result<ContentDigest> DigestOf(const std::string& path);
ContentDigest DigestOfBytes(const void* data, size_t size);

}  // namespace imgmill
