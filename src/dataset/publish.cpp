// Files appear whole or not at all: sync, rename, sync of the folder.
#include "imgmill/dataset/publish.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <map>
#include <set>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

Status SyncFile(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() || ::fsync(file.get()) != 0) return ErrnoError(Stage::kWrite, errno, "sync");
  return {};
}

Status Place(const std::string& temporary, const std::string& path, bool overwrite) {
  if (overwrite) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) return ErrnoError(Stage::kWrite, errno, "rename");
    return {};
  }
  Status placed = RenameWithoutReplacing(temporary, path, Stage::kWrite);
  if (placed || placed.error().code != Code::kConflict) return placed;
  Error error = placed.error();
  error.message += " (--force replaces it)";
  return error;
}

}  // namespace

bool Exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

Status MakeFolders(const std::string& path) {
  const std::string clean = WithoutRedundancy(path);
  if (::mkdir(clean.c_str(), 0777) == 0) return {};
  if (errno == ENOENT) {
    const std::string parent = ParentOf(clean);
    if (parent == clean || parent == ".")
      return ErrnoError(Stage::kWrite, ENOENT, "make folder " + PrintablePath(clean));
    TRY(MakeFolders(parent));
    if (::mkdir(clean.c_str(), 0777) == 0) return {};
  }
  const int problem = errno;
  struct stat info {};
  if (::stat(clean.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  // In the words in which plans and dry runs foretell it.
  TRY(CheckTargetFolder(clean));
  return ErrnoError(Stage::kWrite, problem, "make folder " + PrintablePath(clean));
}

Status RenameWithoutReplacing(const std::string& from, const std::string& to, Stage stage) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  // Network and FUSE file systems may not know the flag; a hard link refuses an existing target everywhere.
  const auto unknown = [] { return errno == EINVAL || errno == ENOSYS || errno == ENOTSUP; };
  if (unknown()) {
    if (::link(from.c_str(), to.c_str()) == 0) {
      if (::unlink(from.c_str()) == 0) return {};
      const Error error = ErrnoError(stage, errno, "remove " + PrintablePath(from));
      ::unlink(to.c_str());  // it has one name, as before
      return error;
    }
    // Those of object stores know neither: there, the look and the rename have a moment between them.
    if (unknown() || errno == EPERM) {
      if (Exists(to)) {
        errno = EEXIST;
      } else if (::rename(from.c_str(), to.c_str()) == 0) {
        return {};
      }
    }
  }
  if (errno == EEXIST) {
    return Error{stage, Code::kConflict, PrintablePath(to) + " exists already"};
  }
  return ErrnoError(stage, errno, "rename to " + PrintablePath(to));
}

Status SyncFolder(const std::string& path) {
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return ErrnoError(Stage::kWrite, errno, "open folder " + PrintablePath(path));
  // Some file systems cannot sync a folder, and say so by EINVAL; their renames are as durable as they get.
  if (::fsync(folder.get()) != 0 && errno != EINVAL && errno != EBADF) {
    return ErrnoError(Stage::kWrite, errno, "sync folder " + PrintablePath(path));
  }
  return {};
}

Status Publish(const std::string& temporary, const std::string& path, bool overwrite) {
  Status status = SyncFile(temporary);
  if (status) status = Place(temporary, path, overwrite);
  if (!status) {
    ::unlink(temporary.c_str());  // on a full disk it would stand in the way of the next one
    return status;
  }
  return SyncFolder(ParentOf(path));
}

Status PublishTogether(std::span<const ReadyFile> files) {
  Status status;
  size_t placed = 0;
  for (size_t i = 0; i < files.size() && status; ++i) status = SyncFile(files[i].temporary);
  while (placed < files.size() && status) {
    status = Place(files[placed].temporary, files[placed].path, files[placed].replaces);
    if (status) ++placed;
  }
  std::set<std::string> folders;
  for (const ReadyFile& file : files) folders.insert(ParentOf(file.path));
  for (auto folder = folders.begin(); folder != folders.end() && status; ++folder)
    status = SyncFolder(*folder);
  if (status) return {};
  for (size_t i = 0; i < files.size(); ++i) {
    if (i < placed) ::unlink(files[i].path.c_str());
    ::unlink(files[i].temporary.c_str());
  }
  return status;
}

std::vector<Status> PublishEach(std::span<const ReadyFile> files) {
  std::vector<Status> published(files.size());
  for (size_t i = 0; i < files.size(); ++i) published[i] = SyncFile(files[i].temporary);
  std::map<std::string, Status> folders;
  for (size_t i = 0; i < files.size(); ++i) {
    if (published[i]) published[i] = Place(files[i].temporary, files[i].path, files[i].replaces);
    if (published[i])
      folders.emplace(ParentOf(files[i].path), Status());
    else
      ::unlink(files[i].temporary.c_str());
  }
  for (auto& [folder, synced] : folders) synced = SyncFolder(folder);
  for (size_t i = 0; i < files.size(); ++i) {
    if (!published[i]) continue;
    published[i] = folders.at(ParentOf(files[i].path));
    if (!published[i]) ::unlink(files[i].path.c_str());
  }
  return published;
}

namespace {

Status WriteAll(int fd, const TextWriter& write) {
  constexpr size_t kPieceBytes = size_t{64} << 10;
  std::string piece;
  const auto drain = [&]() -> Status {
    if (!WriteFull(fd, piece.data(), piece.size())) return ErrnoError(Stage::kWrite, errno, "write");
    piece.clear();
    return {};
  };
  const Status made = write([&](std::string_view text) {
    piece.append(text);
    return piece.size() < kPieceBytes ? Status() : drain();
  });
  return made ? drain() : made;
}

TextWriter Just(std::string_view content) {
  return [content](const TextSink& put) { return put(content); };
}

}  // namespace

Status WriteNewFile(const std::string& path, const TextWriter& write) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.valid()) return ErrnoError(Stage::kWrite, errno, "create");
  Status status = WriteAll(file.get(), write);
  if (status) ::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  if (!file.Close() && status) status = ErrnoError(Stage::kWrite, errno, "write");
  if (!status) ::unlink(path.c_str());
  return status;
}

Status WriteNewFile(const std::string& path, std::string_view content) {
  return WriteNewFile(path, Just(content));
}

namespace {

Status WriteAtomically(const std::string& path, const TextWriter& write) {
  const std::string temporary = TemporaryNameFor(path);
  TRY(WriteNewFile(temporary, write));
  return Publish(temporary, path, true);
}

}  // namespace

Status WriteNamedFile(const std::string& path, const TextWriter& write) {
  struct stat there = {};
  if (::stat(path.c_str(), &there) != 0 || S_ISREG(there.st_mode)) {
    // Through a link to the file that it names: what is renamed in its place would cut it off.
    const std::string target = CanonicalOrSame(path);
    SweepTemporaries(ParentOf(target), /*recursive=*/false);
    return WriteAtomically(target, write);
  }
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return ErrnoError(Stage::kWrite, errno, "open");
  return WriteAll(file.get(), write);
}

Status WriteNamedFile(const std::string& path, std::string_view content) {
  return WriteNamedFile(path, Just(content));
}

Status WriteFileAtomically(const std::string& path, std::string_view content) {
  return WriteAtomically(path, Just(content));
}

}  // namespace imgmill
