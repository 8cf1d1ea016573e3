// When a run stops trying its plan on a device, and when it tries it again.
#include "memory/settling.h"

#include <doctest/doctest.h>

namespace imgmill {
namespace {

const BatchLabel kWork = {"net", {4, 64, 64}, {1000, 0}};
const Attempt kOnCpu = {kCpuRung, 4, 64, Rung::kCpu};
const Attempt kHalf = {WorkPlace::Device(0), 2, 64, Rung::kHalfBatch};

void GoWrong(Settling& settling, int times, const Attempt& next) {
  for (int i = 0; i < times; ++i) settling.ChangedPlan(kWork, next);
}

}  // namespace

TEST_CASE("three in a row settle a kind of work; what goes well in between does not let it come to that") {
  Settling settling;
  GoWrong(settling, 2, kOnCpu);
  CHECK_FALSE(settling.Begin(kWork).lower);
  settling.WentWell(kWork);
  GoWrong(settling, 2, kOnCpu);
  CHECK_FALSE(settling.Begin(kWork).lower);
  GoWrong(settling, 1, kHalf);
  REQUIRE(settling.Begin(kWork).lower);
  CHECK(settling.Begin(kWork).lower->micro_batch == 2);  // what was found to work last
}

TEST_CASE(
    "the plan is tried again after 8 works, 16, 32, 64, and then every 64; once it goes well all is "
    "forgotten") {
  Settling settling;
  GoWrong(settling, 3, kOnCpu);
  for (const int wait : {8, 16, 32, 64, 64}) {
    CAPTURE(wait);
    for (int i = 0; i < wait; ++i) CHECK(settling.Begin(kWork).lower);
    const Settling::Start again = settling.Begin(kWork);
    CHECK_FALSE(again.lower);
    CHECK(again.again);
    GoWrong(settling, 1, kOnCpu);
  }
  settling.WentWell(kWork);
  const Settling::Start fresh = settling.Begin(kWork);
  CHECK_FALSE(fresh.lower);
  CHECK_FALSE(fresh.again);
  GoWrong(settling, 2, kOnCpu);
  CHECK_FALSE(settling.Begin(kWork).lower);
}

TEST_CASE(
    "what is expected to take less than all that went wrong, and work of another kind, keeps its plan") {
  Settling settling;
  GoWrong(settling, 3, kOnCpu);
  BatchLabel smaller = kWork;
  smaller.predicted = {999, 0};
  CHECK_FALSE(settling.Begin(smaller).lower);
  settling.WentWell(smaller);  // says nothing about the larger ones
  CHECK(settling.Begin(kWork).lower);
  BatchLabel other = kWork;
  other.work = "another net";
  CHECK_FALSE(settling.Begin(other).lower);
}

}  // namespace imgmill
