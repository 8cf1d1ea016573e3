// A batch's part in the trash: notes on all of its files are on the disk before the first of them goes.
#include <utility>
#include <vector>

#include "base/try.h"
#include "dataset/file_actions.h"
#include "dataset/journal_impl.h"
#include "dataset/trash.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

/// A name that was taken meanwhile is chosen again when its file's turn comes. What cannot be noted for
/// another reason, such as a full trash, keeps its image, so that this does not go alone.
void ActionJournal::Impl::WriteNotes(std::vector<Group>& batch) {
  std::vector<TrashNote> wanted;
  std::vector<std::pair<Group*, const Ready*>> of;
  const auto add = [&](Group& group, const Ready& ready) {
    if (ready.action.kind != FileAction::Kind::kTrash) return;
    wanted.push_back(NoteOf(ready.action, ready.start));
    of.emplace_back(&group, &ready);
  };
  for (Group& group : batch) {
    if (group.image) add(group, *group.image);
    for (const Ready& sidecar : group.sidecars) add(group, sidecar);
  }
  if (wanted.empty()) return;
  const std::vector<Status> written = WriteTrashNotes(wanted);
  for (size_t i = 0; i < written.size(); ++i) {
    const auto [group, ready] = of[i];
    if (written[i] || written[i].error().code == Code::kConflict || !group->image || group->not_noted)
      continue;
    group->not_noted = written[i].error();
    if (ready->action.sidecar)
      group->not_noted->message =
          PrintablePath(ready->action.path) + " cannot go with it: " + group->not_noted->message;
  }
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
