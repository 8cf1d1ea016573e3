// Tables are read more than once, or from their end: only regular files will do.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "base/usage_error.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/result.h"

namespace imgmill {

struct OpenedTable {
  UniqueFd fd;
  int64_t bytes = 0;
};

/// A regular file, to be read. Errors are of stage kConfigure and name it.
inline Result<OpenedTable> OpenTable(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0)
    return ErrnoError(Stage::kConfigure, errno, PrintablePath(path));
  if (!S_ISREG(status.st_mode)) return UsageError(PrintablePath(path) + ": it is no regular file");
  return OpenedTable{std::move(fd), status.st_size};
}

}  // namespace imgmill
