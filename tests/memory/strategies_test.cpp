// The strategies by name, each against what its description says.
#include "imgmill/memory/strategies.h"

#include "memory_fixture.h"

namespace imgmill {
namespace {

TEST_CASE("strategies are found by their names, and by no others") {
  for (const std::string& name : CacheStrategyNames()) {
    const auto made = MakeCacheStrategy(name);
    REQUIRE(made != nullptr);
    CHECK(made->name() == name);
  }
  for (const std::string& name : BatchSizingNames()) {
    const auto made = MakeBatchSizing(name);
    REQUIRE(made != nullptr);
    CHECK(made->name() == name);
  }
  CHECK(MakeCacheStrategy("sometimes") == nullptr);
  CHECK(MakeBatchSizing("") == nullptr);
  MemoryOptions options;
  options.cache = "sometimes";
  const auto manager = MemoryManager::Create(options);
  REQUIRE_FALSE(manager.ok());
  CHECK(manager.error().code == Code::kUsage);
}

TEST_CASE("cache strategies clear when they say so") {
  BatchMoment dull;
  dull.done = {1, 100, 100};
  dull.next = dull.done;
  dull.run_ms = 1000;
  BatchMoment changed = dull;
  changed.next = BatchShape{1, 200, 100};
  BatchMoment costly = changed;
  costly.clear_ms = 10;  // 1 % of the run went into clearing already
  BatchMoment crossing = dull;
  crossing.crossed = true;
  const auto clears = [&](const char* name) {
    const auto strategy = MakeCacheStrategy(name);
    return std::vector<bool>{strategy->ClearAfter(dull), strategy->ClearAfter(changed),
                             strategy->ClearAfter(costly), strategy->ClearAfter(crossing)};
  };
  CHECK(clears("auto") == std::vector<bool>{false, true, false, true});
  CHECK(clears("every") == std::vector<bool>{true, true, true, true});
  CHECK(clears("never") == std::vector<bool>{false, false, false, false});
  CHECK(clears("pressure") == std::vector<bool>{false, false, false, true});
}

TEST_CASE("batches in flight leave half of the room to the images, one is always allowed") {
  const auto fit = MakeBatchSizing("fit");
  CHECK(fit->InFlight({10 * kMiB, 4, 100 * kMiB}) == 4);
  CHECK(fit->InFlight({10 * kMiB, 8, 100 * kMiB}) == 4);
  CHECK(fit->InFlight({30 * kMiB, 8, 100 * kMiB}) == 1);
  CHECK(fit->InFlight({900 * kMiB, 8, 100 * kMiB}) == 1);
  CHECK(MakeBatchSizing("single")->InFlight({1, 8, 100 * kMiB}) == 1);
}

}  // namespace
}  // namespace imgmill
