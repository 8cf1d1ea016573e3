// Symbolic links that were moved with their files: found again in a killed run's undo file, and led again.
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
    moved_links.AddLink(id, action.path, start->link, start->target);
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

/// What they are led by is on the disk before: undo knows them by it.
Status ActionJournal::Impl::LeadLinks() {
  const std::vector<MovedLinks::Led> links = moved_links.TakeLed();
  if (links.empty()) return {};
  for (const MovedLinks::Led& link : links) TRY(file.AddLed(link.id, link.text));
  TRY(file.Sync());
  for (const MovedLinks::Led& link : links) MovedLinks::Lead(link);
  return {};
}

}  // namespace imgmill
