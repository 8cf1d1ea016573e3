// Opens files without names, also on file systems that know none.
#include "base/temporary_file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

Result<NamelessFile> OpenTemporaryFile(Stage stage) {
  std::optional<Error> first;
  for (const char* folder : {static_cast<const char*>(std::getenv("TMPDIR")), "/var/tmp", "/tmp"}) {
    if (folder == nullptr || *folder == '\0') continue;
    NamelessFile file{UniqueFd(::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)), folder};
    if (file.fd.valid()) return file;
    std::string name = file.folder + "/imgmill-XXXXXX";  // a file system without O_TMPFILE
    file.fd = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
    if (file.fd.valid()) {
      ::unlink(name.c_str());
      return file;
    }
    if (!first) first = TemporaryFileError(stage, errno, "make", folder);
  }
  return *first;
}

Status NamelessFile::WriteAt(Stage stage, const void* data, size_t bytes, uint64_t at) const {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::pwrite(fd.get(), from, bytes, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return TemporaryFileError(stage, errno, "write", folder);
    from += written;
    at += static_cast<uint64_t>(written);
    bytes -= static_cast<size_t>(written);
  }
  return {};
}

Status NamelessFile::ReadAt(Stage stage, void* to, size_t bytes, uint64_t at) const {
  char* into = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = ::pread(fd.get(), into, bytes, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return TemporaryFileError(stage, got < 0 ? errno : EIO, "read", folder);
    into += got;
    at += static_cast<uint64_t>(got);
    bytes -= static_cast<size_t>(got);
  }
  return {};
}

Error TemporaryFileError(Stage stage, int errno_value, const std::string& doing, const std::string& folder) {
  return {stage, CodeOfErrno(Stage::kWrite, errno_value),
          "cannot " + doing + " a temporary file in " + PrintablePath(folder) + ": " +
              ErrnoText(errno_value) + " (set TMPDIR to another folder)"};
}

}  // namespace imgmill
