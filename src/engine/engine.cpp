// The engine: one feeder that lists, probes and admits, workers that do the rest, outcomes put back in order.
#include "imgmill/engine/engine.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "bounded_queue.h"
#include "first_exception.h"
#include "item_work.h"
#include "ordered_outcomes.h"

namespace imgmill {

namespace {

/// The state of one Engine::Run.
class EngineRun {
 public:
  EngineRun(const EngineOptions& options, const EngineServices& services, ItemSource& source,
            std::span<Operation* const> operations)
      : options_(options),
        services_(services),
        source_(source),
        operations_(operations),
        workers_(options.workers > 0 ? options.workers
                                     : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
        queue_(static_cast<size_t>(workers_)),
        counts_(operations.size()),
        ordered_([this](std::vector<Outcome>& outcomes) { Count(outcomes); }),
        recalled_(operations.size()),
        dry_run_(options.dry_run || services.plan_only),
        identifier_(options_, services_),
        prepared_(std::none_of(operations.begin(), operations.end(),
                               [](const Operation* operation) { return operation->NeedsPreparing(); })),
        costs_(*services.memory, services.watch_memory),
        planner_(*services.memory, workers_) {}

  const Status& ended() const { return ended_; }

  std::vector<RunCounts> Run() {
    std::vector<std::jthread> threads;
    try {
      for (int i = 0; i < workers_; ++i) threads.emplace_back([this] { Work(); });
    } catch (const std::system_error& refused) {
      if (threads.empty()) {  // fewer will do
        throw std::runtime_error(std::string("cannot start a thread: ") + refused.what() +
                                 " (raise ulimit -v or -u, or use a smaller -j)");
      }
    }
    try {
      services_.progress->expected = source_.Expected();
      Feed();
    } catch (...) {  // rethrown below: the workers wait for work, and must be told that there is no more
      thrown_.Keep();
    }
    queue_.Close();
    threads.clear();  // joins
    thrown_.Rethrow();
    for (const ListProblem& problem : source_.Problems()) {
      Outcome outcome;
      outcome.file.path = outcome.file.relative = problem.path;
      outcome.error = problem.error;
      std::vector<Outcome> outcomes;
      outcomes.push_back(std::move(outcome));
      ordered_.Put(next_index_++, std::move(outcomes));
    }
    counts_.front().ignored = source_.Ignored();
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i].recalled = recalled_[i];
    if (dry_run_ && services_.plan != nullptr) *services_.plan = planner_.Finish();
    if (disk_full_ || cut_short_ || !exhausted_ || services_.plan_only) {
      for (RunCounts& counts : counts_) {
        counts.interrupted = true;
        counts.interruption = disk_full_
                                  ? "the disk is full; make room and run the same command again to resume"
                                  : "stopped by a signal; run the same command again to resume";
      }
    }
    services_.memory->CollectIfAbove();
    return counts_;
  }

 private:
  bool Stopped() const { return services_.stop->StopRequested() || disk_full_ || thrown_.any(); }

  void Feed() {
    while (!Stopped()) {
      std::optional<ListedFile> file = source_.Next();
      if (!file) {
        exhausted_ = true;
        return;
      }
      Job job(next_index_++, *std::move(file), operations_);
      const Status admitted = AdmitWithin(job);
      if (!admitted && admitted.error().code == Code::kInterrupted) {
        --next_index_;  // as if it had not been listed: a rerun takes it up
        break;
      }
      if (!admitted) Fail(job, admitted.error());
      for (size_t i = 0; i <= job.next; ++i) recalled_[i] += job.parts[i].outcome.recalled ? 1 : 0;
      if (!job.over) {
        const bool alone = job.alone;
        SetNextShape(ShapeOf(job.item));
        queue_.Push(std::move(job));
        if (alone) WaitUntilIdle();  // not even the next header is read meanwhile
      } else {
        ordered_.Put(job.index, job.TakeOutcomes());
      }
    }
  }

  /// Memory that is short for one file's header is that file's failure: the next may need less.
  Status AdmitWithin(Job& job) {
    try {
      return Admit(job);
    } catch (const std::bad_alloc& refused) {
      return Error{Stage::kAdmit, Code::kOutOfMemory,
                   std::string("no memory for what its header asks for: ") + refused.what()};
    }
  }

  /// Items that all operations recall come back over; the rest with a lease, or with an error.
  Status Admit(Job& job) {
    Item& item = job.item;
    if (Status located = identifier_.Locate(item, *operations_.front()); !located) return located;
    job.content_known = identifier_.FindContents(item);
    if (job.content_known) {
      if (Status recalled = Recall(job); !recalled || job.over) return recalled;
    }
    if (Status probed = identifier_.ProbeFiles(item); !probed) return probed;
    if (!prepared_ && !options_.dry_run) {  // a plan is about the model's batches, too
      if (Status prepared = PrepareFor(job); !prepared || job.over) return prepared;
    }
    // With --force later operations compute everything again anyway.
    job.MakePlans(/*notes_facts=*/!options_.force);
    if (!job.part().plan) return job.part().refused;
    return dry_run_ ? Plan(job) : LeaseFor(job);
  }

  /// Takes the item past the operations that the catalog answers.
  Status Recall(Job& job) {
    while (!job.over) {
      Part& part = job.part();
      if (!part.asked) {
        const Result<bool> recalled = identifier_.Recall(job.item, *part.operation, part.outcome);
        if (!recalled) return recalled.error();
        part.asked = true;
      }
      if (!part.outcome.recalled) return {};
      job.Pass();
    }
    return {};
  }

  /// In place of a lease, in a dry run.
  Status Plan(Job& job) {
    Part& part = job.part();
    const Footprint need = costs_.For(job.item, part.plan->total(), {part.operation}).need;
    part.outcome.lease_bytes = need.total();
    if (Status may = part.operation->MayStart(job.item); !may) return may;
    part.outcome.state = Outcome::State::kDone;
    job.over = true;
    Status fits = services_.memory->Fits(need);
    if (fits) {
      planner_.AddLease(need);
    } else {
      planner_.AddTooLarge(job.item.file.path, need);
    }
    return fits;
  }

  /// For all operations at once; where that never fits, for one after the other.
  Status LeaseFor(Job& job) {
    Part& part = job.part();
    part.cost = costs_.For(job.item, job.NeedTogether(), job.OperationsLeft());
    job.alone = part.cost.alone;
    job.together =
        job.OperationsLeft().size() == 1 || part.cost.need.total() <= services_.memory->LargestLease();
    if (job.together) {
      const Status leased = Lease(job);
      if (leased || leased.error().code != Code::kTooLarge || job.OperationsLeft().size() == 1) return leased;
      job.together = false;
    }
    job.alone = false;
    for (size_t i = job.next; i < job.parts.size(); ++i) {
      Part& each = job.parts[i];
      if (each.plan) each.cost = costs_.For(job.item, each.plan->total(), {each.operation});
      job.alone = job.alone || each.cost.alone;
    }
    return Lease(job);
  }

  Status Lease(Job& job) {
    if (job.alone) WaitUntilIdle();
    const Footprint need = job.part().cost.need;
    job.part().outcome.lease_bytes = need.total();
    Result<imgmill::Lease> lease = services_.memory->Acquire(need, *services_.stop);
    if (!lease) return lease.error();
    job.lease = *std::move(lease);
    const std::lock_guard lock(in_flight_mutex_);
    ++in_flight_;
    return {};
  }

  void WaitUntilIdle() {
    std::unique_lock lock(in_flight_mutex_);
    idle_.wait(lock, [this] { return in_flight_ == 0; });
  }

  void OneLessInFlight() {
    const std::lock_guard lock(in_flight_mutex_);
    if (--in_flight_ == 0) idle_.notify_all();
  }

  /// Nothing has a lease yet: what recalled images do without is made for the first that is not. Its content
  /// is looked at here, so that a moved file does not count as one.
  Status PrepareFor(Job& job) {
    if (!job.content_known) {
      if (Status digested = identifier_.Digest(job.item); !digested) return digested;
      job.content_known = true;
      if (Status recalled = Recall(job); !recalled || job.over) return recalled;
    }
    prepared_ = true;
    for (Operation* operation : operations_) {
      if (operation->NeedsPreparing()) ended_ = operation->Prepare();
      if (!ended_) return Error{Stage::kConfigure, Code::kInterrupted, {}};
    }
    return {};
  }

  /// Goes on to the end even of a run that an exception has ended: the feeder may wait for a place in the
  /// queue, for a lease or for everybody to be idle.
  void Work() {
    while (std::optional<Job> job = queue_.Pop()) {
      try {
        if (!thrown_.any()) WorkOn(*job);
      } catch (...) {  // rethrown where the threads are joined
        thrown_.Keep();
      }
      job->lease.Release();
      OneLessInFlight();
    }
  }

  void WorkOn(Job& job) {
    // What is no value by now becomes one: it is this image's failure, and the run goes on.
    try {
      WorkUnderLease(job);
      while (!job.over) {  // the next operation has a lease of its own
        job.lease.Release();
        Status next = Recall(job);
        if (next && !job.over) next = LeaseNext(job);
        if (!next) Fail(job, next.error());
        if (!job.over) WorkUnderLease(job);
      }
    } catch (const std::exception& problem) {
      Fail(job, Error{Stage::kCompute, Code::kInternal, problem.what()});
    }
    const BatchShape shape = ShapeOf(job.item);
    job.lease.Release();
    services_.memory->BatchDone(kHostWork, shape, NextShape());
    ordered_.Put(job.index, job.TakeOutcomes());
  }

  /// Nothing is held meanwhile, so that whoever waits before it can go on.
  Status LeaseNext(Job& job) {
    Result<imgmill::Lease> lease = services_.memory->Acquire(job.part().cost.need, *services_.stop);
    if (!lease) return lease.error();
    job.lease = *std::move(lease);
    return {};
  }

  void WorkUnderLease(Job& job) {
    const ItemCosts::Estimate cost = job.part().cost;
    job.part().outcome.lease_bytes = job.lease.footprint().total();
    ItemWork work(job, identifier_, *services_.progress);
    const LadderOutcome ladder = services_.memory->Guarded(work, kHostWork, *services_.stop);
    if (cost.alone && ladder.status && ladder.rung == Rung::kNone && work.complete())
      cost.model->ObserveFrom(cost.formula, ladder.resident_peak);
    Outcome& last = job.part().outcome;
    if (job.over || !ladder.status) last.rung = std::max(last.rung, ladder.rung);
    if (!ladder.status) Fail(job, ladder.status.error());
  }

  static BatchShape ShapeOf(const Item& item) {
    return {1, item.main.header.height, item.main.header.width, 0};
  }

  void SetNextShape(const BatchShape& shape) {
    const std::lock_guard lock(next_shape_mutex_);
    next_shape_ = shape;
  }
  /// The shape admitted last: for the cache policy, the best guess at what comes next.
  std::optional<BatchShape> NextShape() {
    const std::lock_guard lock(next_shape_mutex_);
    return next_shape_;
  }

  void Fail(Job& job, const Error& error) {
    job.Fail(error);
    // Every later output would meet the same end: stop, and let a rerun go on once there is room.
    if (error.code == Code::kDiskFull) disk_full_ = true;
    if (error.code == Code::kInterrupted) cut_short_ = true;
  }

  /// Under the lock of `ordered_`, in order. To the progress an image is what it came to in the end.
  void Count(std::vector<Outcome>& outcomes) {
    Progress& progress = *services_.progress;
    progress.listed.fetch_add(1, std::memory_order_relaxed);
    switch (outcomes.back().state) {
      case Outcome::State::kDone:
        progress.done.fetch_add(1, std::memory_order_relaxed);
        break;
      case Outcome::State::kSkipped:
        progress.skipped.fetch_add(1, std::memory_order_relaxed);
        break;
      case Outcome::State::kFailed:
        progress.failed.fetch_add(1, std::memory_order_relaxed);
        break;
    }
    for (size_t i = 0; i < outcomes.size(); ++i) CountOne(outcomes[i], counts_[i], *operations_[i]);
  }

  void CountOne(Outcome& outcome, RunCounts& counts, Operation& operation) {
    outcome.file.index = counts.listed++;
    switch (outcome.state) {
      case Outcome::State::kDone:
        ++counts.done;
        if (outcome.lease_bytes == 0) planner_.AddFinished();
        if (outcome.rung >= Rung::kHalfBatch) ++counts.off_plan;
        break;
      case Outcome::State::kSkipped:
        ++counts.skipped;
        planner_.AddFinished();
        break;
      case Outcome::State::kFailed:
        ++counts.failed;
        if (outcome.error->code != Code::kTooLarge) planner_.AddRefused();
        break;
    }
    if (!services_.plan_only) operation.Collect(outcome);
  }

 private:
  const EngineOptions& options_;
  const EngineServices& services_;
  ItemSource& source_;
  const std::span<Operation* const> operations_;
  const int workers_;
  BoundedQueue<Job> queue_;
  std::vector<RunCounts> counts_;  // of each operation
  OrderedOutcomes<std::vector<Outcome>> ordered_;
  uint64_t next_index_ = 0;
  std::vector<uint64_t> recalled_;  // for each operation, without a place in the queue
  const bool dry_run_;
  const Identifier identifier_;
  bool prepared_;
  ItemCosts costs_;
  RunPlanner planner_;
  std::mutex in_flight_mutex_;
  std::condition_variable idle_;
  int in_flight_ = 0;  // admitted and not at their outcome yet
  Status ended_;       // why the run cannot go on at all
  std::mutex next_shape_mutex_;
  std::optional<BatchShape> next_shape_;
  bool exhausted_ = false;  // the source came to its end
  std::atomic<bool> disk_full_{false};
  std::atomic<bool> cut_short_{false};  // an image in flight gave up because of the signal
  FirstException thrown_;               // it ends the run
};

}  // namespace

Engine::Engine(EngineOptions options, EngineServices services) : options_(options), services_(services) {}

Result<RunCounts> Engine::Run(ItemSource& source, Operation& operation) {
  Operation* const one[] = {&operation};
  const Result<std::vector<RunCounts>> counts = Run(source, one);
  if (!counts) return counts.error();
  return counts->front();
}

Result<std::vector<RunCounts>> Engine::Run(ItemSource& source, std::span<Operation* const> operations) {
  InitImageLibraries();
  Result<std::vector<RunCounts>> ended = RunToItsEnd(source, operations);
  // What was done stays known, however the run ended.
  if (Status flushed = services_.catalog->Flush(); !flushed && ended) return flushed.error();
  return ended;
}

Result<std::vector<RunCounts>> Engine::RunToItsEnd(ItemSource& source,
                                                   std::span<Operation* const> operations) {
  try {
    EngineRun run(options_, services_, source, operations);
    std::vector<RunCounts> counts = run.Run();
    if (!run.ended()) return run.ended().error();
    return counts;
  } catch (const std::bad_alloc&) {
    return Error{Stage::kAdmit, Code::kOutOfMemory, "out of memory outside of any image's work"};
  } catch (const std::exception& problem) {
    return Error{Stage::kCompute, Code::kInternal, std::string("the run cannot go on: ") + problem.what()};
  } catch (...) {  // of a thread's edge
    return Error{Stage::kCompute, Code::kInternal, "the run cannot go on: an exception of an unknown kind"};
  }
}

}  // namespace imgmill
