// Makes a plan, finds what a killed run has left of one, and takes back what was done.
#include "imgmill/dataset/journal.h"

#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/file_actions.h"
#include "dataset/journal_impl.h"
#include "dataset/link_text.h"
#include "dataset/trash.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

using State = JournalFile::State;

uint64_t HashOf(const std::string& path) {
  return XXH3_64bits(path.data(), path.size());
}

}  // namespace

ActionJournal::ActionJournal() : impl_(std::make_unique<Impl>()) {}
ActionJournal::~ActionJournal() = default;

Result<std::unique_ptr<ActionJournal>> ActionJournal::Create(const std::string& path,
                                                             const std::string& command,
                                                             const std::string& record) {
  JournalFile file = TRY(JournalFile::Create(AbsoluteEntry(path), command, record));
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

Result<std::string> ActionJournal::CommandOf(const std::string& path) {
  return JournalFile::CommandOf(AbsoluteEntry(path));
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

/// That all was done is not enough: the caller's record and links that were moved are seen to behind it,
/// before the line that says that it has ended. But where nothing was done, or it is undone, there is no more
/// to do.
bool ActionJournal::Impl::WasComplete() const {
  if (file.ended()) return true;
  bool complete = file.sealed();
  for (size_t id = 0; id < file.size() && complete; ++id)
    complete = file.state(id) == State::kFailed || file.state(id) == State::kUndone;
  return complete;
}

bool ActionJournal::Impl::WasDoneBefore(const std::string& path) const {
  return std::binary_search(done_before.begin(), done_before.end(), HashOf(path));
}

/// Completes what a killed run was in the middle of, and gives up the rest of its plan: whoever runs the
/// command again plans it again, by what the files are now. But the side-cars of an image that has gone would
/// not be found again.
Status ActionJournal::Impl::Settle() {
  bool image_went = false;
  for (size_t id = 0; id < file.size(); ++id) {
    TRY(SettleOne(id, image_went));
    if (!file.is_sidecar(id)) image_went = file.state(id) == State::kDone;
  }
  std::sort(done_before.begin(), done_before.end());
  TRY(KnowMoves());
  return file.Sync();
}

Status ActionJournal::Impl::SettleOne(size_t id, bool image_went) {
  const bool follows = file.is_sidecar(id) && image_went;
  const State state = file.state(id);
  if (state != State::kStarted && state != State::kDone && !(follows && state == State::kFailed)) return {};
  const FileAction action = TRY(file.ActionAt(id));
  if (state == State::kDone) {
    if (!action.sidecar) done_before.push_back(HashOf(action.path));
    return {};
  }
  std::optional<ActionStart> start = TRY(file.StartAt(id));
  if (!start) return {};
  SweepAround(action, start->target);
  const Progressed progressed = Look(action, *start);
  if (progressed == Progressed::kNo) RemoveOrphanNote(action, *start);
  if (progressed == Progressed::kNo && !follows)
    return file.AddFailed(id, Error{Stage::kAct, Code::kInterrupted, "the run ended before it was done"});
  Status ended;
  if (progressed == Progressed::kHalf) ended = RemoveMoved(action, start->target);
  if (progressed == Progressed::kNo) {
    Ready sidecar{id, action, *std::move(start)};
    ended = PerformSidecar(sidecar);
    start = std::move(sidecar.start);
  }
  if (!ended) {
    if (action.sidecar) stranded.emplace_back(action, ended.error());
    return file.AddFailed(id, ended.error());
  }
  completed.emplace(action.path, start->target);
  if (!action.sidecar) done_before.push_back(HashOf(action.path));
  return file.AddDone(id);
}

Status ActionJournal::NoteMade(const std::string& path) {
  TRY(impl_->file.AddMissing(AbsoluteEntry(path)));
  return impl_->file.Sync();
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
  if (action.sidecar && planned() == 0)
    return Error{Stage::kAct, Code::kInternal, "a side-car without an image before it"};
  const std::string& other = action.has_target() ? action.target : action.keeper;
  if (action.path.empty() || other.empty()) {
    return Error{Stage::kAct, Code::kInternal, "an action without its path, target or keeper"};
  }
  return impl_->file.AddPlan(MadeAbsolute(action));
}

Status ActionJournal::ForEachDone(const std::function<Status(const FileAction& action)>& each) const {
  for (size_t id = 0; id < impl_->file.size(); ++id) {
    if (impl_->file.state(id) != State::kDone) continue;
    FileAction action = TRY(impl_->file.ActionAt(id));
    const std::optional<ActionStart> start = TRY(impl_->file.StartAt(id));
    if (!start) continue;
    action.target = start->target;
    TRY(each(action));
  }
  return {};
}

/// What was made for the actions, where nothing else is in it.
void ActionJournal::Impl::RemoveMade() const {
  namespace fs = std::filesystem;
  for (auto path = file.made().rbegin(); path != file.made().rend(); ++path) {
    struct stat info {};
    if (::lstat(path->c_str(), &info) != 0) continue;
    if (S_ISDIR(info.st_mode)) {
      if (::rmdir(path->c_str()) != 0) continue;  // somebody has something in it
    } else if (S_ISREG(info.st_mode)) {
      std::error_code unreadable;
      const auto files = std::distance(fs::directory_iterator(ParentOf(*path), unreadable), {});
      if (unreadable || files != 1 || ::unlink(path->c_str()) != 0) continue;
    }
  }
}

Status ActionJournal::Impl::UndoOne(size_t id, UndoSummary& summary, const Report& report) {
  const std::optional<ActionStart> start = TRY(file.StartAt(id));
  FileAction action = TRY(file.ActionAt(id));
  if (!start || file.state(id) == State::kUndone) {
    summary.untouched += action.sidecar ? 0 : 1;
    return {};
  }
  SweepAround(action, start->target);  // of the run, or of an undo, that was killed
  const bool taken_for_done = file.state(id) == State::kDone;
  Status stands_in_the_way;
  if (Look(action, *start) == Progressed::kNo) {
    // Never done; or undone by an undo that was killed before it could say so.
    const bool as_before = IsAsBefore(action, *start);
    if (as_before || (!taken_for_done && !MayHaveGone(action, *start))) {
      if (as_before && taken_for_done) RemoveReturnedLink(action, *start);
      RemoveOrphanNote(action, *start);
      summary.untouched += action.sidecar ? 0 : 1;
      return {};
    }
    // A moved file that was edited where it is now goes back all the same.
    if (!taken_for_done && action.kind != FileAction::Kind::kTrash) {
      stands_in_the_way =
          Error{Stage::kAct, Code::kConflict,
                "it is gone, and " + PrintablePath(start->target) +
                    ", where it was about to be moved, is not as it was (move that back if it is this one)"};
    } else if (!action.moves()) {
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
  ++(action.sidecar ? summary.sidecars : summary.restored);
  report(action, Status{});
  TRY(file.AddUndone(id));
  return file.Write();
}

Result<UndoSummary> ActionJournal::Undo(const StopFlag& stop, const Report& report) {
  UndoSummary summary;
  summary.record = impl_->file.record();
  for (size_t id = impl_->file.size(); id-- > 0 && !stop.StopRequested();) {
    TRY(impl_->UndoOne(id, summary, report));
  }
  summary.interrupted = stop.StopRequested();
  if (!summary.interrupted) impl_->RemoveMade();
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
