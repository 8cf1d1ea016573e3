// Files appear whole or not at all: written under a temporary name, synced, renamed. And the lock that keeps
// two runs out of one folder.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/errno_error.h"
#include "imgmill/base/text_sink.h"

namespace imgmill {

/// Whatever it is, also a link that leads nowhere.
bool Exists(const std::string& path);

/// mkdir -p. A file in the way is kConflict; what CheckTargetFolder refuses is said in its words.
Status MakeFolders(const std::string& path);

/// Whether files can be made in a folder that may have to be made first, said without making anything:
/// kConflict for a file in the way, kPermission where nobody may write. For plans and dry runs: who makes the
/// folder need not ask.
Status CheckTargetFolder(const std::string& path);

/// ".NAME.imgmill-HOST-PID-RUN-N.tmp" beside `path`: hidden from listings, unique in this process, and
/// telling SweepTemporaries who writes it. NAME is cut where the whole would be too long.
std::string TemporaryNameFor(const std::string& path);

/// rename(2) that refuses an existing target (kConflict), on every file system.
Status RenameWithoutReplacing(const std::string& from, const std::string& to, Stage stage);

/// fsync of a folder, so that the names in it survive a power cut.
Status SyncFolder(const std::string& path);

/// fsync of the file, rename to `path`, fsync of the folder. `overwrite` false refuses an existing target
/// (kConflict). If it fails, the temporary file is removed.
Status Publish(const std::string& temporary, const std::string& path, bool overwrite);

/// A complete temporary file and the path it is to have.
struct ReadyFile {
  std::string temporary;
  std::string path;
  bool replaces = true;  ///< what is at `path`; otherwise a file there is kConflict
};

/// Publishes files that belong together: fsync of all, then the renames, then one
/// fsync of each folder. If it fails, none of `files` is left, under neither name. (A process killed between
/// two renames leaves the first ones: whoever starts again has to know that they belong together.)
Status PublishTogether(std::span<const ReadyFile> files);

/// Publishes files that have nothing to do with each other, in the same order of syncs: one that fails is
/// left under neither name, and the others as they are. Much faster than one after the other.
/// @return for each of `files` what Publish would
std::vector<Status> PublishEach(std::span<const ReadyFile> files);

/// Makes a file that must not exist yet, and has the disk begin to write it. Removed again if it fails.
Status WriteNewFile(const std::string& path, const TextWriter& write);
Status WriteNewFile(const std::string& path, std::string_view content);

/// Writes `content` to `path` through a temporary file and Publish; an existing file is replaced.
Status WriteFileAtomically(const std::string& path, std::string_view content);
/// Writes a file that a user has named. A regular file is replaced atomically; a link is followed, and a
/// pipe or device is written to.
Status WriteNamedFile(const std::string& path, const TextWriter& write);
Status WriteNamedFile(const std::string& path, std::string_view content);

/// Removes the temporary files below `folder` (right in it, if not `recursive`) that no process is writing
/// any more: of a process of this host that is gone, or of any host when untouched for a day. Those of this
/// run, and of others that live, stay. Links are not followed.
void SweepTemporaries(const std::string& folder, bool recursive = true);

/// An advisory lock (flock) on FOLDER/.imgmill.lock that holds pid, host, command and start of its holder.
/// Freed by the kernel when the process ends, however it ends.
class FolderLock {
 public:
  /// Makes the folder if need be. kLocked names the holder: "out is locked by imgmill (pid 4711, "imgmill
  /// dedup photos", since 2026-01-02 03:04:05)", with the host's name if it is another.
  static Result<std::unique_ptr<FolderLock>> Take(const std::string& folder, const std::string& command);
  /// Lets go, and removes the lock file.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  FolderLock() = default;
  int fd_ = -1;
  std::string path_;
};

}  // namespace imgmill
