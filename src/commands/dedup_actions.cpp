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

/// "undo-20260102-030405.tsv" in UTC; the journal refuses one that exists.
std::string UndoFileName() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  char name[64];
  std::strftime(name, sizeof name, "undo-%Y%m%d-%H%M%S.tsv", &utc);
  return name;
}

std::string UndoFile(const DedupOptions& options, const CommandServices& services) {
  if (!options.undo_file.empty()) return options.undo_file;
  const std::string& folder = services.catalog->folder();
  return (folder.empty() ? std::string(".") : folder) + "/" + UndoFileName();
}

}  // namespace

Status ActOnDuplicates(const DedupOptions& options, std::span<const DedupEntry> entries,
                       std::span<const DuplicateGroup> groups, const CommandServices& services,
                       CommandResult& result) {
  if (services.shared->dry_run) {
    result.summary += "; dry run: nothing was touched";
    return {};
  }
  const std::string undo_file = UndoFile(options, services);
  Result<std::unique_ptr<ActionJournal>> journal = ActionJournal::Create(undo_file, "imgmill dedup");
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
