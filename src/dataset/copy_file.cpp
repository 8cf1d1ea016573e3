// A copy of a file that is as good as the file: bytes, mode, times, and extended attributes where they can be
// kept.
#include "dataset/copy_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/file_part.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

/// What `read` gives into a buffer that is as large as it asks for; nothing if it fails.
template <typename Read>
std::optional<std::string> ReadAttribute(Read read) {
  std::string bytes;
  // Another process may make it longer meanwhile.
  for (int tries = 0; tries < 4; ++tries) {
    const ssize_t size = read(nullptr, 0);
    if (size < 0) return std::nullopt;
    bytes.resize(static_cast<size_t>(size));
    const ssize_t got = read(bytes.data(), bytes.size());
    if (got >= 0) {
      bytes.resize(static_cast<size_t>(got));
      return bytes;
    }
    if (errno != ERANGE) return std::nullopt;
  }
  return std::nullopt;
}

/// Ratings and tags of file managers live here. A file system without them keeps none, which is no failure.
void CopyAttributes(int from, int to) {
  const std::optional<std::string> names =
      ReadAttribute([from](char* out, size_t size) { return ::flistxattr(from, out, size); });
  if (!names) return;
  for (size_t at = 0; at < names->size();) {
    const char* name = names->c_str() + at;
    at += std::string_view(name).size() + 1;
    const std::optional<std::string> value =
        ReadAttribute([&](char* out, size_t size) { return ::fgetxattr(from, name, out, size); });
    if (value && ::fsetxattr(to, name, value->data(), value->size(), 0) != 0) continue;
  }
}

Status CopyBytes(FilePart& from, int to) {
  const std::unique_ptr<char[]> buffer(new char[kChunkBytes]);
  while (true) {
    const ssize_t got = from.Read(buffer.get(), kChunkBytes);
    if (got < 0) return Error{Stage::kAct, Code::kReadError, ErrnoError(Stage::kAct, errno, "read").message};
    if (got == 0) return {};
    if (!WriteFull(to, buffer.get(), static_cast<size_t>(got))) return ErrnoError(Stage::kAct, errno, "copy");
  }
}

Status FillCopy(const std::string& from, int to, const CopiedAs& as) {
  std::optional<FilePart> source = FilePart::Open(from);
  if (!source) return ErrnoError(Stage::kAct, errno, "open " + PrintablePath(from));
  const struct stat& info = source->info();
  TRY(CopyBytes(*source, to));
  // Only root may give a file away; for others it stays theirs.
  if (::fchown(to, info.st_uid, info.st_gid) != 0 && errno != EPERM)
    return ErrnoError(Stage::kAct, errno, "set the owner");
  if (::fchmod(to, static_cast<mode_t>(as.mode & 07777)) != 0 && errno != EPERM) {
    return ErrnoError(Stage::kAct, errno, "set the mode");
  }
  if (!source->is_member()) CopyAttributes(source->descriptor(), to);
  const timespec mtime{static_cast<time_t>(as.mtime_ns / 1'000'000'000),
                       static_cast<long>(as.mtime_ns % 1'000'000'000)};
  const timespec times[2] = {info.st_atim, mtime};
  if (::futimens(to, times) != 0) return ErrnoError(Stage::kAct, errno, "set the time");
  return {};
}

}  // namespace

Status CopyFile(const std::string& from, const std::string& to, const CopiedAs& as) {
  const std::string temporary = TemporaryNameFor(to);
  UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return ErrnoError(Stage::kAct, errno, "create a copy in " + PrintablePath(to));
  Status status = FillCopy(from, file.get(), as);
  if (!file.Close() && status) status = ErrnoError(Stage::kAct, errno, "copy");
  if (status && as.expected) {
    // What is on the disk counts, not what was meant to be.
    const Result<ContentDigest> digest = DigestOf(temporary);
    if (!digest) {
      status = digest.error();
    } else if (*digest != *as.expected) {
      status = Error{Stage::kAct, Code::kConflict,
                     PrintablePath(from) + " has changed since, so its bytes differ"};
    }
  }
  if (!status) {
    ::unlink(temporary.c_str());
    return status;
  }
  return Publish(temporary, to, as.overwrite);
}

}  // namespace imgmill
