// Opens the archive where the path leads into one.
#include "archive/file_part.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "archive/archive_path.h"

namespace imgmill {
namespace {

/// The archive has become another one meanwhile.
std::nullopt_t Missing() {
  errno = ENOENT;
  return std::nullopt;
}

}  // namespace

std::optional<FilePart> FilePart::Open(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  FilePart part;
  part.file_ = UniqueFd(::open(path.c_str(), kFlags));
  if (part.file_.valid()) {
    if (::fstat(part.file_.get(), &part.info_) != 0) return std::nullopt;
    return part;
  }
  const int error = errno;
  if (StatPath(path, &part.info_) != 0) return std::nullopt;
  const std::optional<ArchivePath> into = IntoArchive(path);
  if (!into) errno = error;
  if (S_ISDIR(part.info_.st_mode)) errno = EISDIR;
  if (!into || S_ISDIR(part.info_.st_mode)) return std::nullopt;
  const Result<std::shared_ptr<const TarIndex>> index = OpenArchive(into->archive);
  if (!index) return Missing();
  const std::optional<TarIndex::Member> member = (*index)->Find(into->inner);
  if (!member) return Missing();
  part.file_ = UniqueFd(::open(OnDisk(into->archive).c_str(), kFlags));
  if (!part.file_.valid() || ::lseek(part.file_.get(), static_cast<off_t>(member->start), SEEK_SET) < 0)
    return std::nullopt;
  part.info_.st_size = static_cast<off_t>(member->bytes);
  part.start_ = member->start;
  part.left_ = member->bytes;
  part.member_ = true;
  return part;
}

ssize_t FilePart::Read(void* to, size_t bytes) {
  if (member_) bytes = static_cast<size_t>(std::min<uint64_t>(bytes, left_));
  const ssize_t got = ReadFull(file_.get(), to, bytes);
  if (member_ && got > 0) left_ -= static_cast<uint64_t>(got);
  return got;
}

}  // namespace imgmill
