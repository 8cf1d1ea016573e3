// The undo file of an act phase: that of an earlier run which was killed, or a new one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/dataset/journal.h"
#include "planned_actions.h"

namespace imgmill {

struct ActingJournal {
  std::unique_ptr<ActionJournal> actions;              ///< null where nothing is planned, and none was left
  std::vector<std::unique_ptr<ActionJournal>> others;  ///< of earlier runs that were killed: completed
  std::string name;                                    ///< as the user knows it
  std::string earlier;     ///< of a run of this command that was killed, where it is another file
  uint64_t completed = 0;  ///< actions that interrupted runs of this command had done or begun
  uint64_t failed = 0;     ///< what they had begun, and could not be completed
  bool resumed = false;

  /// Where a run ends before it acts, what an earlier one has done can be taken back all the same.
  Error WithUndo(Error error) const;
};

/// Goes on with the undo file of a killed or interrupted run, or makes one (if anything is planned). What
/// such a run was in the middle of is completed either way.
Result<ActingJournal> OpenJournal(const ActRequest& request, const CommandServices& services,
                                  CommandResult& result);

/// Whether there is more in an undo file than a full disk has left of one: else it is taken as a name without
/// a file is.
bool HoldsAnything(const std::string& file);

/// Undo files that an earlier run may have left: the last one of this catalog, and the one that the user
/// names.
/// @param named  by the user; empty where none is
std::vector<std::string> EarlierUndoFiles(const std::string& named, const CommandServices& services);

/// Tells of all that was done by these files and not undone, with the file, its command, as in
/// "imgmill dedup", and the action's final target. One that cannot be read, or that another process works on,
/// is passed over.
Status ForEachDoneIn(const std::vector<std::string>& undo_files,
                     const std::function<Status(const std::string& undo_file, const std::string& command,
                                                const FileAction& action)>& each);

}  // namespace imgmill
