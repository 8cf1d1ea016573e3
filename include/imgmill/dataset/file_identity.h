// What makes a file the same file, and its content the same content.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"

namespace imgmill {

/// XXH3-128 of a file's bytes, canonical (big-endian) form.
struct ContentDigest {
  std::array<uint8_t, 16> bytes{};
  auto operator<=>(const ContentDigest&) const = default;
  /// 32 lower-case hex digits.
  std::string Hex() const;
  /// The inverse of Hex; nothing if it is no such text.
  static std::optional<ContentDigest> FromHex(std::string_view hex);
};

/// What stat says; if it is unchanged, so is the content, as make and rsync assume too.
struct FileStamp {
  int64_t size = 0;
  int64_t mtime_ns = 0;
  auto operator<=>(const FileStamp&) const = default;
};

/// Follows links. Anything but a regular file is kUnsupported, a vanished one kNotFound.
Result<FileStamp> StampOf(const std::string& path);
/// Reads the file once, in chunks of at most 1 MiB. Errors as StampOf, and kReadError.
Result<ContentDigest> DigestOf(const std::string& path);
ContentDigest DigestOfBytes(const void* data, size_t size);

}  // namespace imgmill
