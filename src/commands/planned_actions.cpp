// Writes the plan as the undo file, carries it out, and puts it into the result.
#include "planned_actions.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "acted_elsewhere.h"
#include "acted_files.h"
#include "acting_journal.h"
#include "archive/archive_path.h"
#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "dataset/set_aside.h"
#include "dataset/trash.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "partner_count.h"
#include "sidecar_actions.h"
#include "trash_folders.h"

namespace imgmill {

void TellFailed(const std::string& path, const Error& error, const CommandServices& services,
                CommandResult& result) {
  services.log(LogLevel::kError, Describe(path, error));
  result.action_failures.Add({path, error});
}

Result<std::string> TargetOf(const FileAction& action, const std::string& folder, const std::string& below) {
  if (action.kind == FileAction::Kind::kTrash) return TrashTargetOf(action.path);
  return action.has_target() ? folder + "/" + below : std::string();
}

namespace {

/// "2 side-cars", "2 partners", "2 partners and 1 side-car"; empty for none.
std::string CountWith(uint64_t partners, uint64_t sidecars) {
  std::string text = partners > 0 ? Counted(partners, "partner") : "";
  if (sidecars > 0) text += (text.empty() ? "" : " and ") + Counted(sidecars, "side-car");
  return text;
}

/// What these runs have put into the action's folder, or taken away.
Status NoteActed(const ActingJournal& journal, ActedFiles& acted, ActedElsewhere& elsewhere) {
  Status noted;
  const auto add = [&](const FileAction& action) -> Status {
    elsewhere.Add(action);
    if (noted) noted = acted.Add(action);
    return {};
  };
  for (const auto& other : journal.others) TRY(other->ForEachDone(add));
  TRY(journal.actions->ForEachDone(add));
  elsewhere.Put();  // whatever becomes of the run's own record
  TRY(noted);
  return acted.Put();
}

/// For a pipeline, which looks for what earlier runs have left beside these.
void NotePlaced(const FileAction& action, PlacedFiles& placed) {
  if (!action.adds()) return;
  placed.sources.push_back(PlacedFiles::HashOfSource(
      SourceOfAction(action.path), action.sidecar ? std::optional<ContentDigest>() : action.content));
}

Error InArchive(const std::string& where) {
  return {
      Stage::kConfigure, Code::kUsage,
      where +
          " an archive, and archives are not changed: its members can be copied (--action copy), or those "
          "that are kept packed into another (--pack)"};
}

/// Archives are read only, and nothing can be linked to a member.
Status MayAct(const FileAction& action) {
  using Kind = FileAction::Kind;
  const bool links = action.kind == Kind::kHardlink || action.kind == Kind::kSymlink;
  if (links && !IntoArchive(action.path) && IntoArchive(action.keeper))
    return UsageError(PrintablePath(action.path) + " cannot become a link to " +
                      PrintablePath(action.keeper) +
                      ", which lies in an archive (--action move, trash or delete takes it away)");
  if (action.kind == Kind::kCopy || !IntoArchive(action.path)) return {};
  return InArchive(PrintablePath(action.path) + " lies in");
}

}  // namespace

Status MayActOnInput(const std::string& action, const ListOptions& list, const StepsBefore& before) {
  if (action == "report" || action == "copy" || !before.given_in.empty()) return {};
  if (list.paths.empty() || !list.files_from.empty()) return {};
  const auto into_archive = [](const std::string& path) { return path == "-" || AtOrIntoArchive(path); };
  if (!std::all_of(list.paths.begin(), list.paths.end(), into_archive)) return {};
  const std::string& first = list.paths.front();
  if (first == "-") return InArchive("stdin is");
  return InArchive(PrintablePath(first) + (IsArchive(first) ? " is" : " lies in"));
}

Status MayActInto(const std::string& flag, const std::string& folder, const std::string& undo_file,
                  const StepsBefore& before) {
  if (!folder.empty()) TRY(CheckTargetFolder(folder));
  if (!folder.empty() && before.GiveFilesOf(folder))
    return UsageError(flag + " " + PrintablePath(folder) + " is the folder of the images themselves, which " +
                      before.given_by + " makes: name another");
  if (undo_file.empty()) return {};
  TRY(CheckTargetFolder(ParentOf(undo_file)));
  if (!HoldsAnything(undo_file)) return {};
  const Result<std::unique_ptr<ActionJournal>> earlier = ActionJournal::Open(undo_file);
  if (earlier || earlier.error().code != Code::kMalformed) return {};
  return UsageError("--undo-file " + PrintablePath(undo_file) +
                    " exists already, and is no undo file: name another (" + earlier.error().message + ")");
}

Status ExecuteActions(const ActRequest& request, const std::function<Status(const ActionSink&)>& plan,
                      const CommandServices& services, CommandResult& result,
                      const std::function<void(const FileAction&)>& done) {
  const bool dry_run = services.shared->mode != RunMode::kRun;
  if (dry_run && request.nothing_planned) return {};
  if (!request.undo_file.empty()) {
    TRY(CheckTargetFolder(ParentOf(request.undo_file)));
  }
  SidecarActions sidecars(request.sidecars);
  const auto note_placed = [&](const FileAction& action) {
    if (services.in_pipeline) NotePlaced(action, result.placed);
  };
  if (dry_run) {
    uint64_t partners = 0;
    TrashFolders trash;
    const auto look = [&](const FileAction& image, std::span<const FileAction> with) -> Status {
      note_placed(image);
      trash.Add(image);
      partners += with.size();
      for (const FileAction& each : with) trash.Add(each);
      for (const FileAction& sidecar : sidecars.Of(image)) {
        note_placed(sidecar);
        trash.Add(sidecar);
      }
      return MayAct(image);
    };
    TRY(plan(look));
    sidecars.Tell(services, result);
    if (partners + sidecars.planned() > 0)
      result.summary += "; " + CountWith(partners, sidecars.planned()) + " would go along";
    trash.Tell(result);
    result.summary += "; dry run: nothing was touched";
    return {};
  }
  ActingJournal journal = TRY(OpenJournal(request, services, result));
  if (journal.actions == nullptr) return {};
  ActionJournal& actions = *journal.actions;
  PartnerCount partners(*services.memory, *services.stop);
  const auto put = [&](const FileAction& image, std::span<const FileAction> with) -> Status {
    TRY(MayAct(image));
    TRY(actions.Plan(image));
    note_placed(image);
    for (const FileAction& each : with) {
      TRY(MayAct(each));
      TRY(actions.Plan(each));
      TRY(partners.Plan(each));
    }
    for (const FileAction& sidecar : sidecars.Of(image)) {
      TRY(actions.Plan(sidecar));
      note_placed(sidecar);
    }
    return {};
  };
  const Status planned = plan(put);
  // Nothing was done that its undo file could tell of.
  if (!planned && !journal.resumed) ::unlink(actions.path().c_str());
  if (!planned) return journal.WithUndo(planned.error());
  partners.EndPlan();
  sidecars.Tell(services, result);
  if (!request.target_folder.empty()) SweepTemporaries(request.target_folder);
  const std::string mark = Join(request.target_folder, kSetAsideMark);
  const bool marks = request.sets_aside && actions.planned() > 0;
  const bool made_mark = marks && !Exists(mark);
  if (marks) {
    Status marked = actions.NoteMade(mark);
    if (marked) marked = MarkSetAside(request.target_folder, request.command);
    if (!marked) return journal.WithUndo(marked.error());
  }
  const std::string command = request.command.substr(request.command.find(' ') + 1);
  ActedFiles record(command, {request.target_folder, request.partners_to}, services);
  ActedElsewhere elsewhere(command, services);
  Status noted;
  const ActionJournal::Notes notes{[&](const FileAction& action) {
                                     if (noted) noted = record.AddFound(action);
                                   },
                                   [&]() -> Status {
                                     TRY(noted);
                                     return NoteActed(journal, record, elsewhere);
                                   }};
  const auto report = [&](const FileAction& action, const Status& status) {
    if (status.ok()) {
      partners.Add(action);
      services.log(LogLevel::kDebug, request.action + " " + PrintablePath(action.path));
      if (done && !action.sidecar) done(action);
      return;
    }
    TellFailed(action.path, status.error(), services, result);
  };
  Result<ActionCounts> acted = actions.Execute(*services.stop, report, notes);
  if (!acted) return journal.WithUndo(acted.error());
  if (acted->error) result.refusal = acted->error;
  // All was as wanted: an undo file would tell of nothing.
  const bool nothing = acted->done + acted->sidecars + acted->failed == 0 && !acted->error &&
                       !acted->interrupted && !made_mark && !journal.resumed;
  if (nothing) ::unlink(actions.path().c_str());
  if (nothing) journal.name = journal.earlier;
  result.details["action"] = request.action;
  result.details["acted"] = acted->done;
  const uint64_t went_along = acted->sidecars - std::min(acted->sidecars, partners.count());
  if (!request.partners.empty()) result.details["partners"] = partners.count();
  if (sidecars.planned() > 0) result.details["sidecars"] = went_along;
  if (!journal.name.empty()) result.details["undo_file"] = PrintablePath(journal.name);
  if (acted->already > 0) result.details["already_so"] = acted->already;
  if (journal.completed > 0) result.details["completed_of_a_killed_run"] = journal.completed;
  result.summary += "; " + request.action + ": " + std::to_string(acted->done) + " done" +
                    (acted->sidecars > 0 ? " with " + CountWith(partners.count(), went_along) : "") + ", " +
                    (acted->already > 0 ? std::to_string(acted->already) + " already done before, " : "") +
                    std::to_string(acted->failed + journal.failed) + " failed" +
                    (journal.completed > 0
                         ? ", " + std::to_string(journal.completed) + " more by the interrupted run before"
                         : "");
  if (!journal.name.empty())
    result.summary += "; undo with: imgmill undo " + PrintablePath(journal.name) +
                      (journal.resumed ? " (it holds what the interrupted run did, too)" : "");
  if (acted->interrupted) {
    result.counts.interrupted = true;
    result.counts.interruption = "stopped by a signal; imgmill undo takes back what was done";
  }
  return {};
}

}  // namespace imgmill
