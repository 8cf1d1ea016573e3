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
#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/same_file.h"
#include "base/time_text.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "catalog/recorded_folder.h"
#include "dataset/action_targets.h"
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

/// "undo-20260102-030405" in UTC.
std::string UndoName() {
  return UtcTimeNow("undo-%Y%m%d-%H%M%S");
}

std::string Count(uint64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// "2 side-cars", "2 partners", "2 partners and 1 side-car"; empty for none.
std::string CountWith(uint64_t partners, uint64_t sidecars) {
  std::string text = partners > 0 ? Count(partners, "partner") : "";
  if (sidecars > 0) text += (text.empty() ? "" : " and ") + Count(sidecars, "side-car");
  return text;
}

/// The undo file that the last run with this catalog has made.
constexpr char kUndoFileFact[] = "undo-file/1";

struct Journal {
  std::unique_ptr<ActionJournal> actions;
  std::vector<std::unique_ptr<ActionJournal>> others;  ///< of earlier runs that were killed: completed
  std::string name;                                    ///< as the user knows it
  std::string earlier;     ///< of a run of this command that was killed, where it is another file
  uint64_t completed = 0;  ///< actions that interrupted runs of this command had done or begun
  uint64_t failed = 0;     ///< what they had begun, and could not be completed
  bool resumed = false;
};

/// Where a run ends before it acts, what an earlier one has done can be taken back all the same.
Error WithUndo(Error error, const Journal& journal) {
  if (journal.completed > 0)
    error.message += " (what the interrupted run before did is undone with: imgmill undo " +
                     PrintablePath(journal.name) + ")";
  return error;
}

/// A name of ours gives way to a file that is there, such as that of a run killed within the same second; so
/// does one of a pipeline, which is run again. Another of the user's does not.
Status Create(const ActRequest& request, const CommandServices& services, Journal& journal) {
  const std::string& folder = services.catalog->folder();
  const bool numbers = request.undo_file.empty() || services.in_pipeline;
  const std::string name = !request.undo_file.empty()
                               ? request.undo_file
                               : (folder.empty() ? std::string(".") : folder) + "/" + UndoName() + ".tsv";
  for (int i = 1;; ++i) {
    journal.name = NumberedTarget(name, i);
    Result<std::unique_ptr<ActionJournal>> made =
        ActionJournal::Create(journal.name, request.command, OutputFolderOfCatalog(folder));
    if (made) journal.actions = *std::move(made);
    if (made) return {};
    if (!numbers || made.error().code != Code::kConflict) return made.error();
  }
}

/// False also of an undo file that a full disk has left empty: it is taken as a name without a file is.
bool HoldsAnything(const std::string& file) {
  std::error_code none;
  const uintmax_t bytes = std::filesystem::file_size(file, none);
  return !none && bytes > 0;
}

/// Undo files that a killed run may have left: the last one of this catalog, and the one that the user names.
std::vector<std::string> EarlierUndoFiles(const ActRequest& request, const CommandServices& services) {
  std::vector<std::string> files;
  if (auto last = services.catalog->FindFact(ContentDigest{}, kUndoFileFact))
    files.push_back(*std::move(last));
  const std::string& named = request.undo_file;
  if (!named.empty() && (files.empty() || !IsSameFile(files[0], named))) files.push_back(named);
  return files;
}

/// Whether `path` is the undo file that the user names, or one that Create has given a number.
bool MayGoOnWith(const std::string& path, const ActRequest& request, const CommandServices& services) {
  const std::string& named = request.undo_file;
  bool is_one = named.empty() || IsSameFile(named, path);
  for (int i = 2; !is_one && services.in_pipeline && Exists(NumberedTarget(named, i)); ++i)
    is_one = IsSameFile(NumberedTarget(named, i), path);
  return is_one;
}

/// Goes on with the undo file of a killed or interrupted run, or makes one (if anything is planned). What
/// such a run was in the middle of is completed either way.
Result<Journal> OpenJournal(const ActRequest& request, const CommandServices& services,
                            CommandResult& result) {
  Journal journal;
  for (const std::string& path : EarlierUndoFiles(request, services)) {
    if (!HoldsAnything(path)) continue;
    Result<std::unique_ptr<ActionJournal>> found = ActionJournal::Resume(path);
    if (!found && found.error().code == Code::kLocked) return found.error();
    if (!found) {
      services.log(LogLevel::kWarning,
                   "the undo file of an earlier run is passed over: " + found.error().message);
      continue;
    }
    if (*found == nullptr) continue;
    if ((*found)->command() == request.command) journal.completed += (*found)->completed();
    const bool wanted = MayGoOnWith(path, request, services);
    if (wanted && journal.actions == nullptr && (*found)->command() == request.command) {
      journal.name = IsSameFile(request.undo_file, path) ? request.undo_file : (*found)->path();
      journal.actions = *std::move(found);
      journal.resumed = true;
      continue;
    }
    // Nothing more is planned there.
    const auto tell = [&](const FileAction& action, const Status& status) {
      if (!status) TellFailed(action.path, status.error(), services, result);
    };
    const ActionCounts ended = TRY((*found)->Execute(StopFlag(), tell));
    if (ended.error) return *ended.error;
    journal.failed += ended.failed;
    if ((*found)->command() == request.command && (*found)->completed() > 0) journal.earlier = path;
    journal.others.push_back(*std::move(found));
  }
  if (journal.actions == nullptr && request.nothing_planned) return journal;
  if (journal.actions == nullptr) {
    TRY(Create(request, services, journal));
  }
  for (const auto& other : journal.others) journal.actions->TakeOver(*other);
  // On the disk before anything is touched, for whoever comes after a kill.
  TRY(services.catalog->PutFact(ContentDigest{}, kUndoFileFact, journal.actions->path()));
  TRY(services.catalog->Flush());
  return journal;
}

/// What these runs have put into the action's folder, or taken away.
Status NoteActed(const Journal& journal, ActedFiles& acted, ActedElsewhere& elsewhere) {
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
  Journal journal = TRY(OpenJournal(request, services, result));
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
  if (!planned) return WithUndo(planned.error(), journal);
  partners.EndPlan();
  sidecars.Tell(services, result);
  if (!request.target_folder.empty()) SweepTemporaries(request.target_folder);
  const std::string mark = Join(request.target_folder, kSetAsideMark);
  const bool marks = request.sets_aside && actions.planned() > 0;
  const bool made_mark = marks && !Exists(mark);
  if (marks) {
    Status marked = actions.NoteMade(mark);
    if (marked) marked = MarkSetAside(request.target_folder, request.command);
    if (!marked) return WithUndo(marked.error(), journal);
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
  if (!acted) return WithUndo(acted.error(), journal);
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
