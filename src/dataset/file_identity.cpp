// The stamp and the digest of a file, read in chunks so that its size does not matter to memory.
#include "imgmill/dataset/file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "archive/archive_path.h"
#include "archive/file_part.h"
#include "base/try.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/dataset/running_digest.h"

namespace imgmill {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10;

Status CheckRegular(const struct stat& info, Stage stage) {
  if (S_ISREG(info.st_mode)) return {};
  const bool folder = S_ISDIR(info.st_mode);
  return Error{stage, Code::kUnsupported, folder ? "it is a folder" : "it is not a regular file"};
}

}  // namespace

std::string ContentDigest::Hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<ContentDigest> ContentDigest::FromHex(std::string_view hex) {
  ContentDigest digest;
  if (hex.size() != 2 * digest.bytes.size()) return std::nullopt;
  for (size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[i];
    int value = -1;
    if (c >= '0' && c <= '9') value = c - '0';
    if (c >= 'a' && c <= 'f') value = c - 'a' + 10;
    if (value < 0) return std::nullopt;
    digest.bytes[i / 2] = static_cast<uint8_t>(digest.bytes[i / 2] << 4 | value);
  }
  return digest;
}

FileStamp StampFrom(const struct stat& info) {
  const auto nanoseconds = [](const timespec& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return {info.st_size, nanoseconds(info.st_mtim), nanoseconds(info.st_ctim), info.st_ino};
}

std::optional<FolderIdentity> IdentityOf(const std::string& folder) {
  struct statx info {};
  if (::statx(AT_FDCWD, folder.c_str(), 0, STATX_TYPE | STATX_INO | STATX_BTIME, &info) != 0)
    return std::nullopt;
  const int64_t born = int64_t{info.stx_btime.tv_sec} * 1'000'000'000 + info.stx_btime.tv_nsec;
  if (!S_ISDIR(info.stx_mode) || (info.stx_mask & STATX_BTIME) == 0 || born == 0) return std::nullopt;
  return FolderIdentity{info.stx_ino, born};
}

namespace {

/// Of an archive that memory has no room for, or whose reading was stopped, the whole reason.
Error NoStat(const std::string& path, int number) {
  return number == ENOMEM || number == EINTR ? StatError(path, number)
                                             : ErrnoError(Stage::kProbe, number, "stat");
}

}  // namespace

Result<FileStamp> StampOf(const std::string& path) {
  struct stat info {};
  if (StatPath(path, &info) != 0) return NoStat(path, errno);
  TRY(CheckRegular(info, Stage::kProbe));
  return StampFrom(info);
}

Result<FileEntry> EntryOf(const std::string& path) {
  struct stat info {};
  const bool seen = ::lstat(path.c_str(), &info) == 0;  // a member of an archive is not
  const bool is_link = seen && S_ISLNK(info.st_mode);
  if ((!seen || is_link) && StatPath(path, &info) != 0) return NoStat(path, errno);
  TRY(CheckRegular(info, Stage::kProbe));
  return FileEntry{StampFrom(info), is_link};
}

Result<ContentDigest> DigestOf(const std::string& path) {
  std::optional<FilePart> file = FilePart::Open(path);
  if (!file) return ErrnoError(Stage::kDecode, errno, "open");
  TRY(CheckRegular(file->info(), Stage::kDecode));

  // read(), not mmap: mapped pages would count as memory that this process holds. One byte more than the
  // size, so that a small file is known to be at its end after one read.
  const size_t chunk = std::min(kChunkBytes, static_cast<size_t>(file->bytes()) + 1);
  const std::unique_ptr<char[]> buffer(new char[chunk]);
  ssize_t got = file->Read(buffer.get(), chunk);
  if (got < 0) return ErrnoError(Stage::kDecode, errno, "read");
  if (static_cast<size_t>(got) < chunk) return DigestOfBytes(buffer.get(), static_cast<size_t>(got));

  RunningDigest digest;
  while (got > 0) {
    digest.Add(buffer.get(), static_cast<size_t>(got));
    got = file->Read(buffer.get(), chunk);
    if (got < 0) return ErrnoError(Stage::kDecode, errno, "read");
  }
  return digest.Finish();
}

}  // namespace imgmill
