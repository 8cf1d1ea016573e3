// What comes through a pipe is kept until the run is over.
#include <sys/stat.h>

#include <memory>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/stoppable_read.h"
#include "base/temporary_file.h"
#include "base/try.h"

namespace imgmill {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

struct Taken {
  NamelessFile file;
  std::string absolute;  ///< the name as an undo file has it
};

Taken& Kept() {
  static Taken taken;
  return taken;
}

}  // namespace

bool HasStdinArchive() {
  return Kept().file.fd.valid();
}

bool IsStdinArchive(std::string_view path) {
  return HasStdinArchive() && (path == kStdinArchive || path == Kept().absolute);
}

bool MayLeadIntoStdinArchive(std::string_view path) {
  return HasStdinArchive() && (path.starts_with(kStdinArchive) || path.starts_with(Kept().absolute));
}

std::string OnDisk(const std::string& archive) {
  if (!IsStdinArchive(archive)) return archive;
  return "/proc/self/fd/" + std::to_string(Kept().file.fd.get());
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
    const size_t got = TRY(ReadUnlessStopped(STDIN_FILENO, piece.get(), kPieceBytes, &stop, "stdin"));
    if (got == 0) break;
    TRY(file.WriteAt(Stage::kList, piece.get(), got, bytes));
    bytes += got;
  }
  Kept() = {std::move(file), AbsoluteEntry(name)};
  return {};
}

}  // namespace imgmill
