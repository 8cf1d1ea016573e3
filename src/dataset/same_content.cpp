// Whether files have the content that was seen, or each other's: by bytes, where stamps are no proof.
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "archive/file_part.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/file_identity.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/dataset/running_digest.h"

namespace imgmill {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10;

Result<FilePart> OpenFile(const std::string& path) {
  std::optional<FilePart> file = FilePart::Open(path);
  if (!file) return ErrnoError(Stage::kDecode, errno, "open " + PrintablePath(path));
  if (!S_ISREG(file->info().st_mode))
    return Error{Stage::kDecode, Code::kUnsupported, PrintablePath(path) + " is not a regular file"};
  return *std::move(file);
}

Result<size_t> ReadSome(FilePart& file, const std::string& path, char* buffer, size_t size) {
  const ssize_t got = file.Read(buffer, size);
  if (got < 0) return ErrnoError(Stage::kDecode, errno, "read " + PrintablePath(path));
  return static_cast<size_t>(got);
}

}  // namespace

Result<bool> IsAsSeen(const std::string& path, const FileStamp& seen, const ContentDigest& content) {
  const FileStamp now = TRY(StampOf(path));
  if (now == seen) return true;
  if (!now.HasSameSizeAndTime(seen)) return false;
  const ContentDigest digest = TRY(DigestOf(path));
  return digest == content;
}

Result<std::optional<ContentDigest>> SharedContent(const std::string& path, const std::string& other) {
  FilePart first = TRY(OpenFile(path));
  FilePart second = TRY(OpenFile(other));
  if (first.bytes() != second.bytes()) return std::optional<ContentDigest>();

  // One byte more than the size, so that a small file is known to be at its end after one read.
  const size_t chunk = std::min(kChunkBytes, static_cast<size_t>(first.bytes()) + 1);
  const std::unique_ptr<char[]> buffer(new char[2 * chunk]);
  RunningDigest digest;
  while (true) {
    const size_t got = TRY(ReadSome(first, path, buffer.get(), chunk));
    const size_t beside = TRY(ReadSome(second, other, buffer.get() + chunk, chunk));
    if (got != beside || std::memcmp(buffer.get(), buffer.get() + chunk, got) != 0)
      return std::optional<ContentDigest>();
    digest.Add(buffer.get(), got);
    if (got < chunk) break;
  }
  return std::optional<ContentDigest>(digest.Finish());
}

}  // namespace imgmill
