// What the system's error numbers mean.
#pragma once

#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// The system's words for it. (Not strerror: threads share its buffer.)
std::string ErrnoText(int errno_value);

/// ENOSPC, EDQUOT and EFBIG are kDiskFull; EACCES, EPERM and EROFS kPermission; ENOENT and ENOTDIR kNotFound;
/// else kWriteError for the stages that write (encode, write, act, catalog) and kReadError for the others.
Code CodeOfErrno(Stage stage, int errno_value);

/// The message is `what`, a colon and the system's words.
Error ErrnoError(Stage stage, int errno_value, const std::string& what);

}  // namespace imgmill
