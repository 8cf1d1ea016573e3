// Looks for what killed runs have left, and finds a name for what they have not.
#include "acting_journal.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/same_file.h"
#include "base/time_text.h"
#include "base/try.h"
#include "catalog/recorded_folder.h"
#include "dataset/action_targets.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// "undo-20260102-030405" in UTC.
std::string UndoName() {
  return UtcTimeNow("undo-%Y%m%d-%H%M%S");
}

/// The undo file that the last run with this catalog has made; with a step's name behind it, that step.
constexpr char kUndoFileFact[] = "undo-file/1";

std::string FactOf(const CommandServices& services) {
  return services.step.empty() ? kUndoFileFact : std::string(kUndoFileFact) + " " + services.step;
}

/// What the undo file says it is of. Each step of a pipeline goes on with its own.
std::string InPipeline(const std::string& step) {
  return "imgmill run (" + step + ")";
}
std::string WhatActs(const ActRequest& request, const CommandServices& services) {
  return services.step.empty() ? request.command : InPipeline(services.step);
}

/// Whether it is left to another step of the pipeline, whose turn comes, or has come.
bool IsOfOtherStep(const std::string& undo_file, const CommandServices& services) {
  if (services.other_steps.empty() || !HoldsAnything(undo_file)) return false;
  const Result<std::string> command = ActionJournal::CommandOf(undo_file);
  return command && std::ranges::any_of(services.other_steps, [&](const std::string& step) {
           return *command == InPipeline(step);
         });
}

/// A name of ours gives way to a file that is there, such as that of a run killed within the same second; so
/// does one of a pipeline, which is run again. Another of the user's does not.
Status Create(const ActRequest& request, const CommandServices& services, ActingJournal& journal) {
  const std::string& folder = services.catalog->folder();
  const bool numbers = request.undo_file.empty() || services.in_pipeline;
  const std::string name = !request.undo_file.empty()
                               ? request.undo_file
                               : (folder.empty() ? std::string(".") : folder) + "/" + UndoName() + ".tsv";
  for (int i = 1;; ++i) {
    journal.name = NumberedTarget(name, i);
    Result<std::unique_ptr<ActionJournal>> made =
        ActionJournal::Create(journal.name, WhatActs(request, services), OutputFolderOfCatalog(folder));
    if (made) journal.actions = *std::move(made);
    if (made) return {};
    if (!numbers || made.error().code != Code::kConflict) return made.error();
  }
}

/// Whether `path` is the undo file that the user names, or one that Create has given a number.
bool MayGoOnWith(const std::string& path, const ActRequest& request, const CommandServices& services) {
  const std::string& named = request.undo_file;
  bool is_one = named.empty() || IsSameFile(named, path);
  for (int i = 2; !is_one && services.in_pipeline && Exists(NumberedTarget(named, i)); ++i)
    is_one = IsSameFile(NumberedTarget(named, i), path);
  return is_one;
}

/// The last one that Create has given a number, which a kill may have kept from the catalog.
std::string LastNumbered(const std::string& named) {
  std::string last;
  for (int i = 2; Exists(NumberedTarget(named, i)); ++i) last = NumberedTarget(named, i);
  return last;
}

}  // namespace

Error ActingJournal::WithUndo(Error error) const {
  if (completed > 0)
    error.message +=
        " (what the interrupted run before did is undone with: imgmill undo " + PrintablePath(name) + ")";
  return error;
}

bool HoldsAnything(const std::string& file) {
  std::error_code none;
  const uintmax_t bytes = std::filesystem::file_size(file, none);
  return !none && bytes > 0;
}

std::vector<std::string> EarlierUndoFiles(const std::string& named, const CommandServices& services) {
  std::vector<std::string> files;
  const auto add = [&](const std::string& file) {
    const auto same = [&](const std::string& other) { return other == file || IsSameFile(other, file); };
    if (!file.empty() && std::ranges::none_of(files, same)) files.push_back(file);
  };
  for (const std::string& fact : {FactOf(services), std::string(kUndoFileFact)})
    add(services.catalog->FindFact(ContentDigest{}, fact).value_or(""));
  add(named);
  if (services.in_pipeline && !named.empty()) add(LastNumbered(named));
  std::erase_if(files, [&](const std::string& file) { return IsOfOtherStep(file, services); });
  return files;
}

Result<ActingJournal> OpenJournal(const ActRequest& request, const CommandServices& services,
                                  CommandResult& result) {
  ActingJournal journal;
  const std::string command = WhatActs(request, services);
  for (const std::string& path : EarlierUndoFiles(request.undo_file, services)) {
    if (!HoldsAnything(path)) continue;
    Result<std::unique_ptr<ActionJournal>> found = ActionJournal::Resume(path);
    if (!found && found.error().code == Code::kLocked) return found.error();
    if (!found) {
      services.log(LogLevel::kWarning,
                   "the undo file of an earlier run is passed over: " + found.error().message);
      continue;
    }
    if (*found == nullptr) continue;
    if ((*found)->command() == command) journal.completed += (*found)->completed();
    const bool wanted = MayGoOnWith(path, request, services);
    if (wanted && journal.actions == nullptr && (*found)->command() == command) {
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
    if ((*found)->command() == command && (*found)->completed() > 0) journal.earlier = path;
    journal.others.push_back(*std::move(found));
  }
  if (journal.actions == nullptr && request.nothing_planned) return journal;
  if (journal.actions == nullptr) {
    TRY(Create(request, services, journal));
  }
  for (const auto& other : journal.others) journal.actions->TakeOver(*other);
  // On the disk before anything is touched, for whoever comes after a kill.
  for (const std::string& fact : {FactOf(services), std::string(kUndoFileFact)})
    TRY(services.catalog->PutFact(ContentDigest{}, fact, journal.actions->path()));
  TRY(services.catalog->Flush());
  return journal;
}

Status ForEachDoneIn(const std::vector<std::string>& undo_files,
                     const std::function<Status(const std::string& undo_file, const std::string& command,
                                                const FileAction& action)>& each) {
  for (const std::string& file : undo_files) {
    if (!HoldsAnything(file)) continue;
    const Result<std::unique_ptr<ActionJournal>> journal = ActionJournal::Open(file);
    if (!journal) continue;
    TRY((*journal)->ForEachDone(
        [&](const FileAction& action) { return each(file, (*journal)->command(), action); }));
  }
  return {};
}

}  // namespace imgmill
