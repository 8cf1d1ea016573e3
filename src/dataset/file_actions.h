// One action on one file: is it safe, do it, was it done, take it back.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "dataset/journal_file.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

/// What the file system shows of an action that was started.
enum class Progressed {
  kNo,
  kHalf,  ///< a move that has made its target and not yet removed its source
  kYes
};

/// "name.jpg" for 1, "name-2.jpg", "name-3.jpg" and so on.
std::string NumberedTarget(const std::string& target, int number);

/// Everything absolute.
FileAction MadeAbsolute(const FileAction& action);

/// Refuses (kConflict) a file that is not what the action has seen.
Status CheckSeen(const FileAction& action);

/// Checks that nothing would be lost, and says what the file is now. Nothing: it is as wanted already.
/// @param taken  targets that other started actions will have.
Result<std::optional<ActionStart>> Prepare(const FileAction& action,
                                           const std::unordered_set<std::string>& taken);

Progressed Look(const FileAction& action, const ActionStart& start);

/// kConflict where the target was taken meanwhile: prepare again.
Status Perform(const FileAction& action, const ActionStart& start);

/// The second half of a move.
Status RemoveMoved(const FileAction& action);

/// Whether the file is at its place and as it was before the action.
bool IsAsBefore(const FileAction& action, const ActionStart& start);

/// How an action that Look calls done is taken back.
enum class Reverted { kRestored, kGone };
Result<Reverted> Revert(const FileAction& action, const ActionStart& start);

}  // namespace imgmill
