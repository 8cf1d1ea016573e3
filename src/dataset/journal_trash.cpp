// A batch's part in the trash: notes on all of its files are on the disk before the first of them goes.
#include <vector>

#include "base/try.h"
#include "dataset/file_actions.h"
#include "dataset/journal_impl.h"
#include "dataset/trash.h"

namespace imgmill {

/// One that cannot be written is tried again, and its error told, when its file's turn comes.
void ActionJournal::Impl::WriteNotes(const std::vector<Group>& batch) {
  std::vector<TrashNote> wanted;
  const auto add = [&](const Ready& ready) {
    if (ready.action.kind == FileAction::Kind::kTrash) wanted.push_back(NoteOf(ready.action, ready.start));
  };
  for (const Group& group : batch) {
    if (group.image) add(*group.image);
    for (const Ready& sidecar : group.sidecars) add(sidecar);
  }
  if (!wanted.empty()) WriteTrashNotes(wanted);
}

void ActionJournal::Impl::RemoveOrphanNotes(const std::vector<Group>& batch) {
  for (const Group& group : batch) {
    if (group.image) RemoveOrphanNote(group.image->action, group.image->start);
    for (const Ready& sidecar : group.sidecars) RemoveOrphanNote(sidecar.action, sidecar.start);
  }
}

/// Of a side-car or partner, whose name there is its own.
Status ActionJournal::Impl::ChooseAgainInTrash(Ready& sidecar) {
  const Error taken{Stage::kAct, Code::kConflict, "its target was taken meanwhile (run again)"};
  if (sidecar.action.kind != FileAction::Kind::kTrash) return taken;
  ActionStart start = TRY(Prepare(
      sidecar.action, [&](const FileAction& each) { return TakenTargets().ForSidecar(each, each.target); }));
  if (start.target == sidecar.start.target) return taken;
  sidecar.start = std::move(start);
  TRY(file.AddStart(sidecar.id, sidecar.start));
  return file.Sync();
}

Status ActionJournal::Impl::PerformSidecar(Ready& sidecar) {
  Status status = Perform(sidecar.action, sidecar.start);
  while (!status && status.error().code == Code::kConflict && ChooseAgainInTrash(sidecar))
    status = Perform(sidecar.action, sidecar.start);
  return status;
}

}  // namespace imgmill
