// A few threads a device, one queue of tiles for all of them: a group goes to the device that will end it
// first.
#include "imgmill/stream/device_lane.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "lane_queue.h"
#include "tile_group.h"

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

struct DeviceLane::Impl {
  Impl(BatchModel& model_in, const NumericsPlan& plan_in, MemoryManager& memory_in, const StopFlag& stop_in)
      : model(model_in),
        plan(plan_in),
        memory(memory_in),
        stop(stop_in),
        queue(model, plan, memory),
        speeds(memory.device_count()) {}

  /// What one thread of a device has in hand.
  struct Stream {
    int device = 0;
    bool busy = false;
    double since = 0;  // as Now says
    double pixels = 0;
  };

  static double Now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  std::vector<LaneDevice> Devices() const {
    const double now = Now();
    std::vector<LaneDevice> devices(static_cast<size_t>(memory.device_count()));
    for (size_t i = 0; i < devices.size(); ++i)
      devices[i].seconds_a_pixel = speeds.SecondsAPixel(static_cast<int>(i), now);
    for (const Stream& stream : streams) {
      LaneDevice& own = devices[static_cast<size_t>(stream.device)];
      const double left = TimeLeft(stream.pixels * own.seconds_a_pixel, now - stream.since);
      own.busy_for.push_back(stream.busy ? left : 0);
    }
    return devices;
  }

  /// A batch for this device; empty when the lane closes.
  std::vector<WaitingTile> WaitForBatch(std::unique_lock<std::mutex>& lock, int device) {
    while (!closing || !queue.empty()) {
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
    while (true) {
      std::vector<WaitingTile> batch = WaitForBatch(lock, device);
      if (batch.empty()) return;
      const BatchShape shape = queue.ShapeOf(*batch[0].job);
      const std::optional<BatchShape> next = queue.NextShape();
      stream = {device, true, Now(), queue.Pixels(*batch[0].job)};
      lock.unlock();
      const LadderOutcome outcome = RunBatch(batch, shape, device);
      memory.BatchDone(device, shape, next);
      lock.lock();
      stream.busy = false;
      const double now = Now();
      if (outcome.status && outcome.rung < Rung::kCpu)
        speeds.Note(device, stream.pixels, now - stream.since, now);
      Settle(std::move(batch), outcome, device);
      changed.notify_all();
    }
  }

  LadderOutcome RunBatch(const std::vector<WaitingTile>& batch, const BatchShape& shape, int device) {
    std::vector<TileJob*> jobs;
    for (const WaitingTile& tile : batch) jobs.push_back(tile.job);
    const size_t predicted = model.ForwardBytes(plan.micro_batch, jobs[0]->height, jobs[0]->width, device);
    TileGroup work(model, plan, std::move(jobs), {model.info().architecture, shape, {predicted, 0}},
                   [&](bool lost) { return queue.HasOther(batch[0], device, lost); });
    return memory.Guarded(work, device, stop);
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
  Lease lease;  // of one batch a stream, for as long as the lane lives

  std::mutex mutex;
  std::condition_variable changed;
  LaneQueue queue;
  std::vector<Stream> streams;  // one a thread
  DeviceSpeeds speeds;
  int visitors = 0;          // workers on images whose tiles come here
  int blocked_visitors = 0;  // of these, those that wait in Run
  bool closing = false;
  std::vector<std::jthread> threads;  // last: they must end first
};

DeviceLane::DeviceLane(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

namespace {

/// As many at once as keep the device busy, if its own budget holds them.
int StreamsFor(const BatchModel& model, const NumericsPlan& plan, int largest_tile,
               const MemoryManager& memory, int device) {
  const int streams = std::max(1, model.Streams(device));
  if (streams == 1 || memory.DeviceSharesHostPool(device)) return streams;
  const size_t batch = model.ForwardBytes(plan.micro_batch, largest_tile, largest_tile, device);
  const size_t fit = memory.DeviceBudget(device) / std::max<size_t>(1, batch);
  return static_cast<int>(std::clamp<size_t>(fit, 1, static_cast<size_t>(streams)));
}

}  // namespace

Result<std::unique_ptr<DeviceLane>> DeviceLane::Open(BatchModel& model, const NumericsPlan& plan,
                                                     int largest_tile, MemoryManager& memory,
                                                     const StopFlag& stop) {
  auto impl = std::make_unique<Impl>(model, plan, memory, stop);
  std::vector<int> streams;
  for (int device = 0; device < memory.device_count(); ++device)
    streams.push_back(StreamsFor(model, plan, largest_tile, memory, device));
  while (true) {
    Footprint need;
    bool more_than_one = false;
    for (int device = 0; device < memory.device_count(); ++device) {
      if (!memory.DeviceSharesHostPool(device)) continue;  // others have a budget of their own
      const int count = streams[static_cast<size_t>(device)];
      need.pooled += static_cast<size_t>(count) *
                     model.ForwardBytes(plan.micro_batch, largest_tile, largest_tile, device);
      more_than_one = more_than_one || count > 1;
    }
    // A lane that takes most of the room would leave the images only one at a time.
    Result<Lease> lease = more_than_one && need.total() > memory.LargestLease() / 2
                              ? Result<Lease>(Error{Stage::kAdmit, Code::kTooLarge, {}})
                              : memory.Reserve(need, "of " + plan.Describe());
    if (lease) {
      impl->lease = *std::move(lease);
      break;
    }
    if (!more_than_one) {
      Error error = lease.error();
      error.message += plan.tile > 0 ? "; a smaller --tile needs less" : "";
      error.message += " (the plan here: " + plan.Describe() + ")";
      return error;
    }
    for (int& count : streams) count = std::max(1, count / 2);
  }
  Impl* state = impl.get();
  memory.OnPressure([state](bool) {
    const std::lock_guard lock(state->mutex);
    state->changed.notify_all();
  });
  for (int device = 0; device < memory.device_count(); ++device) {
    for (int i = 0; i < streams[static_cast<size_t>(device)]; ++i) state->streams.push_back({device});
  }
  std::unique_ptr<DeviceLane> lane(new DeviceLane(std::move(impl)));
  try {
    for (size_t i = 0; i < state->streams.size(); ++i)
      state->threads.emplace_back([state, i] { state->Serve(i); });
  } catch (const std::system_error&) {
    if (state->threads.empty()) throw;
    // Fewer will do; a stream that nobody serves must not look idle.
    const std::lock_guard lock(state->mutex);
    state->streams.resize(state->threads.size());
  }
  return lane;
}

DeviceLane::~DeviceLane() {
  impl_->memory.OnPressure(nullptr);
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closing = true;
    impl_->changed.notify_all();
  }
  impl_->threads.clear();
}

Status DeviceLane::Run(std::span<TileJob> jobs) {
  LaneRequest request;
  request.open = jobs.size();
  std::unique_lock lock(impl_->mutex);
  for (TileJob& job : jobs) {
    job.done = false;
    job.rung = Rung::kNone;
    impl_->queue.Push(job, request);
  }
  ++impl_->blocked_visitors;
  impl_->changed.notify_all();
  impl_->changed.wait(lock, [&] { return request.open == 0; });
  --impl_->blocked_visitors;
  return request.status;
}

DeviceLane::Visit::Visit(DeviceLane& lane) : lane_(lane) {
  const std::lock_guard lock(lane_.impl_->mutex);
  ++lane_.impl_->visitors;
}

DeviceLane::Visit::~Visit() {
  const std::lock_guard lock(lane_.impl_->mutex);
  --lane_.impl_->visitors;
  lane_.impl_->changed.notify_all();
}

}  // namespace imgmill
