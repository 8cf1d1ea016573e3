// Digest, recall, read, map, publish: the steps between an image's lease and its outcome.
#include "item_work.h"

#include "region_loop.h"

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

}  // namespace

Status ItemWork::Run(const Attempt& attempt) {
  if (attempt.rung != Rung::kNone) job_.guests.clear();  // memory is short: for the host's work alone
  if (!job_.content_known) {
    const Result<bool> recalled = identifier_.DigestAndRecall(job_.item, outcome_);
    job_.content_known = recalled.ok();
    if (!recalled) return recalled.error();
    recalled_ = *recalled;
    if (recalled_) return {};
  }
  return MapItem();
}

Status ItemWork::MapItem() {
  outcome_.notes.clear();
  outcome_.outputs.clear();
  outcome_.payload.reset();
  Item& item = job_.item;
  const ItemPlan& plan = job_.plan;
  if (Status put = identifier_.RememberSizes(item); !put) return put;

  std::unique_ptr<ItemTask> task = std::move(unfinished_);
  if (task == nullptr) {
    Result<std::unique_ptr<ItemTask>> started = operation_.Start(item, plan);
    if (!started) return started.error();
    task = *std::move(started);
    mapped_rows_ = 0;
  }
  TaskWithGuests shared(*task, job_.guests, item);
  if (plan.needs_pixels) {
    KeepIfSuspended keep(task, unfinished_);
    Result<std::unique_ptr<RowReader>> reader = operation_.Open(item, plan);
    if (!reader) return reader.error();
    if (Status mapped = MapRegions(**reader, plan.regions, shared, progress_, mapped_rows_); !mapped)
      return mapped;
    keep.all_mapped = true;
    outcome_.notes = (*reader)->notes();
  }
  // Published results must belong to the digest that they are filed under.
  if (Status same = identifier_.CheckUnchanged(item); !same) return same;
  if (Status finished = shared.Finish(outcome_); !finished) return finished;
  outcome_.state = Outcome::State::kDone;
  return {};
}

}  // namespace imgmill
