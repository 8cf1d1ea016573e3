#include "readable_file.h"

#include <unistd.h>

#include <cerrno>

#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

std::optional<std::string> CheckReadable(const std::string& path, const char* what) {
  if (::access(path.c_str(), R_OK) == 0) return std::nullopt;
  return PrintablePath(path) + ": the " + what + " cannot be opened: " + ErrnoText(errno);
}

}  // namespace imgmill
