// Recall, probe, plan, lease: what comes before an image's work.
#include "entry.h"

#include <algorithm>

#include "base/try.h"

namespace imgmill {

Entry::Entry(const EngineOptions& options, const EngineServices& services,
             std::span<Operation* const> operations, RunPlanner& planner)
    : options_(options),
      services_(services),
      operations_(operations),
      planner_(planner),
      identifier_(options_, services_),
      prepared_(!operations.front()->traits().prepares),
      costs_(*services.memory, services.watch_memory) {}

Status Entry::Admit(Job& job) {
  try {
    return AdmitInTurn(job);
  } catch (const std::bad_alloc& refused) {
    return Error{Stage::kAdmit, Code::kOutOfMemory,
                 std::string("no memory for what its header asks for: ") + refused.what()};
  }
}

Status Entry::AdmitInTurn(Job& job) {
  Item& item = job.item;
  TRY(identifier_.Locate(item, *operations_.front()));
  job.content_known = identifier_.FindContents(item);
  if (job.content_known) {
    if (Status recalled = Recall(job); !recalled || job.over) return recalled;
  }
  TRY(identifier_.ProbeFiles(item, operations_.front()->traits().reads_videos));
  if (!prepared_ && options_.mode != RunMode::kDryRun) {  // a plan is about the model's batches, too
    if (Status prepared = PrepareFor(job); !prepared || job.over) return prepared;
  }
  // With --force later operations compute everything again anyway.
  job.MakePlans(/*notes_facts=*/!options_.force);
  if (!job.part().plan) return job.part().refused;
  return options_.mode == RunMode::kRun ? LeaseFor(job) : Plan(job);
}

Status Entry::Recall(Job& job) {
  while (!job.over) {
    Part& part = job.part();
    if (!part.asked) {
      TRY(identifier_.Recall(job.item, *part.operation, part.outcome));
      part.asked = true;
    }
    if (!part.outcome.recalled) return {};
    job.Pass();
  }
  return {};
}

Status Entry::Plan(Job& job) {
  if (!job.content_known && !options_.force && job.part().operation->MayBeFinished(job.item)) {
    TRY(identifier_.Digest(job.item));
    job.content_known = true;
    if (Status recalled = Recall(job); !recalled || job.over) return recalled;
  }
  Part& part = job.part();
  const Footprint need = costs_.For(job.item, part.plan->total(), {part.operation}).need;
  part.outcome.lease_bytes = need.total();
  const Prospect prospect = TRY(part.operation->Rehearse(job.item));
  part.outcome.prospect = prospect;
  part.outcome.state = Outcome::State::kDone;
  job.over = true;
  if (prospect.files == 0) {
    planner_.AddGivingNothing();
    return {};
  }
  Status fits = services_.memory->Fits(need);
  if (fits) {
    planner_.AddLease(need);
  } else {
    planner_.AddTooLarge(job.item.file.path, need);
  }
  return fits;
}

Status Entry::LeaseFor(Job& job) {
  Part& part = job.part();
  const bool several = job.next + 1 < job.parts.size() || services_.observer != nullptr;
  job.cost = costs_.For(job.item, job.NeedTogether(services_.observer), job.OperationsLeft());
  if (!several || job.cost.need.total() <= services_.memory->LargestLease()) {
    const Status leased = AdmitUnderLease(job);
    if (!several || leased || leased.error().code != Code::kTooLarge) return leased;
  }
  job.together = false;
  job.cost = {};
  for (size_t i = job.next; i < job.parts.size(); ++i) {
    Part& each = job.parts[i];
    if (!each.plan) continue;
    const ItemCosts::Estimate own = costs_.For(job.item, each.plan->total(), {each.operation});
    if (Status fits = services_.memory->Fits(own.need); !fits) {
      each.plan.reset();  // and nobody behind it is given the item
      each.refused = std::move(fits);
      break;
    }
    job.cost.need = Larger(job.cost.need, own.need);
    job.cost.alone = job.cost.alone || own.alone;
  }
  if (!part.plan) return part.refused;
  // Where one's pooled bytes and another's untracked ones exceed the room together, the pool gives way.
  const size_t room = std::max(services_.memory->LargestLease(), job.cost.need.untracked);
  job.cost.need.pooled = std::min(job.cost.need.pooled, room - job.cost.need.untracked);
  return AdmitUnderLease(job);
}

Status Entry::AdmitUnderLease(Job& job) {
  if (job.cost.alone) WaitUntilIdle();
  const Footprint need = job.cost.need;
  job.part().outcome.lease_bytes = need.total();
  Lease lease = TRY(services_.memory->Acquire(need, *services_.stop));
  job.lease = std::move(lease);
  const std::lock_guard lock(in_flight_mutex_);
  ++in_flight_;
  return {};
}

void Entry::WaitUntilIdle() {
  std::unique_lock lock(in_flight_mutex_);
  idle_.wait(lock, [this] { return in_flight_ == 0; });
}

void Entry::OneLess() {
  const std::lock_guard lock(in_flight_mutex_);
  if (--in_flight_ == 0) idle_.notify_all();
}

Status Entry::PrepareFor(Job& job) {
  if (!job.content_known) {
    TRY(identifier_.Digest(job.item));
    job.content_known = true;
    if (Status recalled = Recall(job); !recalled || job.over) return recalled;
  }
  prepared_ = true;
  ended_ = operations_.front()->Prepare();
  if (!ended_) return Error{Stage::kConfigure, Code::kInterrupted, {}};
  return {};
}

}  // namespace imgmill
