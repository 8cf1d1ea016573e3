// One action on one file: is it safe, do it, was it done, take it back.
#pragma once

#include <string>
#include <vector>

#include "dataset/action_targets.h"
#include "dataset/journal_file.h"
#include "dataset/trash.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

/// What the file system shows of an action that was started.
enum class Progressed {
  kNo,
  kHalf,  ///< a move that has made its target and not yet removed its source
  kYes
};

/// Everything absolute.
FileAction MadeAbsolute(const FileAction& action);

/// Refuses (kConflict) a file that is not what the action has seen.
Status CheckSeen(const FileAction& action);

/// Checks that nothing would be lost, and says what the file is now, and where it goes.
/// @param choose  asked where to, if the action has a target.
Result<ActionStart> Prepare(const FileAction& action, const TargetChoice& choose);

Progressed Look(const FileAction& action, const ActionStart& start);

/// kConflict where the target was taken meanwhile: prepare again.
Status Perform(const FileAction& action, const ActionStart& start);

/// The second half of a move. Where the original cannot be removed, what was put at `target` is taken away
/// again.
Status RemoveMoved(const FileAction& action, const std::string& target);

/// Whether the file is at its place and as it was before the action.
bool IsAsBefore(const FileAction& action, const ActionStart& start);

/// Folders in which it makes files: its target's, and that of its note in the trash. None without a target.
std::vector<std::string> TargetFolders(const FileAction& action, const std::string& target);
/// What is noted where it goes into the trash.
TrashNote NoteOf(const FileAction& action, const ActionStart& start);
/// The note of an action that was not done, where it goes into the trash.
void RemoveOrphanNote(const FileAction& action, const ActionStart& start);

/// Of an action that was started, and of which nobody has noted that it was done: whether it was all the
/// same, and its file was touched afterwards, so that Look does not know it. Of a move that cannot be told
/// from another's file at its target.
bool MayHaveGone(const FileAction& action, const ActionStart& start);

/// Of a move that was done, and whose file is as before: where it is a link, that was led to where its file
/// went, an undo that was killed while it took it back has left it in both places.
void RemoveReturnedLink(const FileAction& action, const ActionStart& start);

/// How an action that Look calls done is taken back.
enum class Reverted { kRestored, kGone };
Result<Reverted> Revert(const FileAction& action, const ActionStart& start);

}  // namespace imgmill
