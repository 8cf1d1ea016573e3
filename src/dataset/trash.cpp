// Mounts are told apart by the kernel's numbers for them.
#include "dataset/trash.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/path_parts.h"
#include "base/percent_encoded.h"
#include "base/time_text.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "dataset/shortened_name.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr std::string_view kNoteEnding = ".trashinfo";
constexpr std::string_view kDateKey = "DeletionDate=";
/// Seconds do not tell two files of one path apart. Lines that are not its own are to be ignored, says the
/// specification.
constexpr std::string_view kMomentKey = "X-imgmill-Moment=";
constexpr size_t kDateLength = 19;
/// More than any note of ours has: a path, each of its bytes as three.
constexpr size_t kMostNoteBytes = size_t{64} << 10;
/// Of a name that is shortened, a longer one goes, too.
constexpr size_t kLongestExtension = 64;
constexpr char kInstead[] = " (--action move puts files into a folder of your choice)";
constexpr char kFull[] =
    " (make room on its file system, as by emptying that trash, and run again; or take --action move)";

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

/// Without links, as targets are. Empty where there is none.
std::string HomeTrash() {
  const char* const data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return CanonicalOrEntry(Join(data, "Trash"));
  const char* const home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? CanonicalOrEntry(Join(home, ".local/share/Trash")) : std::string();
}

/// The administrator's trash is to be passed over if it could be another user's.
bool IsForAll(const std::string& trash) {
  struct stat info {};
  return ::lstat(trash.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
}

/// Whether a folder in a trash at a mount's top is this user's, and nobody else can put files into it.
/// Whoever may replace whatever lies at the top can do so anyway, as on a file system that knows no rights.
/// @param info  of the folder, not of what a link leads to
bool IsOwn(const struct stat& info, const std::string& top) {
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::getuid()) return false;
  struct stat above {};
  const bool known = ::lstat(top.c_str(), &above) == 0 && (above.st_mode & S_ISVTX) == 0;
  return (info.st_mode & 022 & ~(known ? above.st_mode : 0)) == 0;
}

Error CannotMake(const std::string& folder) {
  Error error = ErrnoError(Stage::kAct, errno, "make the trash " + PrintablePath(folder));
  error.message += error.code == Code::kDiskFull ? kFull : kInstead;
  return error;
}

Error NotOwn(const std::string& folder) {
  return Error{Stage::kAct, Code::kPermission,
               "the trash " + PrintablePath(folder) +
                   " is not used: it is no folder of yours, or others may write to it" + kInstead};
}

/// Whether a folder can be written to or made; errno says why not.
bool CanBeUsed(const std::string& folder) {
  struct stat info {};
  if (::lstat(folder.c_str(), &info) == 0) {
    if (::stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
      return ::access(folder.c_str(), W_OK | X_OK) == 0;
    errno = ENOTDIR;
    return false;
  }
  const std::string above = ParentOf(folder);
  return errno == ENOENT && above != folder && CanBeUsed(above);
}

/// Found before anything goes, so that an image does not go without its partner.
Status CheckUsable(const std::string& trash, const std::string& top) {
  for (const char* const within : {"", "info", "files"}) {
    const std::string folder = *within == '\0' ? trash : Join(trash, within);
    if (struct stat info{}; !top.empty() && ::lstat(folder.c_str(), &info) == 0 && !IsOwn(info, top))
      return NotOwn(folder);
    if (!CanBeUsed(folder)) return CannotMake(folder);
  }
  return {};
}

/// As in a URL, by RFC 2396.
std::string Escaped(const std::string& path) {
  return PercentEncoded(path, "-_.!~*'()/");
}

/// Of the mount of a trash that is not the home trash.
std::string TopAbove(const std::string& trash) {
  const std::string above = ParentOf(trash);
  return NameOf(above) == ".Trash" ? ParentOf(above) : above;
}

/// What a note begins with, by a path that is absolute or relative to the mount's top.
std::string NoteBegin(const std::string& path) {
  return "[Trash Info]\nPath=" + Escaped(path) + "\n";
}

/// And ends with.
std::string NoteEnd(const std::string& moment) {
  return std::string(kDateKey) + moment.substr(0, kDateLength) + "\n" + std::string(kMomentKey) + moment +
         "\n";
}

/// The path below the mount's top.
std::string BelowTop(const std::string& path, const std::string& trash) {
  const std::string begin = Join(TopAbove(trash), "");
  return path.starts_with(begin) ? path.substr(begin.size()) : path;
}

/// @param top  of the mount, where others might make folders, too; empty in the home folder
Status MakePrivateFolder(const std::string& folder, const std::string& top) {
  struct stat info {};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return CannotMake(folder);
  if (::lstat(folder.c_str(), &info) != 0) return CannotMake(folder);
  if (!top.empty()) return IsOwn(info, top) ? Status() : Status(NotOwn(folder));
  if (S_ISDIR(info.st_mode)) return {};
  errno = ENOTDIR;
  return CannotMake(folder);
}

/// Where there will be new names once the folder is made: it, and those above it that are not there.
void AddGrowing(std::string folder, std::set<std::string>& growing) {
  for (; !Exists(folder) && ParentOf(folder) != folder; folder = ParentOf(folder))
    growing.insert(ParentOf(folder));
}

/// What is made is on the disk then: a note that is synced in a folder that is not could be lost with it.
Status MakeTrash(const std::string& trash) {
  const bool home = trash == HomeTrash();
  const std::string top = home ? std::string() : TopAbove(trash);
  std::set<std::string> growing;
  for (const char* const within : {"info", "files"}) AddGrowing(Join(trash, within), growing);
  if (home) {
    if (Status made = MakeFolders(ParentOf(trash)); !made) return FailedInTrash(made.error(), trash);
  }
  TRY(MakePrivateFolder(trash, top));
  TRY(MakePrivateFolder(Join(trash, "info"), top));
  TRY(MakePrivateFolder(Join(trash, "files"), top));
  for (const std::string& folder : growing) {
    if (Status synced = SyncFolder(folder); !synced) return FailedInTrash(synced.error(), trash);
  }
  return {};
}

/// Why a note could not be put where its file's would be.
Error CannotNote(const Error& why, const std::string& target) {
  if (why.code == Code::kConflict)
    return Error{Stage::kAct, why.code, PrintablePath(TrashInfoOf(target)) + " exists already"};
  return FailedInTrash({why.stage, why.code, "write its note: " + why.message}, TrashOf(target));
}

}  // namespace

Error FailedInTrash(const Error& why, const std::string& trash) {
  return {Stage::kAct, why.code,
          "in the trash " + PrintablePath(trash) + ": " + why.message +
              (why.code == Code::kDiskFull ? kFull : "")};
}

Result<std::string> TrashTargetOf(const std::string& path) {
  const std::string entry = AbsoluteEntry(path);
  const std::string folder = ParentOf(entry);
  const std::optional<Mount> mount = MountOf(folder);
  if (!mount) return ErrnoError(Stage::kAct, errno, "look at the folder " + PrintablePath(folder));
  const std::string home = HomeTrash();
  if (home.empty())
    return Error{Stage::kAct, Code::kUnsupported,
                 "there is no trash: HOME is not set (set it, or use --action move)"};
  const std::string name = "files/" + TrashNameOf(NameOf(entry), 1);
  if (MountAround(home) == mount) {
    TRY(CheckUsable(home, ""));
    return Join(home, name);
  }
  const std::string top = TopOfMount(folder, *mount);
  const std::string user = std::to_string(::getuid());
  const std::string for_all = Join(top, ".Trash"), among_all = Join(for_all, user);
  if (IsForAll(for_all) && CheckUsable(among_all, top)) return Join(among_all, name);
  std::string trash = Join(top, ".Trash-" + user);
  TRY(CheckUsable(trash, top));
  return Join(trash, name);
}

std::string TrashNameOf(std::string_view name, int number) {
  std::string_view stem = StemOf(name);
  if (name.size() - stem.size() > kLongestExtension) stem = name;
  const std::string added =
      (number == 1 ? std::string() : "-" + std::to_string(number)) + std::string(name.substr(stem.size()));
  return ShortenedName(stem, added.size() + kNoteEnding.size()) + added;
}

std::string TrashOf(const std::string& target) {
  return ParentOf(ParentOf(target));
}

std::string TrashInfoOf(const std::string& target) {
  return Join(TrashOf(target), "info/" + std::string(NameOf(target)).append(kNoteEnding));
}

std::string TrashMomentNow() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%09ld", now.tv_nsec);
  return LocalTime(now.tv_sec, "%Y-%m-%dT%H:%M:%S") + fraction;
}

std::vector<Status> WriteTrashNotes(std::span<const TrashNote> notes) {
  const std::string home = HomeTrash();
  std::map<std::string, Status> made;  // each trash
  std::vector<Status> written;
  std::vector<ReadyFile> ready;
  for (const TrashNote& note : notes) {
    const std::string trash = TrashOf(note.target);
    if (!made.contains(trash)) made.emplace(trash, MakeTrash(trash));
    const std::string info = TrashInfoOf(note.target), temporary = TemporaryNameFor(info);
    const std::string path = trash == home ? note.path : BelowTop(note.path, trash);
    Status status = made.at(trash);
    if (status) {
      status = WriteNewFile(temporary, NoteBegin(path) + NoteEnd(note.moment));
      if (status)
        ready.push_back({temporary, info, /*replaces=*/false});
      else
        status = CannotNote(status.error(), note.target);
    }
    written.push_back(std::move(status));
  }
  const std::vector<Status> published = PublishEach(ready);
  auto each = published.begin();
  for (size_t i = 0; i < written.size(); ++i) {
    if (!written[i]) continue;
    written[i] = *each++;
    if (!written[i]) written[i] = CannotNote(written[i].error(), notes[i].target);
  }
  return written;
}

Noted NotedInTrash(const std::string& path, const std::string& target, const std::string& moment) {
  // Not to wait for somebody who would write to a pipe.
  const UniqueFd file(::open(TrashInfoOf(target).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) return errno == ENOENT ? Noted::kNothing : Noted::kUnreadable;
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return Noted::kUnreadable;
  std::string text(kMostNoteBytes, '\0');
  const ssize_t got = ReadFull(file.get(), text.data(), text.size());
  if (got < 0) return Noted::kUnreadable;
  text.resize(static_cast<size_t>(got));
  // Whether that is the home trash may have changed meanwhile, with the environment.
  const bool same =
      text.starts_with(NoteBegin(path)) || text.starts_with(NoteBegin(BelowTop(path, TrashOf(target))));
  const std::string_view key = moment.size() > kDateLength ? kMomentKey : kDateKey;
  const bool then = moment.empty() || text.find("\n" + std::string(key) + moment + "\n") != std::string::npos;
  return same && then ? Noted::kThis : Noted::kAnother;
}

void RemoveTrashInfo(const std::string& target) {
  ::unlink(TrashInfoOf(target).c_str());
}

void RemoveOrphanTrashInfo(const std::string& path, const std::string& target, const std::string& moment) {
  if (!Exists(target) && NotedInTrash(path, target, moment) == Noted::kThis) RemoveTrashInfo(target);
}

}  // namespace imgmill
