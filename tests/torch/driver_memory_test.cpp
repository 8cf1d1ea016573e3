// Asking an NVIDIA driver for a card's memory, through libraries that stand in for its own; and telling
// LibTorch its limit.
#include "torch/driver_memory.h"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include "torch/allocator_cap.h"
#include "torch/driver/stand_in_state.h"

using namespace imgmill;

namespace {

constexpr size_t kMiB = size_t{1} << 20;
const DriverCard::Libraries kStandIn = {IMGMILL_DRIVER_STAND_IN, IMGMILL_DRIVER_STAND_IN};

/// The stand-in's state, as it is after loading.
StandInDriver& Driver() {
  static void* const library = ::dlopen(IMGMILL_DRIVER_STAND_IN, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library != nullptr);
  StandInDriver& driver = *reinterpret_cast<StandInDriverFn>(::dlsym(library, kStandInDriver))();
  driver = StandInDriver();
  driver.total = 81920 * kMiB;
  driver.context = 520 * kMiB;
  return driver;
}

}  // namespace

TEST_CASE("the driver tells what is free before there is a context, and what the context has taken after") {
  StandInDriver& driver = Driver();
  driver.neighbours = 81220 * kMiB;
  {
    const auto card = DriverCard::Find(0, kStandIn);
    REQUIRE(card != nullptr);
    const auto before = card->Ask();
    REQUIRE(before);
    CHECK(before->free == 700 * kMiB);
    CHECK(before->total == 81920 * kMiB);
    CHECK_FALSE(before->own);
    CHECK(driver.contexts == 0);
    REQUIRE(card->MakeContext().ok());
    REQUIRE(card->MakeContext().ok());  // once
    CHECK(driver.contexts == 1);
    const auto after = card->Ask();
    CHECK(after->free == 180 * kMiB);
    REQUIRE(after->own);
    CHECK(*after->own == 520 * kMiB);
    driver.tells_processes = false;  // as in many containers
    CHECK_FALSE(card->Ask()->own);
    CHECK(card->Ask()->free == 180 * kMiB);
    card->DropContext();
    CHECK(driver.contexts == 0);
  }
  CHECK(driver.inits == 0);
}

TEST_CASE("a context that the driver has no memory for is a refusal, and may be asked for again") {
  StandInDriver& driver = Driver();
  driver.neighbours = 81870 * kMiB;
  const auto card = DriverCard::Find(0, kStandIn);
  REQUIRE(card != nullptr);
  const Status refused = card->MakeContext();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::kOutOfMemory);
  driver.neighbours = 0;
  CHECK(card->MakeContext().ok());
}

TEST_CASE("where there is no such driver, or no such card, nobody is asked") {
  Driver();
  CHECK(DriverCard::Find(1, kStandIn) == nullptr);
  CHECK(DriverCard::Find(0, {"libimgmill-no-such.so.1", IMGMILL_DRIVER_STAND_IN}) == nullptr);
  CHECK(DriverCard::Find(0, {IMGMILL_DRIVER_STAND_IN, "libimgmill-no-such.so.1"}) == nullptr);
  CHECK(DriverCard::Find(0, {"libc.so.6", "libc.so.6"}) ==
        nullptr);  // a library, but without these functions
}

TEST_CASE("a limit is added to the user's own settings, rounded down") {
  // 256 MiB of 80 GiB are 1/320.
  CHECK(WithMemoryFraction("", 256.0 / 81920) == "per_process_memory_fraction:0.003125000");
  CHECK(WithMemoryFraction("max_split_size_mb:128", 1.0 / 3) ==
        "max_split_size_mb:128,per_process_memory_fraction:0.333333333");
  CHECK(WithMemoryFraction("", 2.0 / 3) == "per_process_memory_fraction:0.666666666");
  CHECK(WithMemoryFraction("", 1.5) == "per_process_memory_fraction:1.000000000");
  CHECK(WithMemoryFraction("", -1) == "per_process_memory_fraction:0.000000000");
}

TEST_CASE("a LibTorch without CUDA is told no limit: there is nobody who would read it") {
  CHECK_FALSE(CapAllocator(0.5));
}
