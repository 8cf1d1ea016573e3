// Mounts are told apart by the kernel's numbers for them.
#include "dataset/trash.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Two folders are on one mount if these agree. Where the kernel has no number of mounts, devices are
/// compared alone.
using Mount = std::pair<uint64_t, uint64_t>;

std::optional<Mount> MountOf(const std::string& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_MNT_ID, &info) != 0)
    return std::nullopt;
  const uint64_t device = (uint64_t{info.stx_dev_major} << 32) | info.stx_dev_minor;
  return Mount{device, (info.stx_mask & STATX_MNT_ID) != 0 ? info.stx_mnt_id : 0};
}

/// Of the nearest folder at or above it that is there.
std::optional<Mount> MountAround(std::string path) {
  for (;; path = ParentOf(path)) {
    if (const std::optional<Mount> mount = MountOf(path)) return mount;
    if (path == "/" || path.empty()) return std::nullopt;
  }
}

std::string TopOfMount(std::string folder, const Mount& mount) {
  while (folder != "/" && MountOf(ParentOf(folder)) == mount) folder = ParentOf(folder);
  return folder;
}

/// Empty where there is none.
std::string HomeTrash() {
  const char* const data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return Join(data, "Trash");
  const char* const home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? Join(home, ".local/share/Trash") : std::string();
}

/// The administrator's trash is to be passed over if it could be another user's.
bool IsForAll(const std::string& trash) {
  struct stat info {};
  return ::lstat(trash.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
}

/// The path without links in its folders, and with its own name.
std::string CanonicalEntry(const std::string& path) {
  const std::string absolute = AbsoluteEntry(path);
  return Join(CanonicalOrSame(ParentOf(absolute)), NameOf(absolute));
}

/// As in a URL, by RFC 2396: bytes that it does not leave as they are become %XX.
std::string Escaped(const std::string& path) {
  constexpr std::string_view kPlain = "-_.!~*'()/";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      escaped += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return escaped;
}

std::string TrashOf(const std::string& target) {
  return ParentOf(ParentOf(target));
}

/// "Path=..." of the note: of the home trash absolute, of another relative to the top of its mount.
std::string PathLine(const std::string& path, const std::string& target) {
  const std::string trash = TrashOf(target);
  const std::string entry = CanonicalEntry(path);
  if (trash == HomeTrash()) return "Path=" + Escaped(entry);
  const std::string above = ParentOf(trash);
  const std::string top = NameOf(above) == ".Trash" ? ParentOf(above) : above;
  const std::string begin = Join(top, "");
  return "Path=" + Escaped(entry.starts_with(begin) ? entry.substr(begin.size()) : entry);
}

Error CannotMake(const std::string& folder) {
  Error error = ErrnoError(Stage::kAct, errno, "make the trash " + PrintablePath(folder));
  error.message += " (--action move puts files into a folder of your choice)";
  return error;
}

Status MakePrivateFolder(const std::string& folder) {
  struct stat info {};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return CannotMake(folder);
  if (::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  errno = ENOTDIR;
  return CannotMake(folder);
}

Status MakeTrash(const std::string& trash) {
  if (trash == HomeTrash()) TRY(MakeFolders(ParentOf(trash)));
  TRY(MakePrivateFolder(trash));
  TRY(MakePrivateFolder(Join(trash, "info")));
  return MakePrivateFolder(Join(trash, "files"));
}

}  // namespace

Result<std::string> TrashTargetOf(const std::string& path) {
  const std::string entry = CanonicalEntry(path);
  const std::string folder = ParentOf(entry);
  const std::optional<Mount> mount = MountOf(folder);
  if (!mount) return ErrnoError(Stage::kAct, errno, "look at the folder " + PrintablePath(folder));
  const std::string home = HomeTrash();
  if (home.empty())
    return Error{Stage::kAct, Code::kUnsupported,
                 "there is no trash: HOME is not set (set it, or use --action move)"};
  const std::string name(NameOf(entry));
  if (MountAround(home) == mount) return Join(home, "files/" + name);
  const std::string top = TopOfMount(folder, *mount);
  const std::string user = std::to_string(::getuid());
  const std::string for_all = Join(top, ".Trash");
  const std::string trash = IsForAll(for_all) ? Join(for_all, user) : Join(top, ".Trash-" + user);
  return Join(trash, "files/" + name);
}

std::string TrashInfoOf(const std::string& target) {
  return Join(TrashOf(target), "info/" + std::string(NameOf(target)) + ".trashinfo");
}

Status WriteTrashInfo(const std::string& path, const std::string& target) {
  TRY(MakeTrash(TrashOf(target)));
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  localtime_r(&now, &local);
  char date[64];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &local);
  const std::string text =
      "[Trash Info]\n" + PathLine(path, target) + "\nDeletionDate=" + std::string(date) + "\n";
  const std::string info = TrashInfoOf(target);
  const UniqueFd file(::open(info.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid() && errno == EEXIST)
    return Error{Stage::kAct, Code::kConflict, PrintablePath(info) + " exists already"};
  if (!file.valid()) return ErrnoError(Stage::kAct, errno, "make " + PrintablePath(info));
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) return {};
  const Error error = ErrnoError(Stage::kAct, written < 0 ? errno : ENOSPC, "write " + PrintablePath(info));
  ::unlink(info.c_str());
  return error;
}

void RemoveTrashInfo(const std::string& target) {
  ::unlink(TrashInfoOf(target).c_str());
}

void RemoveOrphanTrashInfo(const std::string& path, const std::string& target) {
  if (Exists(target)) return;
  std::ifstream file(TrashInfoOf(target), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // One that was cut off is nobody else's either: others make theirs whole, or name another file.
  const std::string begin = "[Trash Info]\n" + PathLine(path, target) + "\n";
  if (file.is_open() && (text.starts_with(begin) || begin.starts_with(text))) RemoveTrashInfo(target);
}

}  // namespace imgmill
