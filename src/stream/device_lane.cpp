// A few threads a device, one queue of tiles for all of them: whoever is free first takes the oldest group.
#include "imgmill/stream/device_lane.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "tile_group.h"

namespace imgmill {
namespace {

/// The jobs of one Run call. Lives on the caller's stack until all are accounted for.
struct Request {
  std::span<TileJob> jobs;
  size_t open = 0;  ///< jobs neither done nor failed
  Status status;
};

/// Why a tile is not done. The ladder was walked to its end already: to the image's own ladder this is no
/// shortage that trying again could mend, hence another code.
Error EndOf(const LadderOutcome& outcome) {
  if (outcome.status.ok()) return {Stage::kCompute, Code::kInternal, "a tile was left undone"};
  Error error = outcome.status.error();
  if (error.code == Code::kOutOfMemory) error.code = Code::kTooLarge;
  return error;
}

struct Waiting {
  TileJob* job;
  Request* request;
};

}  // namespace

struct DeviceLane::Impl {
  Impl(BatchModel& model_in, const NumericsPlan& plan_in, MemoryManager& memory_in, const StopFlag& stop_in)
      : model(model_in), plan(plan_in), memory(memory_in), stop(stop_in) {}

  /// A group is worth running: full, or nobody is left who could add to it.
  bool Ready() const {
    if (waiting.empty()) return false;
    const TileJob& oldest = *waiting.front().job;
    const auto equal = std::count_if(waiting.begin(), waiting.end(), [&](const Waiting& w) {
      return w.job->height == oldest.height && w.job->width == oldest.width;
    });
    return equal >= plan.micro_batch || blocked_visitors >= visitors || memory.AdmissionBlocked();
  }

  std::vector<Waiting> TakeGroup() {
    std::vector<Waiting> group;
    const int height = waiting.front().job->height;
    const int width = waiting.front().job->width;
    for (auto it = waiting.begin();
         it != waiting.end() && static_cast<int>(group.size()) < plan.micro_batch;) {
      if (it->job->height == height && it->job->width == width) {
        group.push_back(*it);
        it = waiting.erase(it);
      } else {
        ++it;
      }
    }
    return group;
  }

  void Serve(int device) {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return closing || Ready(); });
      if (waiting.empty()) return;
      const std::vector<Waiting> group = TakeGroup();
      std::optional<BatchShape> next;
      if (!waiting.empty()) {
        next = BatchShape{plan.micro_batch, waiting.front().job->height, waiting.front().job->width, 0};
      }
      lock.unlock();

      std::vector<TileJob*> jobs;
      for (const Waiting& w : group) jobs.push_back(w.job);
      const BatchShape shape{plan.micro_batch, jobs[0]->height, jobs[0]->width, 0};
      const size_t predicted = model.ForwardBytes(plan.micro_batch, jobs[0]->height, jobs[0]->width, device);
      TileGroup work(model, plan, std::move(jobs), {model.info().architecture, shape, {predicted, 0}});
      const LadderOutcome outcome = memory.Guarded(work, device, stop);
      memory.BatchDone(device, shape, next);

      lock.lock();
      for (const Waiting& w : group) {
        --w.request->open;
        w.job->rung = std::max(w.job->rung, outcome.rung);
        if (!w.job->done && w.request->status.ok()) {
          w.request->status = EndOf(outcome);
        }
      }
      changed.notify_all();
    }
  }

  BatchModel& model;
  const NumericsPlan plan;
  MemoryManager& memory;
  const StopFlag& stop;
  Lease lease;  // of one batch a stream, for as long as the lane lives

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Waiting> waiting;  // oldest first
  int visitors = 0;             // workers on images whose tiles come here
  int blocked_visitors = 0;     // of these, those that wait in Run
  bool closing = false;
  std::vector<std::jthread> threads;  // last: they must end first
};

DeviceLane::DeviceLane(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<DeviceLane>> DeviceLane::Open(BatchModel& model, const NumericsPlan& plan,
                                                     int largest_tile, MemoryManager& memory,
                                                     const StopFlag& stop) {
  auto impl = std::make_unique<Impl>(model, plan, memory, stop);
  std::vector<int> streams;
  for (int device = 0; device < memory.device_count(); ++device)
    streams.push_back(std::max(1, model.Streams(device)));
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
  std::unique_ptr<DeviceLane> lane(new DeviceLane(std::move(impl)));
  try {
    for (int device = 0; device < memory.device_count(); ++device) {
      for (int i = 0; i < streams[static_cast<size_t>(device)]; ++i)
        state->threads.emplace_back([state, device] { state->Serve(device); });
    }
  } catch (const std::system_error&) {
    if (state->threads.empty()) throw;  // fewer will do
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
  Request request;
  request.jobs = jobs;
  request.open = jobs.size();
  std::unique_lock lock(impl_->mutex);
  for (TileJob& job : jobs) {
    job.done = false;
    impl_->waiting.push_back({&job, &request});
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
