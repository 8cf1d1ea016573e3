// The desktop's trash, after the Trash specification 1.0 of freedesktop.org: where a file goes, and the note
// beside it by which file managers put it back.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// Where a file would go: "TRASH/files/NAME", without a number yet. Of a file on the file system of the home
/// folder that is the home trash ($XDG_DATA_HOME/Trash, or ~/.local/share/Trash); of another one the trash at
/// the top of its mount, "TOP/.Trash/UID" if an administrator has made TOP/.Trash for all (a folder, no link,
/// sticky) and UID's folder is there or can be made, else "TOP/.Trash-UID". So a file is never copied.
/// Nothing is made.
/// @param path  of a file, or of a link, which is not followed
/// @return kUnsupported where there is no home trash: neither XDG_DATA_HOME nor HOME is an absolute path;
/// kPermission for a TOP/.Trash-UID of another user, or one that others may write to, and for a trash that
/// cannot be made or written to
Result<std::string> TrashTargetOf(const std::string& path);

/// A failure of stage kAct that names the trash, and, of a full one, says what to do.
Error FailedInTrash(const Error& why, const std::string& trash);

/// "b.jpg" for 1, "b-2.jpg", "b-3.jpg" and so on, shortened where the note's name would be longer than file
/// systems take.
std::string TrashNameOf(std::string_view name, int number);

/// "TRASH" of a "TRASH/files/NAME".
std::string TrashOf(const std::string& target);

/// "TRASH/info/NAME.trashinfo" of a "TRASH/files/NAME".
std::string TrashInfoOf(const std::string& target);

/// On what is about to go to `target`.
struct TrashNote {
  std::string path;    ///< from where: absolute, without links in its folders, as AbsoluteEntry gives it
  std::string target;  ///< "TRASH/files/NAME"
  std::string moment;  ///< as TrashMomentNow has given it
};

/// Makes each note's trash, if need be, for nobody else to read, and the note. They appear whole, and are on
/// the disk then. Each is synced, but their folder once for all, and those that are new with what names them.
/// What is not noted leaves nothing.
/// @return of each note: kConflict where there is such a note already; kPermission as TrashTargetOf;
/// kDiskFull where its trash has no room, which says nothing of another's
std::vector<Status> WriteTrashNotes(std::span<const TrashNote> notes);

/// The local time to the nanosecond, "2026-01-31T12:00:00.123456789", by which a note is known again. Its
/// date is that without the fraction.
std::string TrashMomentNow();

enum class Noted { kNothing, kThis, kAnother, kUnreadable };
/// Whether there is a note beside `target`, and on what came from `path` then or on another file.
/// @param moment  of the note; its date alone, as earlier versions have it; or empty for any
Noted NotedInTrash(const std::string& path, const std::string& target, const std::string& moment);

/// Of a file that is not in the trash any more.
void RemoveTrashInfo(const std::string& target);

/// The note of a run that was killed between note and file, or of a file that was put back by hand: where
/// nothing is at `target`, and it is on `path` and of `moment`, as NotedInTrash has it.
void RemoveOrphanTrashInfo(const std::string& path, const std::string& target, const std::string& moment);

}  // namespace imgmill
