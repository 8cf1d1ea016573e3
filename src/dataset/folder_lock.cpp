// One run at a time in a folder: a kernel lock that ends with its process, and a note saying who holds it.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/path_parts.h"
#include "base/time_text.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr char kLockName[] = ".imgmill.lock";

std::string HostName() {
  char name[256] = {};
  ::gethostname(name, sizeof(name) - 1);
  return PrintablePath(name);
}

std::string Now() {
  return LocalTimeNow("%Y-%m-%d %H:%M:%S");
}

/// The rest of the line that starts with `key` and a space; empty if there is none.
std::string Field(const std::string& note, const std::string& key) {
  const std::string lines = "\n" + note;
  const size_t at = lines.find("\n" + key + " ");
  if (at == std::string::npos) return "";
  const size_t from = at + key.size() + 2;
  const size_t end = lines.find('\n', from);
  // A line without an end is still being written.
  return end == std::string::npos ? "" : PrintablePath(PathFromPrintable(lines.substr(from, end - from)));
}

/// Who holds the lock, as the note says. A holder that has the lock but has not written yet gets a moment.
std::string DescribeHolder(int fd) {
  std::string note;
  for (int attempt = 0; attempt < 20 && Field(note, "since").empty(); ++attempt) {
    if (attempt > 0) ::usleep(10'000);
    char text[8192];
    const ssize_t got = ::pread(fd, text, sizeof(text), 0);
    if (got > 0) note.assign(text, static_cast<size_t>(got));
  }
  if (Field(note, "since").empty()) return "locked by another imgmill (it has not said which)";
  const std::string host = Field(note, "host");
  std::string holder = "locked by imgmill (pid " + Field(note, "pid");
  if (host != HostName()) holder += " on " + host;
  return holder + ", \"" + Field(note, "command") + "\", since " + Field(note, "since") + ")";
}

bool SameFile(int fd, const std::string& path) {
  struct stat held {};
  struct stat named {};
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

}  // namespace

Result<std::unique_ptr<FolderLock>> FolderLock::Take(const std::string& folder, const std::string& command) {
  TRY(MakeFolders(folder));
  const std::string path = Join(folder, kLockName);
  while (true) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file.valid()) return ErrnoError(Stage::kWrite, errno, "open the lock file " + PrintablePath(path));
    int taken = ::flock(file.get(), LOCK_EX | LOCK_NB);
    while (taken != 0 && errno == EINTR) taken = ::flock(file.get(), LOCK_EX | LOCK_NB);
    if (taken != 0 && errno == EWOULDBLOCK) {
      return Error{Stage::kWrite, Code::kLocked, PrintablePath(folder) + " is " + DescribeHolder(file.get())};
    }
    if (taken != 0) {
      Error error = ErrnoError(Stage::kWrite, errno, "lock " + PrintablePath(path));
      error.message += " (this file system may have no locks: use a folder on a local disk)";
      return error;
    }
    // The last holder removes the file when it lets go; whoever had it open then locks a file without a name.
    if (!SameFile(file.get(), path)) continue;
    const std::string note = "pid " + std::to_string(::getpid()) + "\nhost " + HostName() + "\ncommand " +
                             PrintablePath(command.substr(0, 1024)) + "\nsince " + Now() + "\n";
    // Without the note the lock holds all the same; on a full disk it only cannot say whose it is.
    if (::ftruncate(file.get(), 0) != 0 || !WriteFull(file.get(), note.data(), note.size())) {
      if (errno != ENOSPC && errno != EDQUOT)
        return ErrnoError(Stage::kWrite, errno, "write " + PrintablePath(path));
    }
    std::unique_ptr<FolderLock> lock(new FolderLock);
    lock->fd_ = file.Release();
    lock->path_ = path;
    return lock;
  }
}

FolderLock::~FolderLock() {
  if (SameFile(fd_, path_)) ::unlink(path_.c_str());
  ::close(fd_);
}

}  // namespace imgmill
