// Compares stamps and contents, and looks up in undo files who has taken what is gone.
#include "changed_files.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/same_file.h"
#include "base/try.h"
#include "commands/acting_journal.h"
#include "commands/planned_actions.h"
#include "duplicate_action.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Nothing, or why a file is not the one that was shown.
std::optional<Error> Changed(const DecidedFile& file) {
  const Result<bool> same = IsAsSeen(file.path, file.stamp, file.content);
  if (!same) return Error{Stage::kAct, same.error().code, same.error().message};
  if (*same) return std::nullopt;
  return Error{Stage::kAct, Code::kConflict,
               "it is not the file that the page has shown (run dedup --html again)"};
}

/// Whether what was done is still to be seen: else somebody has put a file there since.
bool StillShows(const FileAction& action) {
  if (action.moves() || action.takes_away()) return !Exists(action.path);
  return !action.adds() && IsSameFile(action.path, action.keeper);
}

/// "moved it to gone/a.jpg"
std::string InWords(const FileAction& action) {
  switch (action.kind) {
    case FileAction::Kind::kMove:
      return "moved it to " + PrintablePath(action.target);
    case FileAction::Kind::kTrash:
      return "put it into the trash";
    case FileAction::Kind::kDelete:
      return "deleted it";
    default:
      return "replaced it by a link to " + PrintablePath(action.keeper);
  }
}

}  // namespace

bool ChangedFiles::Holds(const DecidedFile& file, bool stays) {
  std::optional<Error> changed = Changed(file);
  if (!changed) return false;
  held_.push_back({file.path, *std::move(changed), stays});
  return true;
}

Status ChangedFiles::LookInto(const std::vector<std::string>& undo_files) {
  if (held_.empty()) return {};
  std::unordered_multimap<std::string_view, size_t> by_path;
  for (size_t i = 0; i < held_.size(); ++i) by_path.emplace(held_[i].path, i);
  TRY(ForEachDoneIn(
      undo_files,
      [&](const std::string& undo_file, const std::string& command, const FileAction& action) -> Status {
        const auto [first, last] = by_path.equal_range(action.path);
        if (first == last || !StillShows(action)) return {};
        const bool as_wanted = action_ == "report" || action.kind == DuplicateActionKind(action_);
        for (auto each = first; each != last; ++each) {
          Held& held = held_[each->second];
          held.done = !held.stays && command == "imgmill apply" && as_wanted;
          held.error.message = "an earlier " + command + " has " + InWords(action) + " (imgmill undo " +
                               PrintablePath(undo_file) + " takes that back)";
        }
        return {};
      }));
  done_before_ += std::erase_if(held_, [](const Held& held) { return held.done; });
  return {};
}

void ChangedFiles::Tell(const CommandServices& services, CommandResult& result) const {
  for (const Held& held : held_) {
    Error error = held.error;
    if (held.stays) error.message += "; none of its duplicates is touched";
    TellFailed(held.path, error, services, result);
  }
}

}  // namespace imgmill
