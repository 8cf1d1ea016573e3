// Refusals that are not told: swallowed by the work, met on another thread, or made by the kernel while the
// budget would have allowed more.
#include <sys/mman.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "memory_fixture.h"
#include "tile_work.h"

namespace imgmill {
namespace {

using memory_test::kResidentIsBlurred;
using memory_test::MustCreate;
using memory_test::OneDevice;
using memory_test::TileWork;
using memory_test::WithRoom;

/// Turns what the pool throws into something that says nothing of memory.
struct Swallowing final : LadderWork {
  enum class As { kModelError, kException, kOnAnotherThread };

  Swallowing(TileWork& inner_in, As as_in) : inner(inner_in), as(as_in) {}
  Status Run(const Attempt& attempt) override {
    if (as == As::kOnAnotherThread) {
      Status status;
      std::thread([&] { status = Tried(attempt); }).join();
      return status;
    }
    return Tried(attempt);
  }
  Status Tried(const Attempt& attempt) {
    try {
      return inner.Run(attempt);
    } catch (const std::bad_alloc&) {
    }
    if (as == As::kException) throw std::runtime_error("aoti_torch_empty_strided(...) API call failed");
    return Error{Stage::kCompute, Code::kModelError, "the operator failed"};
  }
  int planned_micro_batch() const override { return inner.planned_micro_batch(); }
  int planned_tile() const override { return inner.planned_tile(); }
  bool has_cpu_rung() const override { return inner.has_cpu_rung(); }

  TileWork& inner;
  const As as;
};

/// Keeps the process's address space from growing by more than `bytes`, as `ulimit -v` does.
class AddressSpaceLimit {
 public:
  explicit AddressSpaceLimit(size_t bytes) {
    REQUIRE(getrlimit(RLIMIT_AS, &before_) == 0);
    rlimit tight = before_;
    tight.rlim_cur = ReadProcessMemory().address_space + bytes;
    REQUIRE(setrlimit(RLIMIT_AS, &tight) == 0);
  }
  ~AddressSpaceLimit() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("a refusal that the work swallows is counted by the allocator, and the ladder continues") {
  using As = Swallowing::As;
  for (const As as : {As::kModelError, As::kException, As::kOnAnotherThread}) {
    CAPTURE(static_cast<int>(as));
    OneDevice one(5 * kMiB);
    TileWork inner(*one.manager, 20, 16, 512, 4);
    Swallowing work(inner, as);
    const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
    CHECK(outcome.status.ok());
    CHECK(outcome.rung == Rung::kHalfBatch);
    CHECK(inner.attempts.back().micro_batch == 4);  // 4 of 1 MiB in 5; 8 did not
    CHECK(inner.EachOnce());
  }
}

TEST_CASE("the count tells only of refusals meanwhile: an error without one is not taken for shortage") {
  OneDevice one(kMiB);
  CHECK_THROWS_AS(Buffer(*one.device->pool(), 2 * kMiB), OutOfMemory);  // before, and nobody's
  TileWork fits(*one.manager, 1, 1, 128, 4);
  CHECK(one.manager->Guarded(fits, WorkPlace::Device(0), one.stop).status.ok());
  struct Broken final : LadderWork {
    Status Run(const Attempt&) override {
      ++attempts;
      return Error{Stage::kCompute, Code::kModelError, "no such layer"};
    }
    bool has_cpu_rung() const override { return false; }
    int attempts = 0;
  };
  Broken second;
  TileWork refused_once(*one.manager, 1, 1, 128, 4);
  one.device->pool()->RefuseAllocation(1);
  CHECK(one.manager->Guarded(refused_once, WorkPlace::Device(0), one.stop).rung == Rung::kSameSize);
  const LadderOutcome outcome = one.manager->Guarded(second, WorkPlace::Device(0), one.stop);
  REQUIRE_FALSE(outcome.status.ok());
  CHECK(outcome.status.error().code == Code::kModelError);
  CHECK(second.attempts == 2);  // once more, as for any error of a device
  CHECK(one.manager->Info().devices[0].errors[0].count == 2);
}

TEST_CASE("same size after fragmentation: pages that another pool keeps in pieces go back to the kernel") {
  if (kResidentIsBlurred) return;  // a sanitizer's shadow cannot live under such a limit
  OneDevice one(64 * kMiB);
  std::vector<Buffer> pieces;
  for (int i = 0; i < 16; ++i) pieces.emplace_back(HostPool(), 4 * kMiB);
  for (size_t i = 0; i < pieces.size(); i += 2) pieces[i] = {};  // 32 MiB free, in eight pieces
  CHECK(HostPool().Stats().cached >= 32 * kMiB);
  const AddressSpaceLimit limit(4 * kMiB);
  TileWork work(*one.manager, 1, 1, 1024, 24);
  const LadderOutcome outcome = one.manager->Guarded(work, WorkPlace::Device(0), one.stop);
  CHECK_MESSAGE(outcome.status.ok(), (outcome.status.ok() ? "" : outcome.status.error().message));
  CHECK(outcome.rung == Rung::kSameSize);
  CHECK(outcome.attempts == 2);
  CHECK(HostPool().Stats().cached < 32 * kMiB);
}

TEST_CASE("same size after a neighbour let go, which the pools know nothing of") {
  if (kResidentIsBlurred) return;
  auto manager = MustCreate(WithRoom(256 * kMiB));
  const StopFlag stop;
  constexpr size_t kHeld = 128 * kMiB;
  void* const held =
      mmap(nullptr, kHeld, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(held != MAP_FAILED);
  std::atomic<bool> refused{false};
  std::jthread neighbour([&] {
    while (!refused) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    munmap(held, kHeld);
  });
  const AddressSpaceLimit limit(4 * kMiB);
  // The host's own work has no other rung than to wait: longer than the pauses between two tries on a device.
  TileWork work(*manager, 1, 1, 1024, 64);
  work.refused = [&] { refused = true; };
  const LadderOutcome outcome = manager->Guarded(work, kHostWork, stop);
  CHECK_MESSAGE(outcome.status.ok(), (outcome.status.ok() ? "" : outcome.status.error().message));
  CHECK(outcome.rung == Rung::kSameSize);
  CHECK(outcome.attempts > 2);
}

TEST_CASE("what never fits into the budget is not waited for") {
  auto manager = MustCreate(WithRoom(64 * kMiB));
  TileWork work(*manager, 1, 1, 1024, 1024);  // 1 GiB
  bool at_once = false;
  // A machine that stands still for seconds does so once, but not three times.
  for (int i = 0; i < 3 && !at_once; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const LadderOutcome outcome = manager->Guarded(work, kHostWork, StopFlag());
    at_once =
        std::chrono::steady_clock::now() - start < std::chrono::seconds(3);  // as long as would be waited
    REQUIRE_FALSE(outcome.status.ok());
    CHECK(outcome.rung == Rung::kRecordedFailure);
    CHECK(outcome.attempts == 2);
  }
  CHECK(at_once);
}

}  // namespace imgmill
