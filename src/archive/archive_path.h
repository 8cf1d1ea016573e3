// Paths that lead into tar archives, as "shards/0001.tar/cat.jpg" does: an archive is a folder that cannot be
// changed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/tar_index.h"
#include "imgmill/base/stop_flag.h"

struct stat;

namespace imgmill {

/// The end of an archive's name, in any case.
bool IsArchiveName(std::string_view path);
/// A regular file of such a name.
bool IsArchive(const std::string& path);

struct ArchivePath {
  std::string archive;
  std::string inner;  ///< without redundancy; "" is the archive itself
};
/// Of a path that goes on behind an archive, whether or not there is such a member.
std::optional<ArchivePath> IntoArchive(const std::string& path);
/// Of that, or of the archive itself.
std::optional<ArchivePath> AtOrIntoArchive(const std::string& path);

/// The name of the archive on stdin, once it was taken.
inline constexpr std::string_view kStdinArchive = "stdin.tar";
/// Copies stdin to a file without a name in $TMPDIR, since archives are read by place; from then on
/// kStdinArchive, and that name made absolute, are paths of that file. Once a process, before other threads.
/// Errors: kConflict if a file in the current folder has that name, kInterrupted when `stop` says so,
/// kReadError, kDiskFull.
Status TakeStdinArchive(const StopFlag& stop);
bool HasStdinArchive();
/// By either path; false before it was taken.
bool IsStdinArchive(std::string_view path);
/// False only where `path` cannot be that of the archive on stdin or of a member of it.
bool MayLeadIntoStdinArchive(std::string_view path);
/// Where the system finds an archive.
std::string OnDisk(const std::string& archive);

/// What an archive holds, read once and kept; see archive_shelf.h. An archive that has changed is read again.
/// From any thread. Errors as TarIndex::Read's, kNotFound, kPermission, and kTooLarge where memory has no
/// room for it.
Result<std::shared_ptr<const TarIndex>> OpenArchive(const std::string& archive);

/// As ::stat, and for members of archives: their size, the archive's times and owner, and a number of their
/// own in place of an inode's. What lies deeper than a member is a folder. 0, or -1 with errno set.
int StatPath(const std::string& path, struct stat* info);

/// Whether nothing is there, as a file or as a member of an archive. A link counts as there wherever it
/// leads, and so does what cannot be looked at: a folder that may not be read, a disk that does not answer.
bool IsGone(const std::string& path);

/// Why StatPath has failed with `number`: what is told of that member of an archive, or of the archive, where
/// the path leads into one; else the system's words. Stage kList.
Error StatError(const std::string& path, int number);

/// A folder, an archive, or a folder in one.
bool HoldsFiles(const std::string& path);

/// realpath, of the archive where the path leads into one; the path itself where that fails.
std::string CanonicalOrSame(const std::string& path);

}  // namespace imgmill
