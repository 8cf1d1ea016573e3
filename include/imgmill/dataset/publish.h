// Files appear whole or not at all: written under a temporary name, synced, renamed. And the lock that keeps
// two runs out of one folder.
#pragma once

#include <memory>
#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// Maps errno to an Error: ENOSPC and EDQUOT to kDiskFull, EACCES and EPERM and EROFS to kPermission, ENOENT
/// to kNotFound, else kReadError or kWriteError by `stage`; the message is `what` and strerror.
Error ErrnoError(Stage stage, int errno_value, const std::string& what);

/// mkdir -p.
Status MakeFolders(const std::string& path);

/// ".NAME.imgmill-PID-N.tmp" beside `path`: hidden from listings, removable by pattern after a kill.
std::string TemporaryNameFor(const std::string& path);

/// fsync of the file, rename to `path`, fsync of the folder. `overwrite` false refuses an existing target
/// (kConflict).
Status Publish(const std::string& temporary, const std::string& path, bool overwrite);

/// Writes `content` to `path` through a temporary file and Publish.
Status WriteFileAtomically(const std::string& path, std::string_view content);

/// Removes temporary files that a killed run of ours left below `folder` (their process is gone).
void SweepTemporaries(const std::string& folder);

/// An advisory lock (flock) on FOLDER/.imgmill.lock that holds pid, host, command and start of its holder.
/// Freed by the kernel when the process ends, however it ends.
class FolderLock {
 public:
  /// kLocked names the holder: "locked by imgmill (pid 4711, "imgmill dedup photos", since 2026-01-02
  /// 03:04:05)".
  static Result<std::unique_ptr<FolderLock>> Take(const std::string& folder, const std::string& command);
  ~FolderLock();

 private:
  FolderLock() = default;
  int fd_ = -1;
};

}  // namespace imgmill
