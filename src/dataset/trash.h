// The desktop's trash, after the Trash specification 1.0 of freedesktop.org: where a file goes, and the note
// beside it by which file managers put it back.
#pragma once

#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// Where a file would go: "TRASH/files/NAME", without a number yet. Of a file on the file system of the home
/// folder that is the home trash ($XDG_DATA_HOME/Trash, or ~/.local/share/Trash); of another one the trash at
/// the top of its mount, "TOP/.Trash/UID" if an administrator has made TOP/.Trash for all (a folder, no link,
/// sticky), else "TOP/.Trash-UID". So a file is never copied. Nothing is made.
/// @param path  of a file, or of a link, which is not followed
/// @return kUnsupported where there is no home trash: neither XDG_DATA_HOME nor HOME is an absolute path
Result<std::string> TrashTargetOf(const std::string& path);

/// "TRASH/info/NAME.trashinfo" of a "TRASH/files/NAME".
std::string TrashInfoOf(const std::string& target);

/// Makes the trash, if need be, for nobody else to read, and the note on what is about to go to `target`:
/// from which path, and when. @return kConflict where there is such a note already
Status WriteTrashInfo(const std::string& path, const std::string& target);

/// Of a file that is not in the trash any more.
void RemoveTrashInfo(const std::string& target);

/// The note of a run that was killed between note and file: where nothing is at `target`, and it is on
/// `path`.
void RemoveOrphanTrashInfo(const std::string& path, const std::string& target);

}  // namespace imgmill
