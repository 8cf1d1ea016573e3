// Advice on a planned run, against arithmetic by hand.
#include "cli/plan/plan_advice.h"

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
  plan.planned_budget = 464 * kMiB;
  plan.workers_budget = 511 * kMiB;
  return plan;
}

MemoryInfo SomeMachine(size_t budget) {
  MemoryInfo memory;
  memory.budget = budget;
  memory.allowed = 8000 * kMiB;
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
  CHECK(advice[0].flag == "--memory 464MiB");
  CHECK(advice[1].flag == "-j 4");
  CHECK(advice[1].reason.find("100 MiB") != std::string::npos);
}

TEST_CASE("a run whose workers would wait is told what lets all work, or how many can") {
  RunPlan plan = SomePlan();
  plan.at_once = 2;
  const auto advice = AdviseOn(plan, SomeMachine(300 * kMiB), 220 * kMiB);
  CHECK(advice[0].flag == "--memory 511MiB");
  CHECK(advice[1].flag == "-j 2");
  MemoryInfo small = SomeMachine(300 * kMiB);
  small.allowed = 360 * kMiB;
  CHECK(AdviseOn(plan, small, 220 * kMiB)[0].flag == "--memory 360MiB");
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
  small.allowed = 360 * kMiB;
  CHECK(AdviseOn(plan, small, 220 * kMiB)[0].reason.find("this machine allows 360 MiB") != std::string::npos);
}

TEST_CASE("a model's plan of numerics is advised as it is, and its devices") {
  RunPlan plan = SomePlan();
  plan.reservations = {
      {"1 in flight on cpu", 50 * kMiB, NumericsPlan{"winograd", Precision::kFloat32, 256, 10, 2}}};
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
  plan.reservations[0].numerics = NumericsPlan{"libtorch", Precision::kFloat32, 0, 0, 8};
  CHECK(Find(AdviseOn(plan, memory, 3800 * kMiB), "--tile") == nullptr);
  plan.reservations[0].numerics->precision = Precision::kHalf;
  CHECK(Find(AdviseOn(plan, memory, 3800 * kMiB), "--precision half") != nullptr);
}

TEST_CASE(
    "of the machine alone: its budget, unless it was asked for, and workers for the room and the cores") {
  MemoryInfo memory = SomeMachine(300 * kMiB + 5);
  memory.budget_source = "80 % of available memory";
  auto advice = AdviseOnMachine(memory, 130 * kMiB, 8);
  REQUIRE(advice.size() == 2);
  CHECK(advice[0].flag == "--memory 300MiB");
  CHECK(advice[1].flag == "-j 4");  // 32 MiB each
  memory.budget_source = "--memory";
  advice = AdviseOnMachine(memory, 130 * kMiB, 2);
  REQUIRE(advice.size() == 1);
  CHECK(advice[0].flag == "-j 2");
  CHECK(AdviseOnMachine(memory, 0, 2)[0].flag == "-j 1");
}

TEST_CASE("where nothing is left to do, nothing is advised") {
  CHECK(AdviseOn({}, SomeMachine(300 * kMiB), 220 * kMiB).empty());
}
