// Paths that lead into tar archives, as "shards/0001.tar/cat.jpg" does: an archive is a folder that cannot be
// changed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/tar_index.h"

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

/// What an archive holds. Those last looked at are kept in memory (at most kShelfBytes of them, or one),
/// since the images of a run are opened one by one; an archive that has changed is read again. From any
/// thread. Errors as TarIndex::Read's, and kNotFound, kPermission.
Result<std::shared_ptr<const TarIndex>> OpenArchive(const std::string& archive);
inline constexpr size_t kShelfBytes = size_t{32} << 20;

/// As ::stat, and for members of archives: their size, the archive's times and owner, and a number of their
/// own in place of an inode's. What lies deeper than a member is a folder. 0, or -1 with errno set.
int StatPath(const std::string& path, struct stat* info);

/// A folder, an archive, or a folder in one.
bool HoldsFiles(const std::string& path);

/// realpath, of the archive where the path leads into one; the path itself where that fails.
std::string CanonicalOrSame(const std::string& path);

}  // namespace imgmill
