// The engine: one feeder that lists, probes and admits, workers that do the rest, outcomes put back in order.
#include "imgmill/engine/engine.h"

#include <algorithm>
#include <chrono>
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

using Clock = std::chrono::steady_clock;

/// The state of one Engine::Run.
class EngineRun {
 public:
  EngineRun(const EngineOptions& options, const EngineServices& services, ItemSource& source,
            Operation& operation)
      : options_(options),
        services_(services),
        source_(source),
        operation_(operation),
        workers_(options.workers > 0 ? options.workers
                                     : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
        queue_(static_cast<size_t>(workers_)),
        ordered_([this](Outcome& outcome) { Count(outcome); }),
        dry_run_(options.dry_run || services.plan_only),
        identifier_(operation, options_, services_),
        prepared_(!operation.NeedsPreparing()),
        costs_(*services.memory, operation, services.watch_memory),
        planner_(*services.memory, workers_) {}

  const Status& ended() const { return ended_; }

  RunCounts Run() {
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
      ordered_.Put(next_index_++, std::move(outcome));
    }
    counts_.ignored = source_.Ignored();
    counts_.recalled = recalled_;
    counts_.interrupted = disk_full_ || cut_short_ || !exhausted_;
    if (dry_run_ && services_.plan != nullptr) *services_.plan = planner_.Finish();
    if (services_.plan_only) counts_.interrupted = true;
    if (counts_.interrupted) {
      counts_.interruption = disk_full_
                                 ? "the disk is full; make room and run the same command again to resume"
                                 : "stopped by a signal; run the same command again to resume";
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
      const uint64_t index = next_index_++;
      Outcome outcome;
      outcome.file = *file;
      Job job;
      job.index = index;
      job.item.file = *std::move(file);
      Status admitted = AdmitWithin(job, outcome);
      if (!admitted && admitted.error().code == Code::kInterrupted) {
        --next_index_;  // as if it had not been listed: a rerun takes it up
        break;
      }
      if (!admitted) Fail(outcome, admitted.error());
      if (job.lease) {
        const bool alone = job.cost.alone;
        SetNextShape(ShapeOf(job.item));
        queue_.Push(std::move(job));
        if (alone) WaitUntilIdle();  // not even the next header is read meanwhile
      } else {
        ordered_.Put(index, std::move(outcome));
      }
    }
  }

  /// Memory that is short for one file's header is that file's failure: the next may need less.
  Status AdmitWithin(Job& job, Outcome& outcome) {
    try {
      return Admit(job, outcome);
    } catch (const std::bad_alloc& refused) {
      return Error{Stage::kAdmit, Code::kOutOfMemory,
                   std::string("no memory for what its header asks for: ") + refused.what()};
    }
  }

  /// Recalled items come back with a filled outcome and no lease, failed ones with an error, the rest with a
  /// lease.
  Status Admit(Job& job, Outcome& outcome) {
    Item& item = job.item;
    if (Status located = identifier_.Locate(item); !located) return located;
    job.content_known = identifier_.FindContents(item);
    if (job.content_known) {
      const Result<bool> recalled = identifier_.Recall(item, outcome);
      if (!recalled) return recalled.error();
      if (*recalled) return ++recalled_, Status{};
    }
    if (Status probed = identifier_.ProbeFiles(item); !probed) return probed;
    if (!prepared_ && !options_.dry_run) {  // a plan is about the model's batches, too
      const Result<bool> recalled = PrepareFor(job, outcome);
      if (!recalled) return recalled.error();
      if (*recalled) return ++recalled_, Status{};
    }

    Result<ItemPlan> plan = operation_.Plan(item);
    if (!plan) return plan.error();
    job.plan = *std::move(plan);
    Footprint need = job.plan.total();
    std::string guests;
    // With --force the later step computes everything again anyway.
    if (!options_.force) job.guests = GuestsFor(services_.guests, item, job.plan);
    for (const Guest& guest : job.guests) {
      need = need + guest.plan.work;
      guests += (guests.empty() ? "" : " ") + guest.operation->name();
    }
    job.cost = costs_.For(item, need, guests);
    need = job.cost.need;
    outcome.lease_bytes = need.total();
    if (dry_run_) return Plan(item, need, outcome);
    if (job.cost.alone) WaitUntilIdle();
    Result<Lease> lease = services_.memory->Acquire(need, *services_.stop);
    if (!lease) return lease.error();
    job.lease = *std::move(lease);
    const std::lock_guard lock(in_flight_mutex_);
    ++in_flight_;
    return {};
  }

  /// In place of a lease, in a dry run.
  Status Plan(const Item& item, const Footprint& need, Outcome& outcome) {
    if (Status may = operation_.MayStart(item); !may) return may;
    outcome.state = Outcome::State::kDone;
    Status fits = services_.memory->Fits(need);
    if (fits) {
      planner_.AddLease(need);
    } else {
      planner_.AddTooLarge(item.file.path, need);
    }
    return fits;
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
  /// is looked at here, so that a moved file does not count as one. @return whether it was recalled
  Result<bool> PrepareFor(Job& job, Outcome& outcome) {
    if (!job.content_known) {
      const Result<bool> recalled = identifier_.DigestAndRecall(job.item, outcome);
      if (!recalled || *recalled) return recalled;
      job.content_known = true;
    }
    prepared_ = true;
    ended_ = operation_.Prepare();
    if (!ended_) return Error{Stage::kConfigure, Code::kInterrupted, {}};
    return false;
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
    Outcome outcome;
    outcome.file = job.item.file;
    outcome.lease_bytes = job.lease.footprint().total();
    const Clock::time_point start = Clock::now();
    // What is no value by now becomes one: it is this image's failure, and the run goes on.
    try {
      ItemWork work(operation_, job, identifier_, *services_.progress, outcome);
      LadderOutcome ladder = services_.memory->Guarded(work, kHostWork, *services_.stop);
      if (job.cost.alone && ladder.status && ladder.rung == Rung::kNone && !work.recalled())
        job.cost.model->ObserveFrom(job.cost.formula, ladder.resident_peak);
      outcome.rung = std::max(outcome.rung, ladder.rung);
      if (!ladder.status) Fail(outcome, ladder.status.error());
    } catch (const std::exception& problem) {
      Fail(outcome, Error{Stage::kCompute, Code::kInternal, problem.what()});
    }
    outcome.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    const BatchShape shape = ShapeOf(job.item);
    job.lease.Release();
    services_.memory->BatchDone(kHostWork, shape, NextShape());
    ordered_.Put(job.index, std::move(outcome));
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

  void Fail(Outcome& outcome, const Error& error) {
    outcome.state = Outcome::State::kFailed;
    outcome.error = error;
    outcome.payload.reset();
    outcome.outputs.clear();
    // Every later output would meet the same end: stop, and let a rerun go on once there is room.
    if (error.code == Code::kDiskFull) disk_full_ = true;
    if (error.code == Code::kInterrupted) cut_short_ = true;
  }

  /// Under the lock of `ordered_`, in order.
  void Count(Outcome& outcome) {
    ++counts_.listed;
    Progress& progress = *services_.progress;
    progress.listed.fetch_add(1, std::memory_order_relaxed);
    switch (outcome.state) {
      case Outcome::State::kDone:
        ++counts_.done;
        if (outcome.lease_bytes == 0) planner_.AddFinished();
        if (outcome.rung >= Rung::kHalfBatch) ++counts_.off_plan;
        progress.done.fetch_add(1, std::memory_order_relaxed);
        break;
      case Outcome::State::kSkipped:
        ++counts_.skipped;
        planner_.AddFinished();
        progress.skipped.fetch_add(1, std::memory_order_relaxed);
        break;
      case Outcome::State::kFailed:
        ++counts_.failed;
        if (outcome.error->code != Code::kTooLarge) planner_.AddRefused();
        progress.failed.fetch_add(1, std::memory_order_relaxed);
        break;
    }
    if (!services_.plan_only) operation_.Collect(outcome);
  }

 private:
  const EngineOptions& options_;
  const EngineServices& services_;
  ItemSource& source_;
  Operation& operation_;
  const int workers_;
  BoundedQueue<Job> queue_;
  RunCounts counts_;
  OrderedOutcomes ordered_;
  uint64_t next_index_ = 0;
  uint64_t recalled_ = 0;
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
  InitImageLibraries();
  Result<RunCounts> ended = RunToItsEnd(source, operation);
  // What was done stays known, however the run ended.
  if (Status flushed = services_.catalog->Flush(); !flushed && ended) return flushed.error();
  return ended;
}

Result<RunCounts> Engine::RunToItsEnd(ItemSource& source, Operation& operation) {
  try {
    EngineRun run(options_, services_, source, operation);
    const RunCounts counts = run.Run();
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
