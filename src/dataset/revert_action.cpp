// Takes back one action that was done.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/added_file.h"
#include "dataset/copy_file.h"
#include "dataset/file_actions.h"
#include "dataset/link_text.h"
#include "dataset/trash.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

using Kind = FileAction::Kind;

Error Refuse(Code code, std::string why) {
  return Error{Stage::kAct, code, std::move(why)};
}

Result<Reverted> AsResult(Status status) {
  if (!status) return Error{Stage::kAct, status.error().code, status.error().message};
  return Reverted::kRestored;
}

Status RestoreLink(const std::string& text, const std::string& path) {
  const std::string temporary = TemporaryNameFor(path);
  if (::symlink(text.c_str(), temporary.c_str()) != 0)
    return ErrnoError(Stage::kAct, errno, "make the link again");
  if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const Error error = ErrnoError(Stage::kAct, errno, "put the link back");
  ::unlink(temporary.c_str());
  return error;
}

/// Whether the link that was moved is still at its target: as it was made there, or led to where its file
/// went, of which earlier versions have noted only that it was by a relative text.
bool IsOurLink(const FileAction& action, const ActionStart& start) {
  const std::string text = LinkTextOf(start.target);
  if (text.empty()) return false;
  const bool led = start.old && start.led.empty() ? !text.starts_with('/') : text == start.led;
  return led || text == MovedLinkText(action.path, start.link);
}

Status MoveBack(const FileAction& action, const ActionStart& start) {
  if (!Exists(start.target))
    return Refuse(Code::kNotFound, PrintablePath(start.target) + " no longer exists");
  if (!start.link.empty() && !IsOurLink(action, start)) {
    return Refuse(Code::kConflict, "what is at " + PrintablePath(start.target) +
                                       " now is not the link that was moved there, and stays");
  }
  if (Exists(action.path)) {
    if (Look(action, start) != Progressed::kHalf) {
      return Refuse(Code::kConflict,
                    "something else is there now; the file stays at " + PrintablePath(start.target));
    }
    if (::unlink(start.target.c_str()) != 0)
      return ErrnoError(Stage::kAct, errno, "remove " + PrintablePath(start.target));
    return {};
  }
  TRY(MakeFolders(ParentOf(action.path)));
  if (!start.link.empty()) {
    TRY(RestoreLink(start.link, action.path));
    if (::unlink(start.target.c_str()) != 0)
      return ErrnoError(Stage::kAct, errno, "remove " + PrintablePath(start.target));
    return {};
  }
  if (::renameat2(AT_FDCWD, start.target.c_str(), AT_FDCWD, action.path.c_str(), RENAME_NOREPLACE) == 0)
    return {};
  if (errno != EXDEV) return RenameWithoutReplacing(start.target, action.path, Stage::kAct);
  // It may have been edited there: what comes back is what it is now.
  struct stat now {};
  if (::stat(start.target.c_str(), &now) != 0)
    return ErrnoError(Stage::kAct, errno, "look at " + PrintablePath(start.target));
  const int64_t mtime_ns = StampFrom(now).mtime_ns;
  TRY(CopyFile(start.target, action.path, {now.st_mode, mtime_ns, std::nullopt, false}));
  if (::unlink(start.target.c_str()) != 0)
    return ErrnoError(Stage::kAct, errno, "remove " + PrintablePath(start.target));
  return {};
}

/// From the keeper, whose bytes are the same, or were.
Status CopyBack(const FileAction& action, const ActionStart& start, bool overwrite) {
  TRY(MakeFolders(ParentOf(action.path)));
  return CopyFile(action.keeper, action.path, {start.mode, start.mtime_ns, start.digest, overwrite});
}

Status MakeLinkAgain(const FileAction& action, const ActionStart& start) {
  TRY(MakeFolders(ParentOf(action.path)));
  return RestoreLink(start.link, action.path);
}

/// Whether the trash still has it, edited or not. When the trash was emptied, its name may be another file's.
bool IsInTrash(const FileAction& action, const ActionStart& start, Noted noted) {
  if (!start.link.empty() && !IsOurLink(action, start)) return false;
  if (noted == Noted::kThis) return Exists(start.target);
  return noted != Noted::kAnother && Look(action, start) != Progressed::kNo;
}

/// Where the trash was emptied meanwhile, a link is made again, and an exact duplicate copied from the
/// keeper.
Result<Reverted> RestoreFromTrash(const FileAction& action, const ActionStart& start) {
  const Noted noted = NotedInTrash(action.path, start.target, start.moment);
  if (IsInTrash(action, start, noted)) {
    Result<Reverted> restored = AsResult(MoveBack(action, start));
    if (restored && noted == Noted::kThis) RemoveTrashInfo(start.target);
    return restored;
  }
  if (Exists(action.path)) return Refuse(Code::kConflict, "something else is there now");
  if (start.link.empty() && !start.digest) {
    if (noted == Noted::kUnreadable && Exists(start.target)) {
      return Refuse(Code::kConflict, PrintablePath(start.target) +
                                         " may be it, but its note cannot be read: " +
                                         PrintablePath(TrashInfoOf(start.target)));
    }
    return Refuse(Code::kNotFound, PrintablePath(start.target) + " is no longer in the trash");
  }
  Result<Reverted> restored =
      AsResult(start.link.empty() ? CopyBack(action, start, false) : MakeLinkAgain(action, start));
  if (restored) RemoveOrphanTrashInfo(action.path, start.target, start.moment);
  return restored;
}

}  // namespace

bool IsAsBefore(const FileAction& action, const ActionStart& start) {
  if (action.adds()) return !Exists(start.target);
  struct stat info {};
  if (::lstat(action.path.c_str(), &info) != 0) return false;
  if (!start.link.empty()) return LinkTextOf(action.path) == start.link;
  return S_ISREG(info.st_mode) && info.st_size == start.size && StampFrom(info).mtime_ns == start.mtime_ns;
}

bool MayHaveGone(const FileAction& action, const ActionStart& start) {
  if (!action.moves() || !Exists(start.target)) return false;
  if (action.kind == Kind::kTrash)
    return NotedInTrash(action.path, start.target, start.moment) == Noted::kThis;
  return !Exists(action.path);
}

void RemoveReturnedLink(const FileAction& action, const ActionStart& start) {
  if (!action.moves() || start.link.empty() || start.old || !IsOurLink(action, start)) return;
  const bool trashed = action.kind == Kind::kTrash;
  if (trashed && NotedInTrash(action.path, start.target, start.moment) != Noted::kThis) return;
  if (::unlink(start.target.c_str()) == 0 && trashed) RemoveTrashInfo(start.target);
}

Result<Reverted> Revert(const FileAction& action, const ActionStart& start) {
  if (action.adds()) return AsResult(RemoveAdded(action, start));  // Look has found it as we made it
  if (action.kind == Kind::kTrash) return RestoreFromTrash(action, start);
  if (action.kind == Kind::kMove) return AsResult(MoveBack(action, start));
  if (action.kind == Kind::kDelete) {
    if (Exists(action.path)) return Refuse(Code::kConflict, "something else is there now");
    if (!start.link.empty()) return AsResult(RestoreLink(start.link, action.path));
    if (!start.digest) return Reverted::kGone;
    return AsResult(CopyBack(action, start, false));
  }
  // Look has found our link there, so that what is overwritten is no file of anybody's.
  if (!start.link.empty()) return AsResult(RestoreLink(start.link, action.path));
  return AsResult(CopyBack(action, start, true));
}

}  // namespace imgmill
