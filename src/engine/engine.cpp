// The engine: one feeder that lists and admits, workers that do the rest, outcomes put back in order.
#include "imgmill/engine/engine.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "base/full_disk.h"
#include "base/try.h"
#include "bounded_queue.h"
#include "entry.h"
#include "first_exception.h"
#include "imgmill/image/writer.h"
#include "item_work.h"
#include "ordered_outcomes.h"

namespace imgmill {

namespace {

/// Outcomes that may wait for an image in work: known images overtake it, by thousands a second, and each is
/// some hundred bytes to some thousand.
constexpr size_t kMostWaiting = 8192;

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
        planner_(*services.memory, workers_),
        entry_(options_, services_, operations, planner_) {
    SetWritingThreads(workers_);
  }

  const Status& ended() const { return entry_.ended(); }

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
    if (options_.mode != RunMode::kRun && services_.plan != nullptr) {
      *services_.plan = planner_.Finish();
      (*services_.plan)->whole = exhausted_ && !cut_short_;
    }
    if (disk_full_ || cut_short_ || !exhausted_ || options_.mode == RunMode::kPlan) {
      for (RunCounts& counts : counts_) {
        counts.interrupted = true;
        counts.interruption =
            disk_full_ ? WhyFull() : "stopped by a signal; run the same command again to resume";
      }
    }
    services_.memory->CollectIfAbove();
    return counts_;
  }

 private:
  bool Stopped() const { return services_.stop->StopRequested() || disk_full_ || thrown_.any(); }

  void Feed() {
    while (true) {
      ordered_.WaitForRoom(kMostWaiting);
      if (Stopped()) return;
      std::optional<ListedFile> file = source_.Next();
      if (!file) {
        exhausted_ = !services_.stop->StopRequested();  // which ends a listing, too
        return;
      }
      Job job(next_index_++, *std::move(file), operations_);
      const Status admitted = entry_.Admit(job);
      if (!admitted && admitted.error().code == Code::kInterrupted) {
        --next_index_;  // as if it had not been listed: a rerun takes it up
        break;
      }
      if (!admitted) Fail(job, admitted.error());
      for (size_t i = 0; i <= job.next; ++i) recalled_[i] += job.parts[i].outcome.recalled ? 1 : 0;
      if (!job.over) {
        const bool alone = job.cost.alone;
        SetNextShape(ShapeOf(job.item));
        queue_.Push(std::move(job));
        if (alone) entry_.WaitUntilIdle();  // not even the next header is read meanwhile
      } else {
        ordered_.Put(job.index, job.TakeOutcomes());
      }
    }
  }

  /// Goes on to the end even of a run that an exception has ended: the feeder may wait for a place in the
  /// queue, for a lease or for everybody to be idle.
  void Work() {
    while (std::optional<Job> job = queue_.Pop()) {
      try {
        if (!thrown_.any()) WorkOn(*job);
      } catch (...) {  // rethrown where the threads are joined
        thrown_.Keep();
        ordered_.GiveUp();
      }
      job->lease.Release();
      entry_.OneLess();
    }
  }

  void WorkOn(Job& job) {
    // What is no value by now becomes one: it is this image's failure, and the run continues.
    try {
      WorkUnderLease(job);
    } catch (const std::exception& problem) {
      Fail(job, Error{Stage::kCompute, Code::kInternal, problem.what()});
    }
    const BatchShape shape = ShapeOf(job.item);
    job.lease.Release();
    services_.memory->BatchDone(kHostWork, shape, NextShape());
    ordered_.Put(job.index, job.TakeOutcomes());
  }

  void WorkUnderLease(Job& job) {
    job.part().outcome.lease_bytes = job.lease.footprint().total();
    ItemWork work(job, entry_.identifier(), services_);
    const LadderOutcome ladder = services_.memory->Guarded(work, kHostWork, *services_.stop);
    const ItemCosts::Estimate& cost = job.cost;
    if (cost.alone && cost.model && ladder.status && ladder.rung == Rung::kNone && work.complete())
      cost.model->ObserveFrom(cost.formula, ladder.resident_peak);
    Outcome& last = job.part().outcome;
    last.rung = std::max(last.rung, ladder.rung);
    if (!ladder.status) Fail(job, ladder.status.error());
    if (last.error) StopIfFull(*last.error);  // in part: some was published
  }

  static BatchShape ShapeOf(const Item& item) { return {1, item.main.header.height, item.main.header.width}; }

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
    if (error.code == Code::kInterrupted) {
      cut_short_ = true;
      return job.CutShort();
    }
    job.Fail(error);
    StopIfFull(error);
  }

  /// Every later output would meet the same end: stop, and let a rerun go on once there is room.
  void StopIfFull(const Error& error) {
    if (error.code != Code::kDiskFull) return;
    const std::lock_guard lock(why_full_mutex_);
    if (!disk_full_) why_full_ = AdviceOnFull(error);
    disk_full_ = true;
  }
  std::string WhyFull() {
    const std::lock_guard lock(why_full_mutex_);
    return why_full_;
  }

  /// Under the lock of `ordered_`, in order. To the progress an image is what it came to in the end.
  void Count(std::vector<Outcome>& outcomes) {
    if (outcomes.empty()) return;  // it was cut short: a rerun takes it up
    Progress& progress = *services_.progress;
    ++progress.listed;
    const Outcome::State end = outcomes.back().state;
    ++(end == Outcome::State::kDone      ? progress.done
       : end == Outcome::State::kSkipped ? progress.skipped
                                         : progress.failed);
    for (size_t i = 0; i < outcomes.size(); ++i) CountOne(outcomes[i], i);
  }

  void CountOne(Outcome& outcome, size_t operation) {
    RunCounts& counts = counts_[operation];
    outcome.file.index = counts.listed++;
    switch (outcome.state) {
      case Outcome::State::kDone:
        ++counts.done;
        if (outcome.lease_bytes == 0) planner_.AddFinished();
        if (outcome.off_plan()) ++counts.off_plan;
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
    if (options_.mode == RunMode::kPlan) {  // which lists those that are too large
      const bool refused = outcome.error && outcome.error->code != Code::kTooLarge;
      if (refused && services_.on_outcome) services_.on_outcome(operation, outcome);
      return;
    }
    if (services_.on_outcome) services_.on_outcome(operation, outcome);
    operations_[operation]->Collect(outcome);
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
  RunPlanner planner_;
  Entry entry_;
  std::mutex next_shape_mutex_;
  std::optional<BatchShape> next_shape_;
  bool exhausted_ = false;  // the source came to its end
  std::atomic<bool> disk_full_{false};
  std::mutex why_full_mutex_;
  std::string why_full_;
  std::atomic<bool> cut_short_{false};  // an image in work was left because of the signal
  FirstException thrown_;               // it ends the run
};

}  // namespace

Engine::Engine(EngineOptions options, EngineServices services) : options_(options), services_(services) {}

Result<RunCounts> Engine::Run(ItemSource& source, Operation& operation) {
  Operation* const one[] = {&operation};
  const std::vector<RunCounts> counts = TRY(Run(source, one));
  return counts.front();
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
    return Error{Stage::kCompute, Code::kInternal, std::string("the run cannot continue: ") + problem.what()};
  } catch (...) {  // of a thread's edge
    return Error{Stage::kCompute, Code::kInternal,
                 "the run cannot continue: an exception of an unknown kind"};
  }
}

}  // namespace imgmill
