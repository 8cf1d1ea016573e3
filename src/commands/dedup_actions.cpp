// Plans one action a duplicate, writes the plan as the undo file, carries it out.
#include "dedup_actions.h"

#include <ctime>

#include "imgmill/base/path_text.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {
namespace {

FileAction::Kind KindOf(const std::string& action) {
  if (action == "move") return FileAction::Kind::kMove;
  if (action == "hardlink") return FileAction::Kind::kHardlink;
  if (action == "symlink") return FileAction::Kind::kSymlink;
  return FileAction::Kind::kDelete;
}

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
Result<std::unique_ptr<ActionJournal>> CreateJournal(const DedupOptions& options,
                                                     const CommandServices& services,
                                                     std::string& undo_file) {
  const std::string& folder = services.catalog->folder();
  const std::string base = (folder.empty() ? std::string(".") : folder) + "/" + UndoName();
  for (int i = 1;; ++i) {
    undo_file = !options.undo_file.empty() ? options.undo_file
                                           : base + (i > 1 ? "-" + std::to_string(i) : "") + ".tsv";
    Result<std::unique_ptr<ActionJournal>> journal = ActionJournal::Create(undo_file, "imgmill dedup");
    if (journal || !options.undo_file.empty() || journal.error().code != Code::kConflict) return journal;
  }
}

}  // namespace

Status ActOnDuplicates(const DedupOptions& options, std::span<const DedupEntry> entries,
                       std::span<const DuplicateGroup> groups, const CommandServices& services,
                       CommandResult& result) {
  if (services.shared->dry_run) {
    result.summary += "; dry run: nothing was touched";
    return {};
  }
  std::string undo_file;
  Result<std::unique_ptr<ActionJournal>> journal = CreateJournal(options, services, undo_file);
  if (!journal) return journal.error();
  for (const DuplicateGroup& group : groups) {
    for (const DuplicateGroup::Member& member : group.members) {
      const DedupEntry& entry = entries[member.index];
      FileAction action;
      action.kind = KindOf(options.action);
      action.path = entry.file.path;
      action.keeper = entries[group.keeper].file.path;
      action.seen = entry.stamp;
      if (action.kind == FileAction::Kind::kMove) action.target = options.move_to + "/" + entry.file.relative;
      if (Status planned = (*journal)->Plan(action); !planned) return planned;
    }
  }
  Result<ActionCounts> acted =
      (*journal)->Execute(*services.stop, [&](const FileAction& action, const Status& status) {
        if (status.ok()) {
          services.log(LogLevel::kDebug, options.action + " " + PrintablePath(action.path));
          return;
        }
        services.log(LogLevel::kError, Describe(action.path, status.error()));
        result.action_failures.push_back({action.path, status.error()});
      });
  if (!acted) return acted.error();
  result.details["action"] = options.action;
  result.details["acted"] = acted->done;
  result.details["undo_file"] = PrintablePath(undo_file);
  result.summary += "; " + options.action + ": " + std::to_string(acted->done) + " done, " +
                    std::to_string(acted->failed) + " failed; undo with: imgmill undo " +
                    PrintablePath(undo_file);
  if (acted->interrupted) {
    result.counts.interrupted = true;
    result.counts.interruption = "stopped by a signal; imgmill undo takes back what was done";
  }
  return {};
}

}  // namespace imgmill
