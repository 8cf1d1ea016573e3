// Digest, recall, read, map, publish: the steps between an image's lease and its outcomes.
#include "item_work.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/try.h"
#include "frame_loop.h"
#include "help_scope.h"
#include "region_loop.h"
#include "tile_group.h"

namespace imgmill {
namespace {

/// Where mapping ends early, by an error or an exception, keeps the task for the next attempt if it can go
/// on.
class KeepIfSuspended {
 public:
  KeepIfSuspended(std::unique_ptr<ItemTask>& task, std::unique_ptr<ItemTask>& place)
      : task_(task), place_(place) {}
  ~KeepIfSuspended() {
    if (!all_mapped && task_->Suspend()) place_ = std::move(task_);
  }
  KeepIfSuspended(const KeepIfSuspended&) = delete;
  KeepIfSuspended& operator=(const KeepIfSuspended&) = delete;

  bool all_mapped = false;

 private:
  std::unique_ptr<ItemTask>& task_;
  std::unique_ptr<ItemTask>& place_;
};

/// However an attempt ends, tasks that wait for their turn do not outlive it.
class EndTasks {
 public:
  EndTasks(std::vector<Part>& parts, std::unique_ptr<ItemTask>& watching)
      : parts_(parts), watching_(watching) {}
  ~EndTasks() {
    for (Part& part : parts_) part.task.reset();
    watching_.reset();
  }
  EndTasks(const EndTasks&) = delete;
  EndTasks& operator=(const EndTasks&) = delete;

 private:
  std::vector<Part>& parts_;
  std::unique_ptr<ItemTask>& watching_;
};

}  // namespace

/// One part's task with those of others beside it, and the observer's. Another's that fails leaves: that part
/// reads for itself when its turn comes, and meets the same failure then.
class ItemWork::SharedRows final : public ItemTask {
 public:
  SharedRows(const ItemWork& work, ItemTask& first, std::vector<Part*> others,
             std::unique_ptr<ItemTask>& watching)
      : work_(work), first_(first), others_(std::move(others)), watching_(watching) {}
  Status Map(const Region& region) override {
    TRY(work_.MayGoOn());
    TRY(first_.Map(region));
    std::erase_if(others_, [&](Part* other) {
      if (other->task->Map(region)) return false;
      other->task.reset();
      return true;
    });
    if (watching_ != nullptr && !watching_->Map(region)) watching_.reset();
    return {};
  }
  Status Finish(Outcome&) override { return {}; }  // each at its own turn

  void Note(const std::vector<std::string>& notes) const {
    for (Part* other : others_) other->outcome.notes = notes;
  }

 private:
  const ItemWork& work_;
  ItemTask& first_;
  std::vector<Part*> others_;
  std::unique_ptr<ItemTask>& watching_;
};

ItemWork::ItemWork(Job& job, const Identifier& identifier, const EngineServices& services)
    : job_(job),
      identifier_(identifier),
      services_(services),
      sharing_(job.together),
      may_be_helped_(!job.cost.alone) {  // else what it holds by itself is to be known
  for (size_t i = job.next; i < job_.parts.size(); ++i)
    label_ += (label_.empty() ? "" : "+") + job.parts[i].operation->traits().name;
}

Status ItemWork::Run(const Attempt& attempt) {
  if (attempt.rung != Rung::kNone) sharing_ = may_be_helped_ = false;  // memory is short: each for itself
  const EndTasks end(job_.parts, watching_);
  if (!job_.content_known) {
    TRY(identifier_.Digest(job_.item));
    job_.content_known = true;
  }
  while (!job_.over) {
    Part& part = job_.part();
    TRY(RunPart(part));
    part.outcome.rung = std::max(part.outcome.rung, attempt.rung);
    const Verdict verdict = job_.Pass();
    complete_ = complete_ && !part.outcome.recalled && verdict != Verdict::kDrop;
    if (verdict != Verdict::kAfterReduce) continue;
    for (size_t i = job_.next + 1; i < job_.parts.size(); ++i) {
      Part& other = job_.parts[i];
      if (other.task != nullptr && !other.task->Finish(other.outcome))
        continue;  // facts that are found missing, and made, when it is given the image
    }
  }
  return {};
}

Status ItemWork::RunPart(Part& part) {
  Item& item = job_.item;
  if (!part.asked) {
    TRY(identifier_.Recall(item, *part.operation, part.outcome));
    part.asked = true;
  }
  if (part.outcome.recalled) return {};
  if (!part.plan) return part.refused;
  TRY(identifier_.RememberSizes(item));
  if (part.task == nullptr) {
    TRY(MapRows(part));
  }
  TRY(part.task->ReadRest());
  // Published results must belong to the digest that they are filed under.
  TRY(identifier_.CheckUnchanged(item));
  if (watching_ != nullptr) {
    Outcome unread;
    (void)std::exchange(watching_, nullptr)->Finish(unread);
  }
  TRY(part.task->Finish(part.outcome));
  part.task.reset();
  part.outcome.state = part.outcome.error ? Outcome::State::kFailed : Outcome::State::kDone;
  return {};
}

Status ItemWork::MayGoOn() const {
  if (!services_.stop->StopRequested()) return {};
  return StoppedInWork();
}

Status ItemWork::MapRows(Part& part) {
  TRY(MayGoOn());
  part.outcome.notes.clear();
  part.outcome.outputs.clear();
  part.outcome.payload.reset();
  part.outcome.error.reset();
  const ItemPlan& plan = *part.plan;
  std::unique_ptr<ItemTask> task = std::move(unfinished_);
  if (task == nullptr) {
    std::unique_ptr<ItemTask> started = TRY(Start(part));
    task = std::move(started);
    mapped_rows_ = 0;
  }
  if (plan.every_frame) {
    std::unique_ptr<FrameSource> frames = TRY(OpenFrames(job_.item.main.path, job_.item.main.header,
                                                         *plan.every_frame, plan.reading.video_threads));
    FramesSeen seen = TRY(MapFrames(*frames, plan, *task, *services_.progress, *services_.stop));
    part.outcome.notes = std::move(seen.notes);
    part.outcome.error = std::move(seen.lost);
  } else if (plan.needs_pixels) {
    KeepIfSuspended keep(task, unfinished_);
    SharedRows rows(*this, *task, StartSharing(part), watching_);
    std::unique_ptr<RowReader> reader = TRY(part.operation->Open(job_.item, plan));
    if (sharing_ && services_.observer != nullptr)
      watching_ = services_.observer->Watch(job_.item, plan.reading, reader->layout());
    TRY(MapRegions(*reader, plan.regions, rows, *services_.progress, mapped_rows_));
    keep.all_mapped = true;
    part.outcome.notes = reader->notes();
    rows.Note(part.outcome.notes);
  }
  part.task = std::move(task);
  return {};
}

Result<std::unique_ptr<ItemTask>> ItemWork::Start(const Part& part) const {
  std::optional<HelpScope> help;
  if (may_be_helped_) help.emplace(*services_.memory);
  return part.operation->Start(job_.item, *part.plan);
}

/// Those behind `part` that would see the very rows that it reads, and that the catalog cannot answer.
std::vector<Part*> ItemWork::StartSharing(const Part& part) {
  std::vector<Part*> others;
  for (size_t i = job_.next + 1; sharing_ && i < job_.parts.size(); ++i) {
    Part& other = job_.parts[i];
    if (other.reading != part.reading || !other.plan) continue;
    if (!other.asked) {
      const Result<bool> recalled = identifier_.Recall(job_.item, *other.operation, other.outcome);
      if (!recalled) continue;  // told at its turn
      other.asked = true;
    }
    if (other.outcome.recalled) continue;
    Result<std::unique_ptr<ItemTask>> started = Start(other);
    if (!started) continue;  // likewise
    other.task = *std::move(started);
    others.push_back(&other);
  }
  return others;
}

}  // namespace imgmill
