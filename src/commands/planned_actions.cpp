// Writes the plan as the undo file, carries it out, and puts it into the result.
#include "planned_actions.h"

#include <ctime>

#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// "undo-20260102-030405" in UTC.
std::string UndoName() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  char name[64];
  std::strftime(name, sizeof name, "undo-%Y%m%d-%H%M%S", &utc);
  return name;
}

/// A name of ours gives way to a file that is there, such as that of a run killed within the same second; a
/// name of the user's does not. Sets `undo_file` to the name taken.
Result<std::unique_ptr<ActionJournal>> CreateJournal(const ActRequest& request,
                                                     const CommandServices& services,
                                                     std::string& undo_file) {
  const std::string& folder = services.catalog->folder();
  const std::string base = (folder.empty() ? std::string(".") : folder) + "/" + UndoName();
  for (int i = 1;; ++i) {
    undo_file = !request.undo_file.empty() ? request.undo_file
                                           : base + (i > 1 ? "-" + std::to_string(i) : "") + ".tsv";
    Result<std::unique_ptr<ActionJournal>> journal = ActionJournal::Create(undo_file, request.command);
    if (journal || !request.undo_file.empty() || journal.error().code != Code::kConflict) return journal;
  }
}

}  // namespace

Status CarryOut(const ActRequest& request, const std::function<Status(ActionJournal&)>& plan,
                const CommandServices& services, CommandResult& result,
                const std::function<void(const FileAction&)>& done) {
  if (services.shared->dry_run) {
    result.summary += "; dry run: nothing was touched";
    return {};
  }
  std::string undo_file;
  Result<std::unique_ptr<ActionJournal>> journal = CreateJournal(request, services, undo_file);
  if (!journal) return journal.error();
  if (Status planned = plan(**journal); !planned) return planned;
  if (!request.target_folder.empty()) SweepTemporaries(request.target_folder);
  Result<ActionCounts> acted =
      (*journal)->Execute(*services.stop, [&](const FileAction& action, const Status& status) {
        if (status.ok()) {
          services.log(LogLevel::kDebug, request.action + " " + PrintablePath(action.path));
          if (done) done(action);
          return;
        }
        services.log(LogLevel::kError, Describe(action.path, status.error()));
        result.action_failures.push_back({action.path, status.error()});
      });
  if (!acted) return acted.error();
  result.details["action"] = request.action;
  result.details["acted"] = acted->done;
  result.details["undo_file"] = PrintablePath(undo_file);
  result.summary += "; " + request.action + ": " + std::to_string(acted->done) + " done, " +
                    (acted->already > 0 ? std::to_string(acted->already) + " were so already, " : "") +
                    std::to_string(acted->failed) + " failed; undo with: imgmill undo " +
                    PrintablePath(undo_file);
  if (acted->interrupted) {
    result.counts.interrupted = true;
    result.counts.interruption = "stopped by a signal; imgmill undo takes back what was done";
  }
  return {};
}

}  // namespace imgmill
