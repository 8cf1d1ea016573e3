// A fixed team of threads that work on one thing together, step by step.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace imgmill {

/// What a team does: steps one after another. The tasks of a step are begun in order, and several are in work
/// at once: one may wait for those before it, but must see the StopFlag, since then these are left.
class TeamWork {
 public:
  virtual ~TeamWork() = default;
  virtual int steps() const = 0;
  virtual int tasks(int step) const = 0;
  /// `worker` is from 0 to threads - 1. Must not throw.
  virtual void Run(int step, int task, int worker) noexcept = 0;
};

class Team {
 public:
  virtual ~Team() = default;
  virtual int threads() const noexcept = 0;
  /// Does all of `work`, or, once the calling thread's StopScope says so, no more of it. Who takes which task
  /// is left to chance, so no result may depend on it.
  virtual void Do(TeamWork& work) = 0;
};

/// Looks at what another thread is about to do, with a ShortPause between them: some tens of microseconds.
inline constexpr int kShortLooks = 1000;
void ShortPause();

/// Where threads meet. A short wait keeps the core, since the next step is about to begin: std::barrier gives
/// it away at once, and on a busy machine it takes milliseconds to get it back.
class MeetingPoint {
 public:
  explicit MeetingPoint(int threads) : threads_(threads) {}
  /// Until all have arrived.
  void ArriveAndWait();

 private:
  const int threads_;
  std::atomic<int> arrived_ = 0;
  std::atomic<unsigned> meetings_ = 0;
  std::mutex mutex_;
  std::condition_variable met_;
};

/// Threads of its own rather than OpenMP's: those belong to the calling thread, so two callers would start
/// two teams, and they spin while they wait, on cores that decoders need.
class WorkerTeam final : public Team {
 public:
  /// @param threads  at least 1; the caller of Do is one of them
  explicit WorkerTeam(int threads);
  ~WorkerTeam() override;
  WorkerTeam(const WorkerTeam&) = delete;
  WorkerTeam& operator=(const WorkerTeam&) = delete;

  int threads() const noexcept override { return threads_; }
  /// Callers wait for one another.
  void Do(TeamWork& work) override;

 private:
  void Dismiss();
  void Loop(int worker);
  void Work(TeamWork& work, int worker);

  const int threads_;
  std::mutex one_caller_;
  MeetingPoint step_done_;
  std::atomic<int> next_task_[2] = {};  ///< of even and of odd steps

  std::mutex mutex_;
  std::condition_variable wake_;
  TeamWork* work_ = nullptr;
  uint64_t generation_ = 0;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

/// While it lives, the layers that the calling thread runs may use this team.
class TeamScope {
 public:
  explicit TeamScope(Team& team);
  ~TeamScope();
  TeamScope(const TeamScope&) = delete;
  TeamScope& operator=(const TeamScope&) = delete;

  /// Null outside of any.
  static Team* Current();

 private:
  Team* const before_;
};

/// Does `work` with the calling thread's team, or alone where it has none.
void DoWithTeam(TeamWork& work);

}  // namespace imgmill
