// The act phase that commands share: a plan of file actions, carried out through an undo file.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/steps_before.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

/// Finds the verdict of an image that an action was planned for.
class PlannedImages {
 public:
  /// To be told of each image once its action is planned, in order.
  void Add(const ListedFile& file, const CommandResult& result) {
    if (result.HasVerdictOf(file)) indices_.emplace(count_, file.index);
    ++count_;
  }
  /// Of an action that was carried out: a move's image has its file elsewhere now.
  void MarkDone(const FileAction& action, CommandResult& result) const {
    if (action.kind != FileAction::Kind::kMove) return;
    const auto found = indices_.find(action.number);
    if (found != indices_.end()) result.verdicts[found->second].moved_to = action.target;
  }

 private:
  uint64_t count_ = 0;
  std::unordered_map<uint64_t, uint64_t> indices_;  // by the action's number; as many as there are verdicts
};

/// Where an action's file goes: below `folder`, or into the trash; empty for an action without a target.
/// @param below  its path there
Result<std::string> TargetOf(const FileAction& action, const std::string& folder, const std::string& below);

struct ActRequest {
  std::string command;        ///< "imgmill dedup": stands in the undo file's first line
  std::string action;         ///< as the user named it: "move"
  std::string undo_file;      ///< empty: a name of our own, in the catalog's folder
  std::string target_folder;  ///< where files appear, if they do: swept of what killed runs left half copied
  std::vector<std::string> sidecars;  ///< patterns of files that go with their images, as the user gave them
  std::string partners;  ///< folder of the files that the plan sends along; empty where it sends none
  /// Later runs of dedup and filter are not to take what lies in `target_folder` for input of their own.
  bool sets_aside = false;
  /// Nothing is left to do: only what a killed run was in the middle of is ended, and told.
  bool nothing_planned = false;
  std::string partners_to = {};  ///< folder that those files are moved to; empty where they are not
};

/// kUsage for an action that is never done to members of archives, where all that the user has named lies in
/// archives, and no step before has made files of it: known before any image is read. Where only some does,
/// ExecuteActions says it.
Status MayActOnInput(const std::string& action, const ListOptions& list, const StepsBefore& before);

/// Whether files can appear in an action's folder, and its undo file be written: either may be empty.
/// @param flag  that names the folder
Status MayActInto(const std::string& flag, const std::string& folder, const std::string& undo_file,
                  const StepsBefore& before);

/// Logs that an action on that file was not done, and adds it to the result's action failures.
void TellFailed(const std::string& path, const Error& error, const CommandServices& services,
                CommandResult& result);

/// Takes an action on an image, and those on files that go with it, such as its partner: side-cars, which go
/// only if it goes.
using ActionSink = std::function<Status(const FileAction& image, std::span<const FileAction> with)>;

/// Asks `plan` for the actions, adds those on side-cars, writes them down, carries them out. The undo file is
/// on disk before the first file is touched. What could not be done is in result.action_failures, what was
/// done in result.details["acted"] and in the summary; so it is where an error, such as a full disk, has
/// ended it early, which is the result's refusal then. A dry run only says so.
/// @param done  told of each action on an image that was carried out, with its final target; may be empty.
Status ExecuteActions(const ActRequest& request, const std::function<Status(const ActionSink&)>& plan,
                      const CommandServices& services, CommandResult& result,
                      const std::function<void(const FileAction&)>& done = {});

}  // namespace imgmill
