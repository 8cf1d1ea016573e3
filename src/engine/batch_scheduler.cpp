// A few threads a device, one queue of tiles for all of them: a group goes to the device that will end it
// first.
#include "imgmill/engine/batch_scheduler.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "base/try.h"
#include "batch_demand.h"
#include "tile_group.h"
#include "tile_queue.h"

namespace imgmill {
namespace {

/// Why a tile is not done. The ladder was walked to its end already: to the image's own ladder this is no
/// shortage that trying again could mend, hence another code.
Error EndOf(const LadderOutcome& outcome) {
  if (outcome.status.ok()) return {Stage::kCompute, Code::kInternal, "a tile was left undone"};
  Error error = outcome.status.error();
  if (error.code == Code::kOutOfMemory) error.code = Code::kTooLarge;
  return error;
}

/// How often a thread whose device is passed over looks whether the faster one is late.
constexpr std::chrono::milliseconds kLookAgain{10};

}  // namespace

struct BatchScheduler::Impl {
  Impl(BatchModel& model_in, const NumericsPlan& plan_in, MemoryManager& memory_in, const StopFlag& stop_in)
      : model(model_in),
        plan(plan_in),
        memory(memory_in),
        stop(stop_in),
        costs(model, plan, memory),
        queue(model, plan, memory),
        speeds(memory.device_count()) {}

  /// What one thread of a device has in hand.
  struct Stream {
    int device = 0;
    bool busy = false;
    bool alone = false;  ///< its batch is of a shape whose cost is not known: watched, it runs by itself
    double since = 0;    // as Now says
    double pixels = 0;
  };

  static double Now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  std::vector<DeviceLoad> Devices() const {
    const double now = Now();
    std::vector<DeviceLoad> devices(static_cast<size_t>(memory.device_count()));
    for (size_t i = 0; i < devices.size(); ++i)
      devices[i].seconds_a_pixel = speeds.SecondsAPixel(static_cast<int>(i), now);
    for (const Stream& stream : streams) {
      DeviceLoad& own = devices[static_cast<size_t>(stream.device)];
      const double left = TimeLeft(stream.pixels * own.seconds_a_pixel, now - stream.since);
      own.busy_for.push_back(stream.busy ? left : 0);
    }
    return devices;
  }

  bool IsBusy(int device) const {
    return std::any_of(streams.begin(), streams.end(),
                       [&](const Stream& stream) { return stream.device == device && stream.busy; });
  }

  bool WantsAlone(int device) const {
    return std::any_of(streams.begin(), streams.end(),
                       [&](const Stream& stream) { return stream.device == device && stream.alone; });
  }

  /// A batch for this device; empty when the scheduler closes.
  std::vector<WaitingTile> WaitForBatch(std::unique_lock<std::mutex>& lock, int device) {
    while (!closing || !queue.empty()) {
      // While others have taken memory away, one batch a device has to do.
      if ((memory.Unavailable() > 0 && IsBusy(device)) || WantsAlone(device)) {
        changed.wait_for(lock, kLookAgain);
        continue;
      }
      // What is not full goes as it is once nobody is left who could add to it.
      const bool as_they_are = blocked_visitors >= visitors || memory.AdmissionBlocked();
      std::vector<WaitingTile> batch = queue.Take(device, as_they_are, Devices());
      if (!batch.empty()) return batch;
      if (queue.empty() || memory.device_count() == 1) {
        changed.wait(lock);
      } else {
        changed.wait_for(lock, kLookAgain);
      }
    }
    return {};
  }

  void Serve(size_t stream_index) {
    std::unique_lock lock(mutex);
    Stream& stream = streams[stream_index];
    const int device = stream.device;
    ThreadStreams own_streams(model, plan.precision);
    while (true) {
      std::vector<WaitingTile> batch = WaitForBatch(lock, device);
      if (batch.empty()) return;
      if (stop.StopRequested()) {
        Leave(std::move(batch), device);
        continue;
      }
      const BatchShape shape = queue.ShapeOf(*batch[0].job);
      // What an accelerator holds for one of two batches nobody can tell apart.
      stream.alone = !memory.device(device).host_backed() && !costs.Knows(shape, device);
      while (stream.alone && IsBusy(device)) changed.wait(lock);
      const std::optional<BatchShape> next = queue.NextShape();
      stream = {device, true, stream.alone, Now(), queue.Pixels(*batch[0].job)};
      lock.unlock();
      // The edge of a thread: its images fail, and the next batch may do better.
      LadderOutcome outcome;
      try {
        outcome = RunBatch(own_streams, batch, shape, device);
        memory.BatchDone(WorkPlace::Device(device), shape, next);
      } catch (const std::exception& problem) {
        outcome.status = Error{Stage::kCompute, Code::kInternal, problem.what()};
      }
      lock.lock();
      stream.busy = stream.alone = false;
      const double now = Now();
      if (outcome.status && outcome.rung < Rung::kCpu)
        speeds.Note(device, stream.pixels, now - stream.since, now);
      Settle(std::move(batch), outcome, device);
      changed.notify_all();
    }
  }

  /// Of a run that is to stop: whoever waits for these tiles is told.
  void Leave(std::vector<WaitingTile> batch, int device) {
    LadderOutcome outcome;
    outcome.status = StoppedInWork();
    Settle(std::move(batch), outcome, device);
    changed.notify_all();
  }

  LadderOutcome RunBatch(ThreadStreams& own_streams, const std::vector<WaitingTile>& batch,
                         const BatchShape& shape, int device) {
    std::vector<TileJob*> jobs;
    for (const WaitingTile& tile : batch) jobs.push_back(tile.job);
    const Footprint predicted = costs.Predict(plan.micro_batch, jobs[0]->height, jobs[0]->width, device);
    TileGroup work(
        model, own_streams, plan, stop, std::move(jobs), {model.info().architecture, shape, predicted},
        [&](bool lost) { return queue.HasOther(batch[0], device, lost); },
        [&](int n, int height, int width) { return costs.Predict(n, height, width, device).total(); });
    LadderOutcome outcome = memory.Guarded(work, WorkPlace::Device(device), stop);
    costs.Learn(shape, device, outcome);
    return outcome;
  }

  /// What is not done goes back to the head of the queue if another device is to do it.
  void Settle(std::vector<WaitingTile> batch, const LadderOutcome& outcome, int device) {
    std::vector<WaitingTile> left;
    for (WaitingTile& tile : batch) {
      tile.job->rung = std::max(tile.job->rung, outcome.rung);
      if (!tile.job->done && outcome.hand_over) {
        if (!outcome.device_lost) tile.refused_by.push_back(device);
        left.push_back(std::move(tile));
        continue;
      }
      --tile.request->open;
      if (!tile.job->done && tile.request->status.ok()) tile.request->status = EndOf(outcome);
    }
    queue.PutBack(std::move(left));
  }

  BatchModel& model;
  const NumericsPlan plan;
  MemoryManager& memory;
  const StopFlag& stop;
  Lease lease;  // of one batch a stream, for as long as the scheduler lives

  BatchCosts costs;

  std::mutex mutex;
  std::condition_variable changed;
  TileQueue queue;
  std::vector<Stream> streams;  // one a thread
  DeviceSpeeds speeds;
  int visitors = 0;          // workers on images whose tiles come here
  int blocked_visitors = 0;  // of these, those that wait in Run
  bool closing = false;
  std::shared_ptr<void> pressure;     // what tells the threads that somebody waits for a lease
  std::vector<std::jthread> threads;  // last: they must end first
};

BatchScheduler::BatchScheduler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<BatchScheduler>> BatchScheduler::Open(BatchModel& model, const NumericsPlan& plan,
                                                             int largest_tile, MemoryManager& memory,
                                                             const StopFlag& stop, size_t item_bytes) {
  auto impl = std::make_unique<Impl>(model, plan, memory, stop);
  TRY(impl->costs.Probe(largest_tile, stop));
  const BatchDemand demand = DemandOf(impl->costs, model, plan, memory, largest_tile);
  Result<Lease> lease =
      memory.Reserve(demand.need, {demand.what + " (" + plan.Describe() + ")", demand.on_devices, plan});
  if (!lease) {
    // Else the budget that is advised would hold the batches, and refuse the image that they are of.
    const Footprint item = {item_bytes, 0};
    const Status both = memory.Fits(demand.need + item);
    Error error = both ? lease.error() : both.error();
    error.code = Code::kUsage;
    error.message = "the model's batches" + std::string(item_bytes > 0 ? " and an image" : "") +
                    " do not fit beside its weights: " + error.message;
    const auto fits = [&](int tile) {
      const int side = largest_tile - plan.tile + tile;
      return memory.Fits(DemandOf(impl->costs, model, plan, memory, side).need + item).ok();
    };
    error.message += SmallerTile(plan.tile, std::max(1, model.info().tile_grid), fits);
    error.message += " (the plan here: " + plan.Describe() + ")";
    return error;
  }
  impl->lease = *std::move(lease);
  Impl* state = impl.get();
  impl->pressure = memory.OnPressure([state](bool) {
    const std::lock_guard lock(state->mutex);
    state->changed.notify_all();
  });
  for (int device = 0; device < memory.device_count(); ++device) {
    for (int i = 0; i < demand.streams[static_cast<size_t>(device)]; ++i) state->streams.push_back({device});
  }
  std::unique_ptr<BatchScheduler> scheduler(new BatchScheduler(std::move(impl)));
  try {
    for (size_t i = 0; i < state->streams.size(); ++i)
      state->threads.emplace_back([state, i] { state->Serve(i); });
  } catch (const std::system_error&) {
    if (state->threads.empty()) throw;
    // Fewer will do; a stream that nobody serves must not look idle.
    const std::lock_guard lock(state->mutex);
    state->streams.resize(state->threads.size());
  }
  return scheduler;
}

BatchScheduler::~BatchScheduler() {
  impl_->pressure.reset();
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closing = true;
    impl_->changed.notify_all();
  }
  impl_->threads.clear();
}

Status BatchScheduler::Run(std::span<TileJob> jobs) {
  TileRequest request;
  request.open = jobs.size();
  std::unique_lock lock(impl_->mutex);
  for (TileJob& job : jobs) {
    job.done = false;
    job.rung = Rung::kNone;
    job.parts_left.clear();
    impl_->queue.Push(job, request);
  }
  ++impl_->blocked_visitors;
  impl_->changed.notify_all();
  impl_->changed.wait(lock, [&] { return request.open == 0; });
  --impl_->blocked_visitors;
  return request.status;
}

BatchScheduler::Visit::Visit(BatchScheduler& scheduler) : scheduler_(scheduler) {
  const std::lock_guard lock(scheduler_.impl_->mutex);
  ++scheduler_.impl_->visitors;
}

BatchScheduler::Visit::~Visit() {
  const std::lock_guard lock(scheduler_.impl_->mutex);
  --scheduler_.impl_->visitors;
  scheduler_.impl_->changed.notify_all();
}

}  // namespace imgmill
