// The actions that add a file beside the one they are about: a copy, a hard link, a symbolic link.
#include "dataset/added_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/copy_file.h"
#include "dataset/file_actions.h"
#include "dataset/link_text.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

using Kind = FileAction::Kind;

bool IsLinkTo(const FileAction& action, const std::string& target) {
  if (action.kind == Kind::kNewSymlink) return LinkTextOf(target) == LinkTextTo(target, action.path);
  struct stat mine {};
  struct stat other {};
  return ::stat(action.path.c_str(), &mine) == 0 && ::lstat(target.c_str(), &other) == 0 &&
         mine.st_ino == other.st_ino && mine.st_dev == other.st_dev;
}

/// A file of the same bytes, of an earlier run or anybody's: copying it once more would help nobody.
bool IsCopyOf(const FileAction& action, const std::string& target) {
  struct stat original {};
  struct stat info {};
  if (StatPath(action.path, &original) != 0 || ::lstat(target.c_str(), &info) != 0) return false;
  if (!S_ISREG(info.st_mode) || info.st_size != original.st_size) return false;
  const Result<ContentDigest> mine = DigestOf(action.path);
  const Result<ContentDigest> other = DigestOf(target);
  return mine && other && *mine == *other;
}

Status Copy(const FileAction& action, const ActionStart& start) {
  TRY(CopyFile(action.path, start.target, {start.mode, start.mtime_ns, std::nullopt, false}));
  // Written to while it was copied? Then the copy is half of each.
  const Result<FileStamp> now = StampOf(action.path);
  if (now && now->size == start.size && now->mtime_ns == start.mtime_ns) return {};
  ::unlink(start.target.c_str());
  return Error{Stage::kAct, Code::kReadError, "it changed while it was copied (run again)"};
}

Status Link(const FileAction& action, const ActionStart& start) {
  const int made =
      action.kind == Kind::kNewHardlink
          ? ::linkat(AT_FDCWD, action.path.c_str(), AT_FDCWD, start.target.c_str(), AT_SYMLINK_FOLLOW)
          : ::symlink(LinkTextTo(start.target, action.path).c_str(), start.target.c_str());
  if (made == 0) return {};
  if (errno == EEXIST) {
    return Error{Stage::kAct, Code::kConflict, PrintablePath(start.target) + " exists already"};
  }
  if (errno == EXDEV) {
    return Error{
        Stage::kAct, Code::kUnsupported,
        "it is on another file system than the target folder (symlinks and copies work across them)"};
  }
  return ErrnoError(Stage::kAct, errno, "make the link " + PrintablePath(start.target));
}

}  // namespace

bool IsAddedAlready(const FileAction& action, const std::string& target) {
  const bool by_bytes = action.kind == Kind::kCopy || action.kind == Kind::kMove;
  return by_bytes ? IsCopyOf(action, target) : IsLinkTo(action, target);
}

Result<ActionStart> PrepareAdded(const FileAction& action, const TargetChoice& choose) {
  struct stat info {};
  if (StatPath(action.path, &info) != 0) return ErrnoError(Stage::kAct, errno, "cannot stat the file");
  if (!S_ISREG(info.st_mode)) return Error{Stage::kAct, Code::kUnsupported, "it is not a file"};
  TRY(CheckSeen(action));
  ActionStart start;
  start.size = info.st_size;
  start.mtime_ns = StampFrom(info).mtime_ns;
  start.mode = info.st_mode & 07777;
  ChosenTarget chosen = TRY(choose(action));
  start.target = std::move(chosen.path);
  start.already = chosen.already;
  return start;
}

bool IsAdded(const FileAction& action, const ActionStart& start) {
  if (action.kind != Kind::kCopy) return IsLinkTo(action, start.target);
  // It was given size and time under a temporary name, so a file that has both is whole.
  struct stat info {};
  return ::lstat(start.target.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size == start.size &&
         StampFrom(info).mtime_ns == start.mtime_ns;
}

Status AddFile(const FileAction& action, const ActionStart& start) {
  if (Status made = MakeFolders(ParentOf(start.target)); !made)
    return Error{Stage::kAct, made.error().code, made.error().message};
  return action.kind == Kind::kCopy ? Copy(action, start) : Link(action, start);
}

Status RemoveAdded(const FileAction& action, const ActionStart& start) {
  const Result<FileStamp> original = StampOf(action.path);
  if (action.kind == Kind::kCopy &&
      (!original || original->size != start.size || original->mtime_ns != start.mtime_ns)) {
    return Error{Stage::kAct, Code::kConflict,
                 "the original is gone or has changed; the copy stays at " + PrintablePath(start.target)};
  }
  if (::unlink(start.target.c_str()) == 0) return {};
  return ErrnoError(Stage::kAct, errno, "remove " + PrintablePath(start.target));
}

}  // namespace imgmill
