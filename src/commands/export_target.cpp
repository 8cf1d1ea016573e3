// A folder that may be written to, and no image in the way.
#include "export_target.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/may_overwrite.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

Status MayPutInto(const std::string& flag, const std::string& path, const StepsBefore& before) {
  const std::string folder = ParentOf(path);
  if (std::error_code none;
      std::filesystem::exists(folder, none) && !std::filesystem::is_directory(folder, none))
    return OfTarget(flag, path, ErrnoError(Stage::kWrite, ENOTDIR, PrintablePath(folder)));
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    const bool missing = errno == ENOENT;
    Error error = ErrnoError(Stage::kWrite, errno, "create the file");
    if (missing && before.MayMake(folder)) return {};
    if (missing) error.message += " (make the folder " + PrintablePath(folder) + " first, or name another)";
    return OfTarget(flag, path, error);
  }
  return {};
}

Status MayExport(const std::string& flag, const std::string& path, WrittenAs as, const StepsBefore& before) {
  if (path.empty()) return {};
  TRY(MayPutInto(flag, path, before));
  if (std::error_code none; std::filesystem::is_directory(path, none))
    return OfTarget(flag, path, ErrnoError(Stage::kWrite, EISDIR, "replace the file"));
  return MayOverwrite(flag, path, as);
}

bool LeavesExport(const std::string& path, uint64_t images, const CommandServices& services,
                  CommandResult& result) {
  if (images > 0 || services.shared->force || !Exists(path)) return false;
  if (services.all_dropped && services.unlisted_input.empty()) return false;
  const Error why{
      Stage::kWrite, Code::kNotFound,
      "what is there is left as it is, as there is no image to export: look at the input (--force "
      "replaces it)"};
  services.log(LogLevel::kError, Describe(path, why));
  result.action_failures.Add({path, why});
  return true;
}

Error OfTarget(const std::string& flag, const std::string& path, const Error& error) {
  return {error.stage, error.code, flag + " " + PrintablePath(path) + ": " + error.message};
}

}  // namespace imgmill
