// Advice on a planned run, against arithmetic by hand.
#include "cli/plan_advice.h"

#include <doctest/doctest.h>

#include "imgmill/base/byte_size.h"

using namespace imgmill;

namespace {

RunPlan SomePlan() {
  RunPlan plan;
  plan.images = 100;
  plan.workers = 4;
  plan.at_once = 4;
  plan.smallest_lease = 10 * kMiB;
  plan.median_lease = 20 * kMiB;
  plan.largest_lease = 100 * kMiB;
  plan.expected_peak = 440 * kMiB;
  return plan;
}

MemoryInfo SomeMachine(size_t budget) {
  MemoryInfo memory;
  memory.budget = budget;
  memory.system.available = 10000 * kMiB;
  memory.process.resident = 40 * kMiB;
  return memory;
}

const Recommendation* Find(const std::vector<Recommendation>& advice, const std::string& flag) {
  for (const Recommendation& each : advice) {
    if (each.flag.starts_with(flag)) return &each;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a run that has room is told how much it needs, and no more") {
  const auto advice = AdviseOn(SomePlan(), SomeMachine(4000 * kMiB), 3800 * kMiB);
  REQUIRE(advice.size() == 2);
  CHECK(advice[0].flag == "--memory 464MiB");  // 440 and a nineteenth of it: a twentieth of the whole
  CHECK(advice[1].flag == "-j 4");
  CHECK(advice[1].reason.find("100 MiB") != std::string::npos);
}

TEST_CASE("a run whose workers would wait is told what lets all work, or how many can") {
  RunPlan plan = SomePlan();
  plan.at_once = 2;
  const auto advice = AdviseOn(plan, SomeMachine(300 * kMiB), 220 * kMiB);
  // Two more of 100 MiB, and a nineteenth of that for the reserve: 300 + 200 + 10.5.
  CHECK(advice[0].flag == "--memory 511MiB");
  CHECK(advice[1].flag == "-j 2");
  MemoryInfo small = SomeMachine(300 * kMiB);
  small.system.available = 400 * kMiB;
  CHECK(AdviseOn(plan, small, 220 * kMiB)[0].flag == "--memory 360MiB");  // 40 + 80 % of 400
  small.cgroup = CgroupMemory{};
  small.cgroup->limit = 320 * kMiB;
  CHECK(AdviseOn(plan, small, 220 * kMiB)[0].flag == "--memory 320MiB");
}

TEST_CASE("images that cannot fit come first, and a machine that never could is named") {
  RunPlan plan = SomePlan();
  plan.too_large = 3;
  plan.enough_budget = 900 * kMiB;
  auto advice = AdviseOn(plan, SomeMachine(300 * kMiB), 220 * kMiB);
  CHECK(advice[0].flag == "--memory 900MiB");
  CHECK(advice[0].reason.find("3 images") != std::string::npos);
  CHECK(advice[0].reason.find("allows") == std::string::npos);
  MemoryInfo small = SomeMachine(300 * kMiB);
  small.system.available = 400 * kMiB;
  CHECK(AdviseOn(plan, small, 220 * kMiB)[0].reason.find("this machine allows 360 MiB") != std::string::npos);
}

TEST_CASE("a model's plan of numerics is advised as it is, and its devices") {
  RunPlan plan = SomePlan();
  plan.reservations = {{"1 in flight on cpu", 50 * kMiB, NumericsPlan{"winograd", "float32", 256, 10, 2}}};
  MemoryInfo memory = SomeMachine(4000 * kMiB);
  MemoryInfo::NamedDevice device;
  device.name = "cpu";
  device.budget = 4000 * kMiB;
  memory.devices.push_back(device);
  const auto advice = AdviseOn(plan, memory, 3800 * kMiB);
  REQUIRE(Find(advice, "--batch 2") != nullptr);
  CHECK(Find(advice, "--batch 2")->reason.find("50 MiB") != std::string::npos);
  CHECK(Find(advice, "--tile 256") != nullptr);
  CHECK(Find(advice, "--device cpu") != nullptr);
  CHECK(Find(advice, "precision float32") != nullptr);
  plan.reservations[0].numerics = NumericsPlan{"libtorch", "float32", 0, 0, 8};
  CHECK(Find(AdviseOn(plan, memory, 3800 * kMiB), "--tile") == nullptr);
}

TEST_CASE("where nothing is left to do, nothing is advised") {
  CHECK(AdviseOn({}, SomeMachine(300 * kMiB), 220 * kMiB).empty());
}
