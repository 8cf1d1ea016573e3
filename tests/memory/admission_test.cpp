// Leases under many threads: in order, within the budget, and never a deadlock.
#include "memory/admission.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "memory/host_budget.h"
#include "memory_fixture.h"

namespace imgmill {
namespace {

using memory_test::MustCreate;
using memory_test::WithRoom;

/// 100 MiB to lease: 75 % of a room of 133.3 would do; here the reserve is 16 MiB of 116.
constexpr size_t kBudget = 116 * kMiB;

TEST_CASE("leases are granted in the order of asking; nothing small overtakes") {
  Pool pool("host", SIZE_MAX);
  Admission admission(pool, kBudget, true);
  REQUIRE(admission.LargestLease() == 100 * kMiB);
  const StopFlag stop;
  REQUIRE(admission.Acquire({60 * kMiB, 0}, stop).ok());

  std::mutex mutex;
  std::vector<size_t> granted;
  std::vector<std::thread> threads;
  constexpr size_t kThreads = 24;
  for (size_t i = 0; i < kThreads; ++i) {
    // Large and small in turn: the small ones would fit at once, beside the 60, but no two of these do, so
    // each is granted after the one before it has given back.
    const Footprint need{(i % 2 == 0 ? 80 : 30) * kMiB, 0};
    threads.emplace_back([&, i, need] {
      REQUIRE(admission.Acquire(need, stop).ok());
      {
        std::lock_guard lock(mutex);
        granted.push_back(i);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      admission.Return(need);
    });
    while (admission.Stats().waiting != i + 1) std::this_thread::yield();
  }
  CHECK_FALSE(*admission.TryAcquire({1, 0}));
  CHECK(granted.empty());
  CHECK(admission.Blocked());
  admission.Return({60 * kMiB, 0});
  for (auto& thread : threads) thread.join();
  REQUIRE(granted.size() == kThreads);
  CHECK(std::is_sorted(granted.begin(), granted.end()));
  CHECK_FALSE(admission.Blocked());
  CHECK(admission.Stats().waited == kThreads);
}

TEST_CASE("the sum of leases stays within the budget, and every thread gets through") {
  Pool pool("host", SIZE_MAX);
  Admission admission(pool, kBudget, true);
  const StopFlag stop;
  std::atomic<size_t> out{0};
  std::atomic<size_t> most{0};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 150; ++i) {
        // Every tenth as large as can be: it must get the whole room to itself.
        const size_t bytes = random() % 10 == 0 ? 100 * kMiB : random() % (60 * kMiB);
        const Footprint need{bytes / 2, bytes - bytes / 2};
        REQUIRE(admission.Acquire(need, stop).ok());
        const size_t now = out.fetch_add(bytes) + bytes;
        size_t seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        // Unexplained bytes come and go meanwhile, as much as the whole budget at times.
        if (random() % 8 == 0) admission.Take({.resident = random() % (2 * kBudget)});
        out.fetch_sub(bytes);
        admission.Return(need);
        ++done;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(done == 16 * 150);
  CHECK(most <= 100 * kMiB);
  const AdmissionStats stats = admission.Stats();
  CHECK(stats.ledger.leased.total() == 0);
  CHECK(stats.ledger.leases == 0);
  CHECK(stats.peak_leased <= 100 * kMiB);
}

TEST_CASE("what never fits is refused at once, with the bytes and the flag that would do") {
  auto manager = MustCreate(WithRoom(100 * kMiB));
  const size_t largest = manager->LargestLease();
  CHECK(manager->TryAcquire({largest, 0}).ok());
  const auto lease = manager->Acquire({largest, 1}, StopFlag());
  REQUIRE_FALSE(lease.ok());
  CHECK(lease.error().code == Code::kTooLarge);
  CHECK(lease.error().stage == Stage::kAdmit);
  // The named budget works: taken from the message, tried.
  const auto huge = manager->TryAcquire({300 * kMiB, 50 * kMiB});
  REQUIRE_FALSE(huge.ok());
  const std::string& message = huge.error().message;
  CHECK(message.find("350 MiB") != std::string::npos);
  const size_t flag = message.find("--memory ");
  REQUIRE(flag != std::string::npos);
  MemoryOptions options = WithRoom(0);
  options.host_budget = static_cast<size_t>(std::stoul(message.substr(flag + 9))) * kMiB;
  const size_t fixed = manager->Info().fixed;
  manager.reset();
  manager = MustCreate(options);
  // The process may have grown by some pages since.
  CHECK(manager->LargestLease() + (manager->Info().fixed - std::min(manager->Info().fixed, fixed)) + kMiB >=
        350 * kMiB);
}

TEST_CASE("a stop request ends the waiting, and those behind go on") {
  Pool pool("host", SIZE_MAX);
  Admission admission(pool, kBudget, true);
  StopFlag stop;
  const StopFlag never;
  REQUIRE(admission.Acquire({90 * kMiB, 0}, never).ok());
  std::thread stopped([&] {
    const Status status = admission.Acquire({50 * kMiB, 0}, stop);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == Code::kInterrupted);
  });
  while (admission.Stats().waiting != 1) std::this_thread::yield();
  std::thread behind([&] { CHECK(admission.Acquire({kMiB, 0}, never).ok()); });
  while (admission.Stats().waiting != 2) std::this_thread::yield();
  stop.RequestStop();
  stopped.join();
  behind.join();
  CHECK(admission.Stats().granted == 2);
}

TEST_CASE("pressure is told when somebody starts to wait and when nobody does any more") {
  Pool pool("host", SIZE_MAX);
  Admission admission(pool, kBudget, true);
  std::vector<bool> told;
  bool held = true;
  const auto subscribed = admission.OnPressure([&](bool waiting) {
    told.push_back(waiting);
    // As an engine does: the waiting of one makes it finish, and give back, another's work.
    if (waiting && held) {
      held = false;
      admission.Return({90 * kMiB, 0});
    }
  });
  const StopFlag stop;
  REQUIRE(admission.Acquire({90 * kMiB, 0}, stop).ok());
  CHECK(told.empty());
  CHECK(admission.Acquire({50 * kMiB, 0}, stop).ok());
  CHECK(told == std::vector<bool>{true, false});
}

TEST_CASE("a subscriber that has left is not running any more; a new one hears how things stand") {
  Pool pool("host", SIZE_MAX);
  Admission admission(pool, kBudget, true);
  std::atomic<bool> inside{false};
  std::atomic<bool> left{false};
  auto first = admission.OnPressure([&](bool) {
    inside = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    left = true;
  });
  const StopFlag stop;
  REQUIRE(admission.Acquire({90 * kMiB, 0}, stop).ok());
  std::thread waiting([&] { CHECK(admission.Acquire({50 * kMiB, 0}, stop).ok()); });
  while (!inside) std::this_thread::yield();
  first.reset();
  CHECK(left);
  std::atomic<int> told{0};
  const auto second = admission.OnPressure([&](bool is_waiting) { told += is_waiting ? 1 : 10; });
  CHECK(told == 1);
  admission.Return({90 * kMiB, 0});
  waiting.join();
  CHECK(told == 11);
}

TEST_CASE("subscribers do not unhook each other, and one may leave out of its own callback") {
  Pool pool("host", SIZE_MAX);
  Admission admission(pool, kBudget, true);
  std::vector<std::string> told;
  auto early = admission.OnPressure([&](bool waiting) { told.push_back(waiting ? "early +" : "early -"); });
  std::shared_ptr<void> once;
  once = admission.OnPressure([&](bool) {
    told.push_back("once");
    once.reset();
  });
  const auto late = admission.OnPressure([&](bool waiting) {
    told.push_back(waiting ? "late +" : "late -");
    if (waiting) admission.Return({90 * kMiB, 0});
  });
  const StopFlag stop;
  REQUIRE(admission.Acquire({90 * kMiB, 0}, stop).ok());
  CHECK(admission.Acquire({50 * kMiB, 0}, stop).ok());
  CHECK(told == std::vector<std::string>{"early +", "once", "late +", "early -", "late -"});
  early.reset();
  told.clear();
  REQUIRE(admission.Acquire({40 * kMiB, 0}, stop).ok());
  CHECK(admission.Acquire({50 * kMiB, 0}, stop).ok());
  CHECK(told == std::vector<std::string>{"late +", "late -"});
}

TEST_CASE("held admission grants nothing until it is let go") {
  Pool pool("host", SIZE_MAX);
  Admission admission(pool, kBudget, true);
  {
    const Admission::Hold hold(admission);
    CHECK_FALSE(*admission.TryAcquire({1, 0}));
  }
  CHECK(*admission.TryAcquire({1, 0}));
}

TEST_CASE("a lease on untracked bytes makes the pool give up its cache") {
  Pool pool("host", SIZE_MAX);
  Admission admission(pool, kBudget, true);
  Pool::Free(pool.Allocate(100 * kMiB));
  CHECK(pool.Stats().cached > 99 * kMiB);
  REQUIRE(*admission.TryAcquire({0, 80 * kMiB}));
  // By hand: half of the reserve of 16 MiB stays free, of 116 - 80.
  CHECK(pool.Stats().cached <= 28 * kMiB);
  CHECK(pool.Stats().cap == 28 * kMiB);
  admission.Return({0, 80 * kMiB});
  CHECK(pool.Stats().cap == kBudget - 8 * kMiB);
}

TEST_CASE("the advice on --memory counts what is reserved") {
  const auto advised = [](const std::string& text) {
    const size_t at = text.find("--memory ") + 9;
    return std::stoul(text.substr(at)) * kMiB;
  };
  Pool pool("host", SIZE_MAX);
  Admission admission(pool, kBudget, true);
  REQUIRE(admission.AcquireReservation({10 * kMiB, 0}));
  const Footprint need{110 * kMiB, 40 * kMiB};
  const size_t enough = advised(admission.Fits(need).error().message);
  CHECK(admission.Stats().ledger.BudgetFor(need.total()) == enough);
  for (const auto& [budget, fits] : {std::pair{enough, true}, {enough - kStartsDiffer - kMiB, false}}) {
    Admission other(pool, budget, true);
    REQUIRE(other.AcquireReservation({10 * kMiB, 0}));
    CHECK(other.Fits(need).ok() == fits);
  }
}

TEST_CASE("leases move, and give back once") {
  auto manager = MustCreate(WithRoom(64 * kMiB));
  Lease kept;
  {
    auto lease = manager->TryAcquire({kMiB, kMiB});
    REQUIRE(lease.ok());
    CHECK(manager->Info().leased == 2 * kMiB);
    kept = std::move(*lease);
    CHECK(kept.footprint().total() == 2 * kMiB);
  }
  CHECK(manager->Info().leased == 2 * kMiB);
  kept.Release();
  kept.Release();
  CHECK(manager->Info().leased == 0);
  CHECK(manager->Info().leases_now == 0);
  CHECK(manager->Info().leases_granted == 1);
}

}  // namespace
}  // namespace imgmill
