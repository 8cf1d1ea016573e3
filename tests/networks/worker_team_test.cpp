// A team does each task of each step once, until the run is to stop.
#include "networks/kernels/worker_team.h"

#include <doctest/doctest.h>

#include <atomic>
#include <vector>

#include "imgmill/memory/stop_scope.h"

using namespace imgmill;

namespace {

constexpr int kSteps = 20, kTasks = 7;

/// Counts, and asks for the stop at one of its tasks.
class Counting final : public TeamWork {
 public:
  Counting(StopFlag& stop, int stops_at) : stop_(stop), stops_at_(stops_at) {}
  int steps() const override { return kSteps; }
  int tasks(int) const override { return kTasks; }
  void Run(int step, int task, int) noexcept override {
    ++done[static_cast<size_t>(step * kTasks + task)];
    if (step == stops_at_ && task == 0) stop_.RequestStop();
  }
  /// Tasks of the steps from `first` to before `end`.
  int Done(int first, int end) const {
    int sum = 0;
    for (int i = first * kTasks; i < end * kTasks; ++i) sum += done[static_cast<size_t>(i)];
    return sum;
  }

  std::vector<std::atomic<int>> done = std::vector<std::atomic<int>>(kSteps * kTasks);

 private:
  StopFlag& stop_;
  const int stops_at_;
};

}  // namespace

TEST_CASE("a team leaves the steps behind the one in which the run is to stop, where its caller says so") {
  for (const int threads : {1, 2, 5}) {
    CAPTURE(threads);
    WorkerTeam team(threads);
    StopFlag ignored;
    Counting all(ignored, 3);
    team.Do(all);  // outside of any scope
    for (const auto& each : all.done) CHECK(each.load() == 1);

    StopFlag stop;
    const StopScope scope(stop);
    Counting some(stop, 3);
    team.Do(some);
    CHECK(some.Done(0, 3) == 3 * kTasks);
    CHECK(some.Done(4, kSteps) == 0);
    Counting none(stop, 0);
    team.Do(none);
    CHECK(none.Done(0, kSteps) == 0);
    DoWithTeam(none);  // by itself
    CHECK(none.Done(0, kSteps) == 0);
  }
}
