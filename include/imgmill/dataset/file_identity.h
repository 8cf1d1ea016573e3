// What makes a file the same file, and its content the same content.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"

struct stat;

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

/// What stat says; if all of it is unchanged, so is the content, as git assumes too. Size and time of
/// modification alone do not tell: archives give many files one time, images of one format have one size,
/// and renaming keeps both. The system sets the time of change, and no program can set it back; renaming,
/// linking and chmod set it, too, which only costs a look at the bytes. No device: its number may be another
/// after a restart.
struct FileStamp {
  int64_t size = 0;
  int64_t mtime_ns = 0;  ///< when the content was written, or what somebody has set
  int64_t ctime_ns = 0;  ///< when the content or anything about the file was changed
  uint64_t inode = 0;    ///< 0: not known, in what an earlier version has written; never a file's
  auto operator<=>(const FileStamp&) const = default;

  bool HasSameSizeAndTime(const FileStamp& other) const {
    return size == other.size && mtime_ns == other.mtime_ns;
  }
};

/// Of what stat, fstat or lstat has filled.
FileStamp StampFrom(const struct stat& info);

/// What stays the same of a folder that is moved, or whose file system is mounted elsewhere.
struct FolderIdentity {
  uint64_t inode = 0;
  int64_t born_ns = 0;  ///< since 1970
  auto operator<=>(const FolderIdentity&) const = default;
};
/// Nothing where there is no such folder, or its file system does not tell when it was made.
std::optional<FolderIdentity> IdentityOf(const std::string& folder);

/// Follows links. Anything but a regular file is kUnsupported, a vanished one kNotFound.
Result<FileStamp> StampOf(const std::string& path);

/// A file as its folder has it.
struct FileEntry {
  FileStamp stamp;       ///< of what a link leads to
  bool is_link = false;  ///< symbolic
};
/// The same by one look at what is no link. Errors as StampOf.
Result<FileEntry> EntryOf(const std::string& path);
/// Reads the file once, in chunks of at most 1 MiB. Errors as StampOf, and kReadError.
Result<ContentDigest> DigestOf(const std::string& path);
ContentDigest DigestOfBytes(const void* data, size_t size);

/// Whether the file is the one that was seen: by its stamp, or, where that has changed and size and time of
/// modification have not, by the content that it had then.
Result<bool> IsAsSeen(const std::string& path, const FileStamp& seen, const ContentDigest& content);

/// The digest of the bytes that both files have, compared byte by byte; nothing if they differ. Errors as
/// DigestOf; they name the file.
Result<std::optional<ContentDigest>> SharedContent(const std::string& path, const std::string& other);

}  // namespace imgmill
