// Carries a plan out in batches whose start lines are on the disk before the first act.
#include <sys/stat.h>

#include <cerrno>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/action_order.h"
#include "dataset/file_actions.h"
#include "dataset/journal_impl.h"
#include "dataset/trash.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

using State = JournalFile::State;

/// Actions between two syncs of the undo file: a sync takes milliseconds, an act microseconds.
constexpr size_t kBatch = 64;

/// By an action: a folder that has become a file, which IsGone takes for the same, is somebody else's doing.
bool WasTakenAway(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 || errno != ENOENT) return false;
  return StatPath(path, &info) != 0;  // the system does not know the archive on stdin
}

bool Finished(State state) {
  return state == State::kDone || state == State::kUndone;
}

Status OfAct(const Error& error) {
  return Error{Stage::kAct, error.code, error.message};
}

}  // namespace

/// The action's end, in the file, the counts and the report.
Status ActionJournal::Impl::Tell(size_t id, const FileAction& action, const Status& status,
                                 const Report& report) {
  // What a full disk has stopped is not called failed: the next run goes on with it, and no later action
  // would fare better. But each file system has a trash of its own.
  const bool full =
      !status && status.error().code == Code::kDiskFull && action.kind != FileAction::Kind::kTrash;
  Status noted = status ? file.AddDone(id) : full ? Status{} : file.AddFailed(id, status.error());
  ++(!status ? counts.failed : action.sidecar ? counts.sidecars : counts.done);
  report(action, status);
  if (!noted) return noted;
  return full ? status : Status{};
}

/// The image has said why; its side-cars only follow.
Status ActionJournal::Impl::TellStaying(const Planned& planned) {
  for (size_t i = 0; i < planned.sidecars.size(); ++i) {
    const size_t id = planned.id + 1 + i;
    if (Finished(file.state(id))) continue;
    TRY(file.AddFailed(id, Error{Stage::kAct, Code::kConflict, "its image stays where it is"}));
  }
  return {};
}

/// Where an earlier run, killed at this action or stopped by a failure, has put its file: it is done then.
/// @param stays  set where it was put there, but cannot leave its old place: it has failed, and was told
Result<std::optional<std::string>> ActionJournal::Impl::AlreadyWent(size_t id, const FileAction& action,
                                                                    const Report& report, bool& stays) {
  const std::optional<ActionStart> before = TRY(file.StartAt(id));
  if (!before) return std::optional<std::string>();
  const Progressed progressed = Look(action, *before);
  if (progressed == Progressed::kNo) {
    SweepAround(action, before->target);
    RemoveOrphanNote(action, *before);
    return std::optional<std::string>();
  }
  const Status status = progressed == Progressed::kHalf ? RemoveMoved(action, before->target) : Status{};
  if (status) NoteMove(id, action, *before);
  FileAction done = action;
  done.target = before->target;
  TRY(Tell(id, done, status, report));
  stays = !status;
  return std::optional<std::string>(before->target);
}

Status ActionJournal::Impl::AddMissingFolders(const FileAction& action, const std::string& target) {
  for (const std::string& folder : TargetFolders(action, target)) TRY(file.AddMissing(folder));
  return {};
}

void ActionJournal::Impl::TellFound(FileAction action, const std::string& target) const {
  if (!notes.found || !action.adds()) return;
  action.target = target;
  notes.found(action);
}

Status ActionJournal::Impl::PrepareGroup(const Planned& planned, std::vector<Group>& batch,
                                         TakenTargets& taken, const Report& report) {
  const size_t id = planned.id;
  FileAction image = planned.image;
  if (const auto settled = completed.find(image.path);
      settled != completed.end() && WasTakenAway(image.path)) {
    // Listed before its move was completed, and that of its side-cars. The lines of that move are there: undo
    // goes by them.
    image.target = settled->second;
    report(image, {});  // counted by completed()
    return {};
  }
  Group group;
  std::optional<std::string> went;  // to which target
  if (Finished(file.state(id))) {
    ++counts.already;
    const std::optional<ActionStart> before = TRY(file.StartAt(id));
    if (file.state(id) == State::kUndone || !before) return {};
    went = before->target;
  } else {
    bool stays = false;
    std::optional<std::string> before = TRY(AlreadyWent(id, image, report, stays));
    if (stays) return TellStaying(planned);
    went = std::move(before);
  }
  if (!went) {
    SweepAround(image, image.target);
    Result<ActionStart> start =
        Prepare(image, [&](const FileAction& each) { return taken.ForImage(each, planned.sidecars); });
    if (!start) {
      TRY(Tell(id, image, OfAct(start.error()), report));
      return TellStaying(planned);
    }
    went = start->target;
    if (start->already) {
      if (!WasDoneBefore(image.path)) ++counts.already;
      TellFound(image, start->target);
    } else {
      taken.Add(image, start->target);
      if (image.has_target()) TRY(AddMissingFolders(image, start->target));
      TRY(file.AddStart(id, *start));
      group.image = Ready{id, image, *std::move(start)};
    }
  }
  for (size_t i = 0; i < planned.sidecars.size(); ++i) {
    FileAction sidecar = planned.sidecars[i];
    sidecar.number = image.number;
    TRY(PrepareSidecar(id + 1 + i, std::move(sidecar), image, *went, group, taken, report));
  }
  if (group.image || !group.sidecars.empty()) batch.push_back(std::move(group));
  return {};
}

Status ActionJournal::Impl::PrepareSidecar(size_t id, FileAction action, const FileAction& image,
                                           const std::string& went, Group& group, TakenTargets& taken,
                                           const Report& report) {
  if (Finished(file.state(id))) return {};
  if (completed.contains(action.path) && WasTakenAway(action.path)) return {};
  bool stays = false;
  const std::optional<std::string> before = TRY(AlreadyWent(id, action, report, stays));
  if (before) return {};
  Result<ActionStart> start = Prepare(action, [&](const FileAction& each) {
    return taken.ForSidecar(each, SidecarTarget(image, went, each));
  });
  if (!start) return Tell(id, action, OfAct(start.error()), report);
  if (start->already) {
    TellFound(action, start->target);
    return {};
  }
  if (action.has_target()) {
    taken.Add(action, start->target);
    TRY(AddMissingFolders(action, start->target));
  }
  TRY(file.AddStart(id, *start));
  group.sidecars.push_back({id, std::move(action), *std::move(start)});
  return {};
}

/// Somebody was faster at the target: another number, written down before it is used, for all of the group.
Status ActionJournal::Impl::ChooseAgain(Group& group, const Report& report) {
  TakenTargets taken;
  std::vector<FileAction> sidecars;
  for (const Ready& each : group.sidecars) sidecars.push_back(each.action);
  ActionStart start = TRY(
      Prepare(group.image->action, [&](const FileAction& each) { return taken.ForImage(each, sidecars); }));
  if (start.already || start.target == group.image->start.target)
    return Error{Stage::kAct, Code::kConflict, "its target was taken meanwhile (run again)"};
  group.image->start = std::move(start);
  TRY(file.AddStart(group.image->id, group.image->start));
  std::vector<Ready> again;
  again.swap(group.sidecars);
  for (Ready& each : again) {
    TRY(PrepareSidecar(each.id, std::move(each.action), group.image->action, group.image->start.target, group,
                       taken, report));
  }
  return file.Sync();
}

void ActionJournal::Impl::NoteMove(size_t id, const FileAction& action, const ActionStart& start) {
  if (!action.moves()) return;
  moved_links.AddMove(action.path, start.target);
  if (!start.link.empty()) moved_links.AddLink(id, action.path, start.link, start.target);
}

Status ActionJournal::Impl::TellPerformed(const Ready& ready, const Status& status, const Report& report) {
  if (status) {
    const FileAction& action = ready.action;
    NoteMove(ready.id, action, ready.start);
    touched.insert(ParentOf(action.path));
    for (std::string& folder : TargetFolders(action, ready.start.target)) touched.insert(std::move(folder));
  }
  FileAction done = ready.action;
  done.target = ready.start.target;
  return Tell(ready.id, done, status, report);
}

Status ActionJournal::Impl::PerformGroup(Group& group, const Report& report) {
  if (group.image) {
    Status status =
        group.not_noted ? Status(*group.not_noted) : Perform(group.image->action, group.image->start);
    while (!status && status.error().code == Code::kConflict && group.image->action.has_target()) {
      if (Status chosen = ChooseAgain(group, report); !chosen) break;
      status = Perform(group.image->action, group.image->start);
    }
    TRY(TellPerformed(*group.image, status, report));
    if (!status) {
      RemoveOrphanNote(group.image->action, group.image->start);  // where it is a side-car's that failed
      for (const Ready& sidecar : group.sidecars) {
        RemoveOrphanNote(sidecar.action, sidecar.start);
        TRY(file.AddFailed(sidecar.id, Error{Stage::kAct, Code::kConflict, "its image stays where it is"}));
      }
      return {};
    }
  }
  for (Ready& sidecar : group.sidecars) {
    const Status status = PerformSidecar(sidecar);
    TRY(TellPerformed(sidecar, status, report));
  }
  return {};
}

/// So that a power cut does not bring back what the undo file calls done. A folder that is gone has nothing
/// to sync.
void ActionJournal::Impl::SyncTouched() {
  for (const std::string& folder : touched) {
    if (Status synced = SyncFolder(folder); !synced) continue;
  }
  touched.clear();
}

void ActionJournal::Impl::SweepOnce(const std::string& folder) {
  if (swept.insert(folder).second) SweepTemporaries(folder, false);
}

/// Links and copies are made beside the name that they get, and put in its place: a kill in between leaves
/// them there.
void ActionJournal::Impl::SweepAround(const FileAction& action, const std::string& target) {
  SweepOnce(ParentOf(action.path));
  for (const std::string& folder : TargetFolders(action, target)) SweepOnce(folder);
}

Result<ActionJournal::Impl::Planned> ActionJournal::Impl::PlannedAt(size_t id) const {
  FileAction image = TRY(file.ActionAt(id));
  Planned planned{id, std::move(image), {}};
  for (size_t next = id + 1; next < file.size() && file.is_sidecar(next); ++next) {
    FileAction sidecar = TRY(file.ActionAt(next));
    planned.sidecars.push_back(std::move(sidecar));
  }
  return planned;
}

/// All that is planned, in order, until an error or the stop flag.
Status ActionJournal::Impl::CarryOut(const StopFlag& stop, const Report& report) {
  std::vector<Group> batch;
  TakenTargets taken;
  ActionOrder order = TRY(ActionOrder::Of(file, first));
  std::optional<ActionOrder::Place> next = order.Next();
  while (next && !stop.StopRequested()) {
    batch.clear();
    taken.Clear();
    for (size_t started = 0; next && started < kBatch && !stop.StopRequested(); next = order.Next()) {
      Planned planned = TRY(PlannedAt(next->id));
      planned.image.number = next->number;
      TRY(PrepareGroup(planned, batch, taken, report));
      started += 1 + planned.sidecars.size();
    }
    TRY(file.Sync());
    WriteNotes(batch);
    Status performed;
    auto group = batch.begin();
    for (; group != batch.end() && performed && !stop.StopRequested(); ++group)
      performed = PerformGroup(*group, report);
    // What is left was started, but is not done: the next Execute looks, and does it.
    if (!performed || group != batch.end()) RemoveOrphanNotes(batch);
    TRY(performed);
    SyncTouched();
  }
  return {};
}

Result<ActionCounts> ActionJournal::Execute(const StopFlag& stop, const Report& report, const Notes& notes) {
  Impl& impl = *impl_;
  impl.counts = {};
  impl.notes = notes;
  if (impl.opened && !impl.file.sealed()) {
    return Error{
        Stage::kAct, Code::kConflict,
        "its plan was cut off before anything was done; delete the undo file and run the command again"};
  }
  TRY(impl.file.Seal());
  for (const auto& [action, error] : impl.stranded) {
    ++impl.counts.failed;
    report(action, error);
  }
  Status ended = impl.CarryOut(stop, report);
  impl.SyncTouched();
  impl.counts.interrupted = stop.StopRequested();
  Status synced = impl.file.Sync();
  // Only now: until its move is noted, a link is known again by its text. A run that is killed here has not
  // ended: the next one goes on.
  if (synced) synced = impl.LeadLinks();
  if (ended) ended = synced;
  if (notes.before_end) {
    const Status noted = notes.before_end();
    if (ended) ended = noted;
  }
  if (ended && !impl.counts.interrupted) {
    ended = impl.file.AddEnded();
    if (ended) ended = impl.file.Sync();
  }
  if (!ended) impl.counts.error = ended.error();
  return impl.counts;
}

}  // namespace imgmill
