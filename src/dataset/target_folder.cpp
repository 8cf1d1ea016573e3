// Asks the nearest folder that is there already, and makes nothing: plans and dry runs ask, too.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/path_parts.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr const char* kElsewhere = " (choose another folder, or change its permissions)";

/// File systems that are the kernel's own word: whatever their permissions say, nobody can make files there.
bool HoldsNoFiles(const std::string& folder) {
  constexpr std::array<uint64_t, 4> kKernels = {PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC,
                                                CGROUP2_SUPER_MAGIC};
  struct statfs about {};
  return ::statfs(folder.c_str(), &about) == 0 &&
         std::find(kKernels.begin(), kKernels.end(), static_cast<uint64_t>(about.f_type)) != kKernels.end();
}

Error Unwritable(const std::string& folder, int problem, bool itself) {
  const char* const what = itself ? ": cannot create files in it" : ": cannot create a folder there";
  Error error = ErrnoError(Stage::kWrite, problem, PrintablePath(folder) + what);
  error.message += kElsewhere;
  return error;
}

}  // namespace

Status CheckTargetFolder(const std::string& path) {
  const std::string wanted = WithoutRedundancy(path);
  std::string at = wanted.empty() ? "." : wanted;
  struct stat info {};
  while (::stat(at.c_str(), &info) != 0) {
    const int problem = errno;
    if (::lstat(at.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
      return Error{Stage::kWrite, Code::kConflict,
                   PrintablePath(at) +
                       " is a broken link, where a folder is needed (choose another "
                       "folder, or remove the link)"};
    }
    const std::string parent = ParentOf(at);
    // ENOTDIR: one above is a file, and found when its turn comes.
    if ((problem != ENOENT && problem != ENOTDIR) || parent == at) return Unwritable(wanted, problem, false);
    at = parent;
  }
  if (!S_ISDIR(info.st_mode)) {
    return Error{Stage::kWrite, Code::kConflict,
                 PrintablePath(at) +
                     " is a file, where a folder is needed (choose another folder, or move the "
                     "file away)"};
  }
  const bool itself = at == wanted;
  if (::faccessat(AT_FDCWD, at.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    return Unwritable(wanted, errno, itself);
  if (HoldsNoFiles(at)) return Unwritable(wanted, EROFS, itself);
  return {};
}

}  // namespace imgmill
