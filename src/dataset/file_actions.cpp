// One action on one file: is it safe, do it, was it done. (Taking it back is in revert_action.cpp.)
#include "dataset/file_actions.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/same_file.h"
#include "base/try.h"
#include "dataset/added_file.h"
#include "dataset/copy_file.h"
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

bool IsSameEntry(const std::string& a, const std::string& b) {
  return NameOf(a) == NameOf(b) && IsSameFile(ParentOf(a), ParentOf(b));
}

/// Two mounts of one folder give one directory entry two canonical paths, so that paths alone do not tell.
bool GoesWith(const FileAction& action, const struct stat& keeper) {
  const std::optional<std::string> kept = Canonical(action.keeper);
  if (!kept) return false;  // in an archive
  if (IsSameEntry(action.path, action.keeper) || IsSameEntry(action.path, *kept)) return true;
  // By whatever way it is reached: what has one name only has no other one that would stay.
  struct stat mine {};
  return ::lstat(action.path.c_str(), &mine) == 0 && keeper.st_nlink == 1 && mine.st_ino == keeper.st_ino &&
         mine.st_dev == keeper.st_dev;
}

/// That the keeper is there, and does not go away with the file.
Status CheckKeeper(const FileAction& action) {
  struct stat keeper {};
  if (StatPath(action.keeper, &keeper) != 0) {
    return ErrnoError(Stage::kAct, errno, "the file to keep, " + PrintablePath(action.keeper));
  }
  if (!S_ISREG(keeper.st_mode))
    return Refuse(Code::kConflict, "what should be kept is not a file: " + PrintablePath(action.keeper));
  if (Canonical(action.keeper) == action.path) {
    return Refuse(Code::kConflict, "the file to keep is this very file, or a link to it");
  }
  if (GoesWith(action, keeper)) {
    return Refuse(Code::kConflict, "it and the file to keep, " + PrintablePath(action.keeper) +
                                       ", are one file seen by two paths, as through two mounts; it is left");
  }
  return {};
}

/// Reads the file and its keeper, and refuses if they are not what was judged: stamps can lie, bytes cannot.
Status LookAtBytes(const FileAction& action, ActionStart& start) {
  const Result<FileStamp> mine = StampOf(action.path);
  if (!mine) return Refuse(mine.error().code, mine.error().message);
  const Result<FileStamp> kept = StampOf(action.keeper);
  if (!kept) return Refuse(kept.error().code, kept.error().message);
  start.looked_at = *mine;
  start.keeper_looked_at = *kept;
  const bool judged = action.content && action.keeper_content;
  if (judged && *action.content != *action.keeper_content) {
    const Result<ContentDigest> content = DigestOf(action.path);
    if (!content) return Refuse(content.error().code, content.error().message);
    const Result<ContentDigest> keeper = DigestOf(action.keeper);
    if (!keeper) return Refuse(keeper.error().code, keeper.error().message);
    if (*content == *action.content && *keeper == *action.keeper_content) return {};
    return Refuse(Code::kConflict, "its content, or that of " + PrintablePath(action.keeper) +
                                       ", is no longer what was judged (run again with --force)");
  }
  Result<std::optional<ContentDigest>> shared = SharedContent(action.path, action.keeper);
  if (!shared) return Refuse(shared.error().code, shared.error().message);
  if (judged && !*shared) {
    return Refuse(Code::kConflict, "its bytes are not those of " + PrintablePath(action.keeper) +
                                       ", though they were considered equal (run again with --force)");
  }
  start.digest = *shared;
  return {};
}

/// Between the look at the bytes and the act, a sync of the undo file and other actions lie. Those may have
/// linked or unlinked other names of the two files, which changes no content.
Status CheckSinceLook(const std::string& path, const std::optional<FileStamp>& looked_at) {
  if (!looked_at) return {};
  const Result<FileStamp> now = StampOf(path);
  if (now && now->inode == looked_at->inode && now->HasSameSizeAndTime(*looked_at)) return {};
  return Refuse(Code::kConflict, PrintablePath(path) + " has changed meanwhile (run again)");
}

bool IsLinked(const FileAction& action) {
  if (action.kind == Kind::kSymlink) return LinkTextOf(action.path) == LinkTextTo(action.path, action.keeper);
  struct stat mine {};
  struct stat kept {};
  return ::lstat(action.path.c_str(), &mine) == 0 && ::stat(action.keeper.c_str(), &kept) == 0 &&
         mine.st_ino == kept.st_ino && mine.st_dev == kept.st_dev;
}

Status ReplaceByLink(const FileAction& action) {
  const std::string temporary = TemporaryNameFor(action.path);
  const std::string keeper = Canonical(action.keeper).value_or(action.keeper);
  const int made = action.kind == Kind::kHardlink
                       ? ::link(keeper.c_str(), temporary.c_str())
                       : ::symlink(LinkTextTo(action.path, action.keeper).c_str(), temporary.c_str());
  if (made != 0 && errno == EXDEV) {
    return Refuse(Code::kUnsupported,
                  "it is on another file system than its keeper (symlinks work across them)");
  }
  if (made != 0) return ErrnoError(Stage::kAct, errno, "make the link");
  if (::rename(temporary.c_str(), action.path.c_str()) != 0) {
    const Error error = ErrnoError(Stage::kAct, errno, "put the link in place");
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}

Status Move(const FileAction& action, const ActionStart& start) {
  if (Status made = MakeFolders(ParentOf(start.target)); !made)
    return Refuse(made.error().code, made.error().message);
  if (!start.link.empty()) {
    if (::symlink(MovedLinkText(action.path, start.link).c_str(), start.target.c_str()) != 0) {
      if (errno == EEXIST) return Refuse(Code::kConflict, PrintablePath(start.target) + " exists already");
      return ErrnoError(Stage::kAct, errno, "make the link " + PrintablePath(start.target));
    }
    return RemoveMoved(action, start.target);
  }
  if (::renameat2(AT_FDCWD, action.path.c_str(), AT_FDCWD, start.target.c_str(), RENAME_NOREPLACE) == 0)
    return {};
  if (errno != EXDEV) return RenameWithoutReplacing(action.path, start.target, Stage::kAct);
  const CopiedAs as{start.mode, start.mtime_ns, std::nullopt, false};
  TRY(CopyFile(action.path, start.target, as));
  // Written to while it was copied? Then the copy is not it, and the file stays.
  const Result<std::optional<ContentDigest>> shared = SharedContent(action.path, start.target);
  const Result<FileStamp> now = StampOf(action.path);
  if (!shared || !*shared || !now || now->size != start.size || now->mtime_ns != start.mtime_ns) {
    ::unlink(start.target.c_str());
    return Refuse(Code::kConflict, "it changed while it was copied");
  }
  return RemoveMoved(action, start.target);
}

/// Again, for an action just before this one may have taken the keeper away.
Status CheckStillKept(const FileAction& action, const ActionStart& start) {
  if (action.keeper.empty()) return {};
  TRY(CheckKeeper(action));
  TRY(CheckSinceLook(action.path, start.looked_at));
  return CheckSinceLook(action.keeper, start.keeper_looked_at);
}

bool HasItsNote(const FileAction& action, const ActionStart& start) {
  return NotedInTrash(action.path, start.target, start.moment) == Noted::kThis;
}

/// The note, which takes the name, and then the file. The batch's notes were written before, but somebody may
/// have emptied the trash since, and taken the name.
Status MoveToTrash(const FileAction& action, const ActionStart& start) {
  if (!HasItsNote(action, start)) {
    const TrashNote note = NoteOf(action, start);
    TRY(WriteTrashNotes({&note, 1}).front());  // kConflict where there is another's
  }
  Status moved = CheckStillKept(action, start);
  if (moved) moved = Move(action, start);
  // What is there all the same is another's, who has noted nothing.
  if (!moved && HasItsNote(action, start) && Look(action, start) == Progressed::kNo)
    RemoveTrashInfo(start.target);
  if (!moved && moved.error().code == Code::kDiskFull)
    return FailedInTrash(moved.error(), TrashOf(start.target));
  return moved;
}

}  // namespace

std::vector<std::string> TargetFolders(const FileAction& action, const std::string& target) {
  if (target.empty()) return {};
  if (action.kind == Kind::kTrash) return {ParentOf(TrashInfoOf(target)), ParentOf(target)};
  return {ParentOf(target)};
}

TrashNote NoteOf(const FileAction& action, const ActionStart& start) {
  return {action.path, start.target, start.moment};
}

void RemoveOrphanNote(const FileAction& action, const ActionStart& start) {
  if (action.kind == Kind::kTrash) RemoveOrphanTrashInfo(action.path, start.target, start.moment);
}

Status CheckSeen(const FileAction& action) {
  if (!action.seen) return {};
  const FileStamp& seen = *action.seen;
  const Result<FileStamp> now = StampOf(action.path);
  Result<bool> same = now && *now == seen;
  if (now && !*same && now->HasSameSizeAndTime(seen)) {
    // An action on another name of this very file changes its time of change, too.
    same = action.content ? IsAsSeen(action.path, seen, *action.content)
                          : Result<bool>(seen.inode == 0 || now->inode == seen.inode);
  }
  if (!same) return Refuse(same.error().code, same.error().message);
  if (*same) return {};
  return Refuse(Code::kConflict, "it has changed since it was judged (run again)");
}

FileAction MadeAbsolute(const FileAction& action) {
  FileAction absolute = action;
  absolute.path = AbsoluteEntry(action.path);
  if (!action.target.empty()) absolute.target = AbsoluteEntry(action.target);
  if (!action.keeper.empty()) absolute.keeper = AbsoluteEntry(action.keeper);
  return absolute;
}

Result<ActionStart> Prepare(const FileAction& action, const TargetChoice& choose) {
  if (action.adds()) return PrepareAdded(action, choose);
  struct stat info {};
  if (::lstat(action.path.c_str(), &info) != 0) return ErrnoError(Stage::kAct, errno, "cannot stat the file");
  const bool is_link = S_ISLNK(info.st_mode);
  if (!S_ISREG(info.st_mode) && !is_link) return Refuse(Code::kUnsupported, "it is not a file");
  TRY(CheckSeen(action));
  if (!action.keeper.empty()) {
    TRY(CheckKeeper(action));
  }
  ActionStart start;
  start.size = info.st_size;
  start.mtime_ns = StampFrom(info).mtime_ns;
  start.mode = info.st_mode & 07777;
  if (is_link) start.link = LinkTextOf(action.path);
  if (action.kind == Kind::kTrash) start.moment = TrashMomentNow();
  const bool links = action.kind == Kind::kHardlink || action.kind == Kind::kSymlink;
  start.already = links && IsLinked(action);
  if (start.already) return start;
  if (!action.moves() || (action.content && action.keeper_content)) {
    TRY(LookAtBytes(action, start));
  }
  if (links && !start.digest) {
    return Refuse(Code::kConflict,
                  "its content differs from its keeper's, so a link would lose it (move, trash or delete "
                  "near-duplicates)");
  }
  if (action.moves()) {
    ChosenTarget chosen = TRY(choose(action));
    start.target = std::move(chosen.path);
    start.already = chosen.already;
  }
  return start;
}

Progressed Look(const FileAction& action, const ActionStart& start) {
  if (action.adds()) return IsAdded(action, start) ? Progressed::kYes : Progressed::kNo;
  struct stat source {};
  const bool has_source = ::lstat(action.path.c_str(), &source) == 0;
  switch (action.kind) {
    case Kind::kHardlink:
    case Kind::kSymlink:
      return IsLinked(action) ? Progressed::kYes : Progressed::kNo;
    case Kind::kDelete:
      return has_source ? Progressed::kNo : Progressed::kYes;
    default:
      break;
  }
  struct stat target {};
  if (::lstat(start.target.c_str(), &target) != 0) return Progressed::kNo;
  if (!start.link.empty()) {
    if (LinkTextOf(start.target) != MovedLinkText(action.path, start.link)) return Progressed::kNo;
    if (!has_source) return Progressed::kYes;
    // Else somebody's new file: that is not to be removed as the rest of the move.
    if (LinkTextOf(action.path) != start.link) return Progressed::kNo;
    return action.kind != Kind::kTrash || HasItsNote(action, start) ? Progressed::kHalf : Progressed::kNo;
  }
  if (target.st_size != start.size || StampFrom(target).mtime_ns != start.mtime_ns) return Progressed::kNo;
  if (!has_source) return Progressed::kYes;
  if (source.st_size != start.size || StampFrom(source).mtime_ns != start.mtime_ns) return Progressed::kNo;
  // Names in the trash are free for all: another file there may be as alike as a copy, or be a hard link.
  if (action.kind == Kind::kTrash && !HasItsNote(action, start)) return Progressed::kNo;
  if (source.st_dev == target.st_dev) {
    if (source.st_ino == target.st_ino) return Progressed::kHalf;
    if (action.kind == Kind::kTrash) return Progressed::kNo;  // where it would have been renamed
  }
  // Two files of one size and time: the bytes must say whether one is the copy of the other.
  const Result<std::optional<ContentDigest>> shared = SharedContent(action.path, start.target);
  return shared && *shared ? Progressed::kHalf : Progressed::kNo;
}

Status RemoveMoved(const FileAction& action, const std::string& target) {
  if (::unlink(action.path.c_str()) == 0) return {};
  const Error error = ErrnoError(Stage::kAct, errno, "remove it after it was copied");
  // Else each run would add another copy.
  if (Exists(action.path)) ::unlink(target.c_str());
  if (action.kind == Kind::kTrash) RemoveOrphanTrashInfo(action.path, target, "");
  return error;
}

Status Perform(const FileAction& action, const ActionStart& start) {
  if (action.adds()) return AddFile(action, start);
  if (action.kind == Kind::kTrash) return MoveToTrash(action, start);
  TRY(CheckStillKept(action, start));
  switch (action.kind) {
    case Kind::kMove:
      return Move(action, start);
    case Kind::kHardlink:
    case Kind::kSymlink:
      return ReplaceByLink(action);
    case Kind::kDelete:
      if (::unlink(action.path.c_str()) != 0) return ErrnoError(Stage::kAct, errno, "delete");
      return {};
    default:
      return {};
  }
}

}  // namespace imgmill
