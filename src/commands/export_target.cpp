// A folder that may be written to, and no image in the way.
#include "export_target.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/may_overwrite.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

Status MayExport(const std::string& flag, const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0)
    return OfTarget(flag, path, ErrnoError(Stage::kWrite, errno, "create the file"));
  if (std::error_code none; std::filesystem::is_directory(path, none))
    return OfTarget(flag, path, ErrnoError(Stage::kWrite, EISDIR, "replace the file"));
  return MayOverwrite(flag, path);
}

std::optional<Error> WhyLeaveExport(const std::string& path, uint64_t images, bool force) {
  if (images > 0 || force || !Exists(path)) return std::nullopt;
  return Error{Stage::kWrite, Code::kNotFound,
               "what is there is left as it is, as there is no image to export: look at the input (--force "
               "replaces it)"};
}

Error OfTarget(const std::string& flag, const std::string& path, const Error& error) {
  return {error.stage, error.code, flag + " " + PrintablePath(path) + ": " + error.message};
}

}  // namespace imgmill
