// Several parts of the CPU as devices: each gets its share of the threads, and a pool of its own.
#include "networks/device_slots.h"

#include "torch/doctest_beside_torch.h"

using namespace imgmill;

namespace {

std::vector<int> Threads(int threads, const std::string& spec) {
  MemoryOptions options;
  options.host_budget = size_t{1} << 30;
  auto manager = MemoryManager::Create(options);
  REQUIRE(manager.ok());
  DeviceSlots slots(threads);
  const auto choices = ParseDevices(spec, {}, "libtorch");
  REQUIRE(choices.ok());
  const Result<int> added = slots.Add(**manager, *choices, 0, nullptr);
  REQUIRE(added.ok());
  std::vector<int> found;
  const auto all = slots.All();
  REQUIRE(all.size() == static_cast<size_t>(*added) + 1);  // the host first
  for (int index = 0; index < *added; ++index) {
    const auto& slot = all[static_cast<size_t>(index) + 1];
    REQUIRE(slot->place == WorkPlace::Device(index));
    CHECK(slot->pool == (*manager)->device(index).pool());
    found.push_back(slot->team->threads());
  }
  return found;
}

}  // namespace

TEST_CASE("devices of the CPU share its threads, what is left over goes to the first") {
  CHECK(Threads(6, "cpu") == std::vector<int>{6});
  CHECK(Threads(6, "cpu:0") == std::vector<int>{6});
  CHECK(Threads(6, "cpu:0,cpu:1") == std::vector<int>{3, 3});
  CHECK(Threads(5, "cpu:0,cpu:1") == std::vector<int>{3, 2});
  CHECK(Threads(7, "cpu,cpu:0,cpu:1") == std::vector<int>{3, 2, 2});
  CHECK(Threads(1, "cpu:0,cpu:1") == std::vector<int>{1, 1});  // none has less than one
}
