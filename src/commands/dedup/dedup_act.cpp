// Plans the actions in the order of the groups.
#include "dedup_act.h"

#include <set>
#include <string>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "commands/planned_actions.h"
#include "dedup_links.h"
#include "duplicate_action.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

class DuplicateActions {
 public:
  DuplicateActions(const DedupOptions& options, DedupPartners* partners, LinkedPlaces kept_links)
      : options_(options), partners_(partners), kept_links_(std::move(kept_links)) {}

  /// The action on the duplicate, then those on what goes with it; or why it is left.
  Result<std::vector<FileAction>> Of(const DedupEntry& entry, const DedupEntry& keeper) const {
    if (LeavesItsPlace(options_.action)) TRY(kept_links_.MayGo(entry.file.path));
    FileAction action;
    action.kind = DuplicateActionKind(options_.action);
    action.path = entry.file.path;
    action.keeper = keeper.file.path;
    action.seen = entry.stamp;
    action.content = entry.content;
    action.keeper_content = keeper.content;
    std::string target = TRY(TargetOf(action, options_.move_to, entry.file.relative));
    action.target = std::move(target);
    std::vector<FileAction> actions = {action};
    // What an earlier run has moved lies where its partner is no more.
    const bool went = action.kind == FileAction::Kind::kMove &&
                      AbsoluteEntry(ParentOf(action.path)) == AbsoluteEntry(ParentOf(action.target));
    if (partners_ != nullptr && !went) {
      FileAction partner = TRY(partners_->ActionOn(action, entry.file, keeper.file));
      actions.push_back(std::move(partner));
    }
    return actions;
  }

 private:
  const DedupOptions& options_;
  DedupPartners* const partners_;
  const LinkedPlaces kept_links_;
};

/// Links among the duplicates that are left, since their partners cannot go with them.
Result<std::set<std::string>> LinksWithoutPartners(const DedupOptions& options, const FoundDuplicates& found,
                                                   DedupPartners* partners) {
  std::set<std::string> left;
  if (partners == nullptr) return left;
  FileAction action;
  action.kind = DuplicateActionKind(options.action);
  TRY(found.ForEachDuplicate([&](const auto&, const DedupEntry& entry, const DedupEntry& keeper) {
    if (entry.is_link && !partners->ActionOn(action, entry.file, keeper.file)) left.insert(entry.file.path);
    return Status();
  }));
  return left;
}

}  // namespace

Status ActOnDuplicates(const DedupOptions& options, const FoundDuplicates& found, DedupPartners* partners,
                       const CommandServices& services, CommandResult& result, ActedPlaces& places) {
  const std::set<std::string> left = TRY(LinksWithoutPartners(options, found, partners));
  LinkedPlaces kept_links = TRY(LinkedPlaces::ByKept(found.entries(), found.all(), left));
  const DuplicateActions actions(options, partners, std::move(kept_links));
  PlannedImages planned;
  const auto done = [&](const FileAction& action) {
    planned.MarkDone(action, result);
    places.MarkDone(action);
  };
  const auto plan = [&](const ActionSink& put) {
    return found.ForEachDuplicate([&](const auto&, const DedupEntry& entry, const DedupEntry& keeper) {
      const Result<std::vector<FileAction>> its = actions.Of(entry, keeper);
      if (!its) {
        TellFailed(entry.file.path, its.error(), services, result);
        return Status();
      }
      planned.Add(entry.file, result);
      places.Add(entry.file);
      return put(its->front(), std::span(*its).subspan(1));
    });
  };
  return ExecuteActions(
      {"imgmill dedup", options.action, options.undo_file, options.move_to, options.sidecars, options.pair,
       /*sets_aside=*/!options.move_to.empty(), found.groups() == 0, options.pair_move_to},
      plan, services, result, done);
}

}  // namespace imgmill
