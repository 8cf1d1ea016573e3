// The budget's arithmetic, by hand.
#include "memory/host_budget.h"

#include "memory/host_ledger.h"
#include "memory_fixture.h"

namespace imgmill {
namespace {

HostLimits Machine() {
  HostLimits limits;
  limits.system = {10000 * kMiB, 5000 * kMiB};
  limits.process.resident = 100 * kMiB;
  limits.process.address_space = 400 * kMiB;
  return limits;
}

TEST_CASE("the least of what was asked and what there is") {
  HostLimits limits = Machine();
  CHECK(DecideHostBudget(limits).bytes == 4100 * kMiB);
  CHECK(DecideHostBudget(limits).source == "80 % of available memory");

  limits.asked = 600 * kMiB;
  CHECK(DecideHostBudget(limits).bytes == 600 * kMiB);
  CHECK(DecideHostBudget(limits).source == "--memory");
  CHECK(DecideHostBudget(limits).warning == "");

  // Others in the group hold 300 - 100 = 200 MiB beside file pages; 2 % of the limit is the kernel's: 500 -
  // 200 - 10.
  limits.cgroup = CgroupMemory{"/sys/fs/cgroup/job", 2, 500 * kMiB, 450 * kMiB, 300 * kMiB};
  const HostBudget lowered = DecideHostBudget(limits);
  CHECK(lowered.bytes == 290 * kMiB);
  CHECK(lowered.source == "cgroup /sys/fs/cgroup/job");
  CHECK(lowered.warning.find("--memory 600 MiB") == 0);

  // 300 of the 400 MiB of addresses are not resident, 20 are kept for what is mapped later: of 470, 150 can
  // be.
  limits.address_space = 470 * kMiB;
  CHECK(DecideHostBudget(limits).bytes == 150 * kMiB);
  CHECK(DecideHostBudget(limits).source == "ulimit -v");
}

TEST_CASE("the reserve is 16 MiB or 5 %, but leaves small rooms three quarters") {
  CHECK(ReserveFor(100 * kMiB, 80 * kMiB) == 16 * kMiB);
  CHECK(ReserveFor(1000 * kMiB, 900 * kMiB) == 50 * kMiB);
  CHECK(ReserveFor(100 * kMiB, 20 * kMiB) == 5 * kMiB);
  CHECK(ReserveFor(100 * kMiB, 0) == 0);
}

TEST_CASE("the smallest budget that is named is the smallest, and what starts differ by") {
  for (const size_t need : {size_t{1}, 3 * kMiB, 47 * kMiB, 48 * kMiB, 49 * kMiB, 303 * kMiB, 5000 * kMiB}) {
    for (const size_t fixed : {size_t{0}, 33 * kMiB, 700 * kMiB}) {
      const size_t smallest = SmallestBudgetFor(need, fixed);
      HostLedger ledger;
      ledger.fixed = fixed;
      ledger.budget = smallest - kStartsDiffer;
      const auto works = [&] {
        return ledger.LargestLease() >= need && CheckBudget({ledger.budget, "--memory", ""}, fixed).ok();
      };
      CHECK(works());
      ledger.budget = smallest - kStartsDiffer - kMiB;
      CHECK_FALSE(works());
    }
  }
}

TEST_CASE("a budget that the process itself fills is refused, with one that works") {
  const Status status = CheckBudget({64 * kMiB, "--memory", ""}, 60 * kMiB);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kUsage);
  CHECK(status.error().message.find("--memory 80MiB") != std::string::npos);
  CHECK(CheckBudget({76 * kMiB, "--memory", ""}, 60 * kMiB).ok());
  // By hand: 30 MiB are three quarters of the room; and what starts differ by.
  CHECK(CheckBudget({64 * kMiB, "--memory", ""}, 60 * kMiB, 30 * kMiB)
            .error()
            .message.find("--memory 104MiB") != std::string::npos);
  CHECK(CheckBudget({76 * kMiB, "--memory", ""}, 60 * kMiB, 30 * kMiB).ok());  // for the lease to refuse
}

/// By hand: 5 % of a budget of 500 MiB are reserve, of which half is never the pool's.
constexpr size_t kNeverPooled = 25 * kMiB / 2;

TEST_CASE("unexplained bytes lower the cap at once and are forgotten slowly") {
  HostLedger ledger;
  ledger.budget = 500 * kMiB;
  ledger.fixed = 100 * kMiB;
  ledger.leased = {200 * kMiB, 50 * kMiB};
  ledger.leases = 2;
  CHECK(ledger.PoolCap() == 350 * kMiB - kNeverPooled);
  ledger.Take({.resident = 360 * kMiB, .charged = 180 * kMiB, .cached = 0, .host_in_use = 180 * kMiB});
  CHECK(ledger.unexplained == 30 * kMiB);
  CHECK(ledger.PoolCap() == 320 * kMiB - kNeverPooled);
  ledger.Take({.resident = 300 * kMiB, .charged = 180 * kMiB, .cached = 0, .host_in_use = 180 * kMiB});
  CHECK(ledger.unexplained > 26 * kMiB);
  for (int i = 0; i < 200; ++i) {
    ledger.Take({.resident = 300 * kMiB, .charged = 180 * kMiB, .cached = 0, .host_in_use = 180 * kMiB});
  }
  CHECK(ledger.unexplained == 0);
  CHECK(ledger.peak_unexplained == 30 * kMiB);
  // More in the pool than was leased counts against the next lease, not against the cap.
  ledger.Take({.resident = 300 * kMiB, .charged = 240 * kMiB, .cached = 0, .host_in_use = 230 * kMiB});
  CHECK(ledger.overdrawn == 30 * kMiB);
  CHECK(ledger.PoolCap() == 350 * kMiB - kNeverPooled);
  // By hand: 500 - 100 - reserve 25 = 375 at most; 250 leased and 30 overdrawn leave 95.
  CHECK(ledger.Admits({95 * kMiB, 0}));
  CHECK_FALSE(ledger.Admits({95 * kMiB, 1}));
}

TEST_CASE("what was granted is honoured, and one lease is always granted, whatever cannot be explained") {
  HostLedger ledger;
  ledger.budget = 500 * kMiB;
  ledger.fixed = 100 * kMiB;
  ledger.unexplained = 390 * kMiB;
  CHECK(ledger.Admits({ledger.LargestLease(), 0}));
  ledger.leased = {300 * kMiB, 0};
  ledger.leases = 1;
  CHECK(ledger.PoolCap() == 300 * kMiB);
  CHECK_FALSE(ledger.Admits({1, 0}));
}

TEST_CASE("what others take is missing from the budget, what the process itself takes is not") {
  HostLimits start;
  start.system = {16 * kGiB, 10 * kGiB};
  start.process.resident = 100 * kMiB;
  const Pressure pressure(start, 4 * kGiB);
  ProcessMemory own = start.process;
  CHECK(pressure.Unavailable(start.system, std::nullopt, own) == 0);
  // We grow to 4 GiB, and as much less is available: nobody else has taken anything.
  own.resident = 4 * kGiB;
  CHECK(pressure.Unavailable({16 * kGiB, 6 * kGiB}, std::nullopt, own) == 0);
  // Others take all but 100 MiB, less than the 2 % of 16 GiB (327.68 MiB) that are to stay available.
  const size_t kept = 16 * kGiB / 50;
  CHECK(pressure.Unavailable({16 * kGiB, 100 * kMiB}, std::nullopt, own) == kept - 100 * kMiB);
  // They let go again.
  CHECK(pressure.Unavailable({16 * kGiB, kGiB}, std::nullopt, own) == 0);

  // A group of 1 GiB: 20.48 MiB stay the kernel's, and others hold 300 MiB of it. Our 40 MiB of mapped files
  // are in our resident bytes, but not in the group's anonymous ones.
  const Pressure grouped(start, kGiB - kGiB / 50);
  CgroupMemory group;
  group.limit = kGiB;
  own.resident = 440 * kMiB;
  own.file_backed = 40 * kMiB;
  group.anonymous = 700 * kMiB;
  CHECK(grouped.Unavailable({16 * kGiB, 9 * kGiB}, group, own) == 300 * kMiB);
  group.anonymous = 400 * kMiB;
  CHECK(grouped.Unavailable({16 * kGiB, 9 * kGiB}, group, own) == 0);

  // 1008 MiB of addresses, of which a library took 600 and holds 100: 400 can still be resident beside 100,
  // and 8 stay free.
  start.address_space = 1008 * kMiB;
  const Pressure addressed(start, 800 * kMiB);
  own = {};
  own.resident = 100 * kMiB;
  own.address_space = 600 * kMiB;
  CHECK(addressed.Unavailable(start.system, std::nullopt, own) == 300 * kMiB);
}

TEST_CASE("a unavailable budget admits less, but one image at a time always") {
  HostLedger ledger;
  ledger.budget = 500 * kMiB;
  ledger.fixed = 100 * kMiB;
  ledger.leased = {100 * kMiB, 0};
  ledger.leases = 1;
  CHECK(ledger.Admits({200 * kMiB, 0}));
  ledger.unavailable = 150 * kMiB;
  CHECK(ledger.InForce() == 350 * kMiB);
  CHECK_FALSE(ledger.Admits({200 * kMiB, 0}));
  CHECK(ledger.PoolCap() == 250 * kMiB - kNeverPooled);
  ledger.leased = {};
  ledger.leases = 0;
  ledger.unavailable = 450 * kMiB;
  CHECK(ledger.Admits({ledger.LargestLease(), 0}));
  CHECK(ledger.PoolCap() == 0);
}

}  // namespace
}  // namespace imgmill
