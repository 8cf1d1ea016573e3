// Whether files have the content that was seen, or each other's: by bytes, where stamps are no proof.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/file_identity.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/dataset/running_digest.h"

namespace imgmill {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10;

Result<UniqueFd> OpenFile(const std::string& path, int64_t& size) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0)
    return ErrnoError(Stage::kDecode, errno, "open " + PrintablePath(path));
  if (!S_ISREG(info.st_mode))
    return Error{Stage::kDecode, Code::kUnsupported, PrintablePath(path) + " is not a regular file"};
  size = info.st_size;
  return file;
}

Result<size_t> ReadSome(const UniqueFd& file, const std::string& path, char* buffer, size_t size) {
  const ssize_t got = ReadFull(file.get(), buffer, size);
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
  int64_t size = 0;
  int64_t other_size = 0;
  const UniqueFd first = TRY(OpenFile(path, size));
  const UniqueFd second = TRY(OpenFile(other, other_size));
  if (size != other_size) return std::optional<ContentDigest>();

  // One byte more than the size, so that a small file is known to be at its end after one read.
  const size_t chunk = std::min(kChunkBytes, static_cast<size_t>(size) + 1);
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
