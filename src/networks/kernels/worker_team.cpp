// The team: workers sleep between calls, take tasks from a counter, and meet after each step.
#include "networks/kernels/worker_team.h"

#include "networks/kernels/stoppable_work.h"

namespace imgmill {
namespace {

thread_local Team* current_team = nullptr;

}  // namespace

void ShortPause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

TeamScope::TeamScope(Team& team) : before_(current_team) {
  current_team = &team;
}
TeamScope::~TeamScope() {
  current_team = before_;
}
Team* TeamScope::Current() {
  return current_team;
}

void MeetingPoint::ArriveAndWait() {
  const unsigned before = meetings_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    {
      const std::lock_guard lock(mutex_);
      meetings_.store(before + 1, std::memory_order_release);
    }
    met_.notify_all();
    return;
  }
  const auto met = [&] { return meetings_.load(std::memory_order_acquire) != before; };
  for (int look = 0; look < kShortLooks; ++look) {
    if (met()) return;
    ShortPause();
  }
  std::unique_lock lock(mutex_);
  met_.wait(lock, met);
}

WorkerTeam::WorkerTeam(int threads) : threads_(threads < 1 ? 1 : threads), step_done_(threads_) {
  try {
    for (int worker = 1; worker < threads_; ++worker) workers_.emplace_back([this, worker] { Loop(worker); });
  } catch (...) {  // no more threads to be had
    Dismiss();
    throw;
  }
}

WorkerTeam::~WorkerTeam() {
  Dismiss();
}

void WorkerTeam::Dismiss() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void WorkerTeam::Do(TeamWork& all) {
  if (all.steps() <= 0) return;
  StoppableWork work(all);
  const std::lock_guard one_caller(one_caller_);
  next_task_[0].store(0, std::memory_order_relaxed);
  next_task_[1].store(0, std::memory_order_relaxed);
  if (threads_ > 1) {
    {
      const std::lock_guard lock(mutex_);
      work_ = &work;
      ++generation_;
    }
    wake_.notify_all();
  }
  Work(work, 0);
}

void WorkerTeam::Loop(int worker) {
  uint64_t done = 0;
  for (;;) {
    TeamWork* work = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || generation_ != done; });
      if (stop_) return;
      done = generation_;
      work = work_;
    }
    Work(*work, worker);
  }
}

void WorkerTeam::Work(TeamWork& work, int worker) {
  const int steps = work.steps();
  for (int step = 0; step < steps; ++step) {
    std::atomic<int>& next = next_task_[step & 1];
    const int tasks = work.tasks(step);
    for (;;) {
      const int task = next.fetch_add(1, std::memory_order_relaxed);
      if (task >= tasks) break;
      work.Run(step, task, worker);
    }
    step_done_.ArriveAndWait();
    // Everybody has left this step's counter; it is next used two steps from now, behind another barrier.
    if (worker == 0) next.store(0, std::memory_order_relaxed);
  }
}

void DoWithTeam(TeamWork& all) {
  if (Team* const team = TeamScope::Current()) return team->Do(all);
  StoppableWork work(all);
  for (int step = 0; step < work.steps(); ++step) {
    for (int task = 0; task < work.tasks(step); ++task) work.Run(step, task, 0);
  }
}

}  // namespace imgmill
