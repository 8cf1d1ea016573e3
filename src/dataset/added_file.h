// The actions that add a file beside the one they are about: a copy, a hard link, a symbolic link.
#pragma once

#include <string>

#include "dataset/action_targets.h"
#include "dataset/journal_file.h"

namespace imgmill {

/// As Prepare.
Result<ActionStart> PrepareAdded(const FileAction& action, const TargetChoice& choose);

/// Whether what stands at `target` is just what the action would add, or move there, whoever has put it
/// there.
bool IsAddedAlready(const FileAction& action, const std::string& target);

/// Whether the target is there, as it was made.
bool IsAdded(const FileAction& action, const ActionStart& start);

/// kConflict where the target was taken meanwhile.
Status AddFile(const FileAction& action, const ActionStart& start);

/// kConflict where the original is gone or another now: what was added may be all that is left of it.
Status RemoveAdded(const FileAction& action, const ActionStart& start);

}  // namespace imgmill
