// What comes through a pipe is kept until the run is over.
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "archive/archive_path.h"
#include "base/temporary_file.h"
#include "base/try.h"
#include "imgmill/base/errno_error.h"

namespace imgmill {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr int kStopPollMs = 100;

NamelessFile& Kept() {
  static NamelessFile file;
  return file;
}

/// 0 at the end. A pipe on which nothing comes does not keep the run from being stopped.
Result<size_t> ReadPiece(char* to, const StopFlag& stop) {
  while (true) {
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kStopPollMs);
    if (stop.StopRequested())
      return Error{Stage::kList, Code::kInterrupted, "stopped while stdin was read; nothing was done"};
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t got = ::read(STDIN_FILENO, to, kPieceBytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return ErrnoError(Stage::kList, errno, "read stdin");
    return static_cast<size_t>(got);
  }
}

}  // namespace

bool HasStdinArchive() {
  return Kept().fd.valid();
}

std::string OnDisk(const std::string& archive) {
  if (archive != kStdinArchive || !HasStdinArchive()) return archive;
  return "/proc/self/fd/" + std::to_string(Kept().fd.get());
}

Status TakeStdinArchive(const StopFlag& stop) {
  const std::string name(kStdinArchive);
  struct stat there {};
  if (::lstat(name.c_str(), &there) == 0)
    return Error{Stage::kConfigure, Code::kConflict,
                 "- is called " + name + ", and a file here has that name: rename it, or run elsewhere"};
  NamelessFile file = TRY(OpenTemporaryFile(Stage::kList));
  const std::unique_ptr<char[]> piece(new char[kPieceBytes]);
  uint64_t bytes = 0;
  while (true) {
    const size_t got = TRY(ReadPiece(piece.get(), stop));
    if (got == 0) break;
    TRY(file.WriteAt(Stage::kList, piece.get(), got, bytes));
    bytes += got;
  }
  Kept() = std::move(file);
  return {};
}

}  // namespace imgmill
