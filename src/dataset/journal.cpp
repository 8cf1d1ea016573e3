// Carries a plan out in batches whose start lines are on the disk before the first act, and takes it back.
#include "imgmill/dataset/journal.h"

#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/file_actions.h"
#include "dataset/journal_file.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

using State = JournalFile::State;

/// Actions between two syncs of the undo file: a sync takes milliseconds, an act microseconds.
constexpr size_t kBatch = 64;

struct Ready {
  size_t id;
  FileAction action;
  ActionStart start;
};

bool IsGone(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) != 0 && errno == ENOENT;
}

uint64_t HashOf(const std::string& path) {
  return XXH3_64bits(path.data(), path.size());
}

bool Finished(State state) {
  return state == State::kDone || state == State::kUndone;
}

}  // namespace

struct ActionJournal::Impl {
  JournalFile file;
  bool opened = false;  ///< found, not made: no plan is added
  size_t first = 0;     ///< of what this run has planned; before it stands what an earlier one has
  /// What an earlier run had begun and is complete now: where each path went.
  std::map<std::string, std::string> completed;
  /// Of the paths of all that earlier runs have done and that counts as theirs, in order: a hash each, for
  /// there may be millions.
  std::vector<uint64_t> done_before;
  ActionCounts counts;
  std::set<std::string> touched;  ///< folders to sync
  std::set<std::string> swept;    ///< folders where what killed runs left half made was removed

  bool WasComplete() const;
  bool WasDoneBefore(const std::string& path) const;
  Status Settle();
  Status Tell(size_t id, const FileAction& action, const Status& status, const Report& report);
  Status PrepareOne(size_t id, std::vector<Ready>& batch, std::unordered_set<std::string>& taken,
                    const Report& report);
  Status PerformOne(Ready& ready, const Report& report);
  Status UndoOne(size_t id, UndoSummary& summary, const Report& report);
  void SyncTouched();
  void SweepOnce(const std::string& folder);
  void SweepAround(const FileAction& action, const std::string& target);
};

ActionJournal::ActionJournal() : impl_(std::make_unique<Impl>()) {}
ActionJournal::~ActionJournal() = default;

Result<std::unique_ptr<ActionJournal>> ActionJournal::Create(const std::string& path,
                                                             const std::string& command) {
  JournalFile file = TRY(JournalFile::Create(AbsoluteEntry(path), command));
  std::unique_ptr<ActionJournal> journal(new ActionJournal);
  journal->impl_->file = std::move(file);
  return journal;
}

Result<std::unique_ptr<ActionJournal>> ActionJournal::Open(const std::string& path) {
  JournalFile file = TRY(JournalFile::Open(AbsoluteEntry(path)));
  std::unique_ptr<ActionJournal> journal(new ActionJournal);
  journal->impl_->opened = true;
  journal->impl_->file = std::move(file);
  return journal;
}

Result<std::unique_ptr<ActionJournal>> ActionJournal::Resume(const std::string& path) {
  Result<std::unique_ptr<ActionJournal>> opened = Open(path);
  if (!opened) return opened.error();
  Impl& impl = *(*opened)->impl_;
  if (impl.WasComplete()) return std::unique_ptr<ActionJournal>();
  TRY(impl.Settle());
  impl.first = impl.file.size();
  impl.opened = false;
  impl.file.Unseal();
  return opened;
}

/// Files of earlier versions have no last line that says so.
bool ActionJournal::Impl::WasComplete() const {
  if (file.ended()) return true;
  bool complete = file.sealed();
  for (size_t id = 0; id < file.size() && complete; ++id) {
    complete = file.state(id) != State::kPlanned && file.state(id) != State::kStarted;
  }
  return complete;
}

/// Completes what a killed run was in the middle of, and gives up the rest of its plan: whoever runs the
/// command again plans it again, by what the files are now.
Status ActionJournal::Impl::Settle() {
  for (size_t id = 0; id < file.size(); ++id) {
    if (file.state(id) != State::kStarted && file.state(id) != State::kDone) continue;
    const FileAction action = TRY(file.ActionAt(id));
    if (file.state(id) == State::kDone) {
      done_before.push_back(HashOf(action.path));
      continue;
    }
    const std::optional<ActionStart> start = TRY(file.StartAt(id));
    SweepAround(action, start->target);
    const Progressed progressed = Look(action, *start);
    Status noted;
    if (progressed == Progressed::kNo) {
      noted = file.AddFailed(id, Error{Stage::kAct, Code::kInterrupted, "the run ended before it was done"});
    } else {
      const Status removed = progressed == Progressed::kHalf ? RemoveMoved(action) : Status{};
      noted = removed ? file.AddDone(id) : file.AddFailed(id, removed.error());
      if (removed) completed.emplace(action.path, start->target);
      if (removed) done_before.push_back(HashOf(action.path));
    }
    if (!noted) return noted;
  }
  std::sort(done_before.begin(), done_before.end());
  return file.Sync();
}

uint64_t ActionJournal::planned() const {
  return impl_->file.size() - impl_->first;
}

uint64_t ActionJournal::completed() const {
  return impl_->done_before.size();
}

const std::string& ActionJournal::command() const {
  return impl_->file.command();
}

const std::string& ActionJournal::path() const {
  return impl_->file.path();
}

void ActionJournal::TakeOver(const ActionJournal& earlier) {
  impl_->completed.insert(earlier.impl_->completed.begin(), earlier.impl_->completed.end());
  const std::vector<uint64_t>& more = earlier.impl_->done_before;
  const auto middle = static_cast<std::ptrdiff_t>(impl_->done_before.size());
  impl_->done_before.insert(impl_->done_before.end(), more.begin(), more.end());
  std::inplace_merge(impl_->done_before.begin(), impl_->done_before.begin() + middle,
                     impl_->done_before.end());
}

Status ActionJournal::Plan(const FileAction& action) {
  if (impl_->opened || impl_->file.sealed()) return Error{Stage::kAct, Code::kInternal, "the plan is sealed"};
  const std::string& other = action.has_target() ? action.target : action.keeper;
  if (action.path.empty() || other.empty()) {
    return Error{Stage::kAct, Code::kInternal, "an action without its path, target or keeper"};
  }
  return impl_->file.AddPlan(MadeAbsolute(action));
}

/// The action's end, in the file, the counts and the report.
Status ActionJournal::Impl::Tell(size_t id, const FileAction& action, const Status& status,
                                 const Report& report) {
  Status noted = status ? file.AddDone(id) : file.AddFailed(id, status.error());
  ++(status ? counts.done : counts.failed);
  report(action, status);
  if (!noted) return noted;
  // No later action would fare better.
  if (!status && status.error().code == Code::kDiskFull) return status;
  return {};
}

Status ActionJournal::Impl::PrepareOne(size_t id, std::vector<Ready>& batch,
                                       std::unordered_set<std::string>& taken, const Report& report) {
  FileAction action = TRY(file.ActionAt(id));
  action.number = id - first;
  if (const auto settled = completed.find(action.path); settled != completed.end() && IsGone(action.path)) {
    // Listed before its move was completed. The lines of that move are there: undo goes by them.
    action.target = settled->second;
    report(action, {});  // counted by completed()
    return {};
  }
  Result<std::optional<ActionStart>> before = file.StartAt(id);
  if (!before) return before.error();
  if (*before) {  // a run before this one was killed at it, or it failed
    Progressed progressed = Look(action, **before);
    Status status;
    if (progressed == Progressed::kHalf) {
      status = RemoveMoved(action);
      progressed = Progressed::kYes;
    }
    if (progressed == Progressed::kYes) {
      action.target = (*before)->target;
      return Tell(id, action, status, report);
    }
    SweepAround(action, (*before)->target);
  }
  SweepAround(action, action.target);
  Result<std::optional<ActionStart>> start = Prepare(action, taken);
  if (!start) return Tell(id, action, Error{Stage::kAct, start.error().code, start.error().message}, report);
  if (!*start) {
    if (!WasDoneBefore(action.path)) ++counts.already;
    return {};
  }
  if (!(*start)->target.empty()) taken.insert((*start)->target);
  TRY(file.AddStart(id, **start));
  batch.push_back({id, std::move(action), **std::move(start)});
  return {};
}

Status ActionJournal::Impl::PerformOne(Ready& ready, const Report& report) {
  Status status = Perform(ready.action, ready.start);
  // Somebody was faster at the target: another number, written down before it is used.
  while (!status && status.error().code == Code::kConflict && ready.action.has_target()) {
    Result<std::optional<ActionStart>> again = Prepare(ready.action, {});
    if (!again || !*again || (*again)->target == ready.start.target) break;
    ready.start = **std::move(again);
    TRY(file.AddStart(ready.id, ready.start));
    TRY(file.Sync());
    status = Perform(ready.action, ready.start);
  }
  if (status) {
    touched.insert(ParentOf(ready.action.path));
    if (!ready.start.target.empty()) touched.insert(ParentOf(ready.start.target));
  }
  FileAction done = ready.action;
  done.target = ready.start.target;
  return Tell(ready.id, done, status, report);
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
  if (!target.empty()) SweepOnce(ParentOf(target));
}

bool ActionJournal::Impl::WasDoneBefore(const std::string& path) const {
  return std::binary_search(done_before.begin(), done_before.end(), HashOf(path));
}

Result<ActionCounts> ActionJournal::Execute(const StopFlag& stop, const Report& report) {
  Impl& impl = *impl_;
  impl.counts = {};
  if (impl.opened && !impl.file.sealed()) {
    return Error{
        Stage::kAct, Code::kConflict,
        "its plan was cut off before anything was done; delete the undo file and run the command again"};
  }
  TRY(impl.file.Seal());
  std::vector<Ready> batch;
  std::unordered_set<std::string> taken;
  size_t id = impl.first;
  while (id < impl.file.size() && !stop.StopRequested()) {
    batch.clear();
    taken.clear();
    for (; id < impl.file.size() && batch.size() < kBatch && !stop.StopRequested(); ++id) {
      if (Finished(impl.file.state(id))) {
        ++impl.counts.already;
      } else if (Status prepared = impl.PrepareOne(id, batch, taken, report); !prepared) {
        return prepared.error();
      }
    }
    TRY(impl.file.Sync());
    for (Ready& ready : batch) {
      if (stop.StopRequested()) break;  // started but not done: the next Execute looks, and does it
      TRY(impl.PerformOne(ready, report));
    }
    impl.SyncTouched();
  }
  impl.counts.interrupted = stop.StopRequested();
  if (!impl.counts.interrupted) {
    TRY(impl.file.AddEnded());
  }
  TRY(impl.file.Sync());
  return impl.counts;
}

Status ActionJournal::Impl::UndoOne(size_t id, UndoSummary& summary, const Report& report) {
  std::optional<ActionStart> start = TRY(file.StartAt(id));
  if (!start || file.state(id) == State::kUndone) {
    ++summary.untouched;
    return {};
  }
  FileAction action = TRY(file.ActionAt(id));
  SweepAround(action, start->target);  // of the run, or of an undo, that was killed
  const bool taken_for_done = file.state(id) == State::kDone;
  Status stands_in_the_way;
  if (Look(action, *start) == Progressed::kNo) {
    // Never done; or undone by an undo that was killed before it could say so.
    if (!taken_for_done || IsAsBefore(action, *start)) {
      ++summary.untouched;
      return {};
    }
    // A moved file that was edited where it is now goes back all the same.
    if (action.kind != FileAction::Kind::kMove) {
      stands_in_the_way =
          Error{Stage::kAct, Code::kConflict, "the file there now is not the one that was left there"};
    }
  }
  action.target = start->target;
  const Result<Reverted> reverted =
      stands_in_the_way ? Revert(action, *start) : Result<Reverted>(stands_in_the_way.error());
  if (!reverted) {
    ++summary.failed;
    report(action, reverted.error());
    return {};
  }
  if (*reverted == Reverted::kGone) {
    ++summary.gone;
    report(action, Error{Stage::kAct, Code::kNotFound,
                         "it was deleted for good, and the kept file has different content: " +
                             PrintablePath(action.keeper)});
    return {};
  }
  ++summary.restored;
  report(action, Status{});
  TRY(file.AddUndone(id));
  return file.Write();
}

Result<UndoSummary> ActionJournal::Undo(const StopFlag& stop, const Report& report) {
  UndoSummary summary;
  for (size_t id = impl_->file.size(); id-- > 0 && !stop.StopRequested();) {
    TRY(impl_->UndoOne(id, summary, report));
  }
  summary.interrupted = stop.StopRequested();
  if (!summary.interrupted && summary.failed == 0 && !impl_->file.ended()) {
    if (Status ended = impl_->file.AddEnded(); !ended) return ended.error();  // no run is to go on with it
  }
  TRY(impl_->file.Sync());
  return summary;
}

Result<UndoSummary> UndoActions(const std::string& path, const StopFlag& stop,
                                const ActionJournal::Report& report) {
  std::unique_ptr<ActionJournal> journal = TRY(ActionJournal::Open(path));
  return journal->Undo(stop, report);
}

}  // namespace imgmill
