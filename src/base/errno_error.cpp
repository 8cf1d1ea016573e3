#include "imgmill/base/errno_error.h"

#include <cerrno>
#include <system_error>

namespace imgmill {

std::string ErrnoText(int errno_value) {
  return std::generic_category().message(errno_value);
}

Code CodeOfErrno(Stage stage, int errno_value) {
  switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:  // ulimit -f, or all that the file system can hold
      return Code::kDiskFull;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermission;
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    default:
      break;
  }
  const bool writing =
      stage == Stage::kWrite || stage == Stage::kEncode || stage == Stage::kAct || stage == Stage::kCatalog;
  return writing ? Code::kWriteError : Code::kReadError;
}

Error ErrnoError(Stage stage, int errno_value, const std::string& what) {
  return Error{stage, CodeOfErrno(stage, errno_value),
               (what.empty() ? "" : what + ": ") + ErrnoText(errno_value)};
}

}  // namespace imgmill
