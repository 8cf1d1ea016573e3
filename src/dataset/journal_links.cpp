// Symbolic links that were moved with their files: found again in a killed run's undo file, and by an undo.
#include <map>
#include <string>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/journal_impl.h"
#include "dataset/link_text.h"

namespace imgmill {

using State = JournalFile::State;

/// Links first, as they were moved, whatever their places in the plan.
Status ActionJournal::Impl::KnowMoves() {
  bool any = false;
  for (size_t id = 0; id < file.size(); ++id) {
    if (file.state(id) != State::kDone) continue;
    const std::optional<ActionStart> start = TRY(file.StartAt(id));
    if (!start || start->link.empty()) continue;
    const FileAction action = TRY(file.ActionAt(id));
    if (!action.moves()) continue;
    // The folder of a move is swept by the command, which knows no trash.
    if (action.kind == FileAction::Kind::kTrash) SweepOnce(ParentOf(start->target));
    // One that was led already, or that somebody else has changed, is left as it is.
    if (LinkTextOf(start->target) != MovedLinkText(action.path, start->link)) continue;
    moved_links.AddLink(action.path, start->link, start->target);
    any = true;
  }
  for (size_t id = 0; any && id < file.size(); ++id) {
    if (file.state(id) != State::kDone) continue;
    const FileAction action = TRY(file.ActionAt(id));
    if (!action.moves()) continue;
    const std::optional<ActionStart> start = TRY(file.StartAt(id));
    if (start) moved_links.AddMove(action.path, start->target);
  }
  return {};
}

Result<ActionJournal::Impl::LedLinks> ActionJournal::Impl::FindLedLinks() const {
  LedLinks links;
  for (size_t id = 0; id < file.size(); ++id) {
    if (!file.is_link(id)) continue;
    const FileAction action = TRY(file.ActionAt(id));
    const std::optional<ActionStart> start = TRY(file.StartAt(id));
    if (!action.moves() || !start) continue;
    std::string path = AbsoluteEntry(MovedLinkText(action.path, start->link));
    links.targets.try_emplace(path);
    links.paths.emplace(id, std::move(path));
  }
  for (size_t id = 0; id < file.size() && !links.paths.empty(); ++id) {
    const FileAction action = TRY(file.ActionAt(id));
    const auto found = links.targets.find(action.path);
    if (found == links.targets.end() || !action.moves()) continue;
    const std::optional<ActionStart> start = TRY(file.StartAt(id));
    if (start) found->second.push_back(start->target);
  }
  return links;
}

std::vector<std::string> ActionJournal::Impl::LedLinks::TextsOf(size_t id, const std::string& link) const {
  std::vector<std::string> texts;
  const auto path = paths.find(id);
  if (path == paths.end()) return texts;
  for (const std::string& target : targets.at(path->second)) {
    texts.push_back(LinkTextTo(link, target));
    // Where that is a link, too: it led nowhere when this one was led to it, and leads to its file now.
    texts.push_back(LinkTextToEntry(link, target));
  }
  return texts;
}

}  // namespace imgmill
