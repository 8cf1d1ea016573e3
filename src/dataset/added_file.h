// The actions that add a file beside the one they are about: a copy, a hard link, a symbolic link.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "dataset/journal_file.h"

namespace imgmill {

/// As Prepare. Nothing: what is wanted stands at the target, or at a numbered name of it, already.
Result<std::optional<ActionStart>> PrepareAdded(const FileAction& action,
                                                const std::unordered_set<std::string>& taken);

/// Whether the target is there, as it was made.
bool IsAdded(const FileAction& action, const ActionStart& start);

/// kConflict where the target was taken meanwhile.
Status AddFile(const FileAction& action, const ActionStart& start);

/// kConflict where the original is gone or another now: what was added may be all that is left of it.
Status RemoveAdded(const FileAction& action, const ActionStart& start);

}  // namespace imgmill
