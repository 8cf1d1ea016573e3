// Finds where a path enters an archive.
#include "archive/archive_path.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/path_parts.h"
#include "imgmill/base/errno_error.h"

namespace imgmill {
namespace {

constexpr std::string_view kEnding = ".tar";

bool IsRegular(const std::string& path, struct stat& info) {
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

/// Whether a path that the system does not know may lead into an archive.
bool MayLeadInto(const std::string& path, int error) {
  return error == ENOTDIR || MayLeadIntoStdinArchive(path);
}

/// The system's word for an error of ours.
int ErrnoOf(Code code) {
  if (code == Code::kNotFound) return ENOENT;
  if (code == Code::kPermission) return EACCES;
  if (code == Code::kInterrupted) return EINTR;
  if (code == Code::kTooLarge) return ENOMEM;
  return code == Code::kReadError ? EIO : ENOTDIR;
}

}  // namespace

bool IsArchiveName(std::string_view path) {
  if (path.size() <= kEnding.size() || path[path.size() - kEnding.size() - 1] == '/') return false;
  const std::string_view end = path.substr(path.size() - kEnding.size());
  return std::equal(end.begin(), end.end(), kEnding.begin(), [](char c, char lower) {
    return c == lower || (c >= 'A' && c <= 'Z' && c - 'A' + 'a' == lower);
  });
}

bool IsArchive(const std::string& path) {
  struct stat info {};
  return IsArchiveName(path) && IsRegular(OnDisk(path), info);
}

std::optional<ArchivePath> IntoArchive(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    std::string archive = path.substr(0, slash);
    if (!IsArchive(archive)) continue;
    std::string inner = WithoutRedundancy(std::string_view(path).substr(slash + 1));
    if (inner == ".") inner.clear();
    return ArchivePath{std::move(archive), std::move(inner)};
  }
  return std::nullopt;
}

std::optional<ArchivePath> AtOrIntoArchive(const std::string& path) {
  if (IsArchive(path)) return ArchivePath{path, ""};
  return IntoArchive(path);
}

int StatPath(const std::string& path, struct stat* info) {
  if (::stat(path.c_str(), info) == 0) return 0;
  const int error = errno;
  if (!MayLeadInto(path, error)) return -1;
  const std::optional<ArchivePath> into = AtOrIntoArchive(path);
  if (!into || ::stat(OnDisk(into->archive).c_str(), info) != 0) {
    errno = error;
    return -1;
  }
  if (IsStdinArchive(path)) return 0;
  const Result<std::shared_ptr<const TarIndex>> index = OpenArchive(into->archive);
  if (!index) {
    errno = ErrnoOf(index.error().code);
    return -1;
  }
  const std::optional<TarIndex::Member> member = (*index)->Find(into->inner);
  if (!member && !(*index)->HasFolder(into->inner)) {
    errno = ENOENT;
    return -1;
  }
  const mode_t permissions = info->st_mode & 0666U;
  info->st_mode = member ? S_IFREG | permissions : S_IFDIR | permissions | 0111U;
  info->st_nlink = 1;
  info->st_size = member ? static_cast<off_t>(member->bytes) : 0;
  // So that no two members pass for two names of one file.
  constexpr uint64_t kSpread = 0x9E3779B97F4A7C15;
  info->st_ino = (info->st_ino * kSpread ^ (member ? member->start : 0)) | 1;
  return 0;
}

Error StatError(const std::string& path, int number) {
  if (number == EINTR) return {Stage::kList, Code::kInterrupted, "stopped while an archive was read"};
  const std::optional<ArchivePath> into =
      number == ENOENT || number == ENOTDIR || number == ENOMEM ? IntoArchive(path) : std::nullopt;
  if (!into) return ErrnoError(Stage::kList, number, "");
  const Result<std::shared_ptr<const TarIndex>> index = OpenArchive(into->archive);
  if (!index) return index.error();
  Error missing = ErrnoError(Stage::kList, ENOENT, "");
  for (const TarIndex::Problem& each : (*index)->problems()) {
    if (each.name == into->inner) return each.error;
    // It may be behind that.
    if (each.name.empty()) missing.message += "; of the archive: " + each.error.message;
  }
  return missing;
}

bool IsGone(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 || StatPath(path, &info) == 0) return false;
  return errno == ENOENT || errno == ENOTDIR;
}

bool HoldsFiles(const std::string& path) {
  struct stat info {};
  return StatPath(path, &info) == 0 &&
         (S_ISDIR(info.st_mode) || (S_ISREG(info.st_mode) && IsArchiveName(path)));
}

std::string CanonicalOrSame(const std::string& path) {
  if (std::optional<std::string> there = Canonical(path)) return *std::move(there);
  if (errno != ENOTDIR) return path;
  const std::optional<ArchivePath> into = IntoArchive(path);
  const std::optional<std::string> archive = into ? Canonical(into->archive) : std::nullopt;
  if (!archive) return path;
  return into->inner.empty() ? *archive : Join(*archive, into->inner);
}

}  // namespace imgmill
