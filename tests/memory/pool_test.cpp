// The pool against real pages: what is charged is resident, what is cleared is gone, the cap holds.
#include "imgmill/memory/pool.h"

#include <sys/resource.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <random>
#include <thread>
#include <vector>

#include "imgmill/memory/out_of_memory.h"
#include "memory_fixture.h"

namespace imgmill {
namespace {

using memory_test::kResidentIsBlurred;

TEST_CASE("blocks of every size are aligned, apart from each other and hold what is written") {
  Pool pool("test", SIZE_MAX);
  std::vector<std::pair<uint8_t*, size_t>> blocks;
  for (const size_t bytes :
       std::initializer_list<size_t>{0, 1, 63, 64, 65, 4096, 32767, 32768, 32769, 100000, 1 << 20, 5 << 20}) {
    for (int copy = 0; copy < 3; ++copy) {
      auto* block = static_cast<uint8_t*>(pool.Allocate(bytes));
      CHECK(reinterpret_cast<uintptr_t>(block) % 64 == 0);
      std::memset(block, static_cast<int>(blocks.size()), bytes);
      blocks.emplace_back(block, bytes);
    }
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto [block, bytes] = blocks[i];
    for (size_t k = 0; k < bytes; k += 997) REQUIRE(block[k] == i);
    if (bytes > 0) CHECK(block[bytes - 1] == i);
    Pool::Free(block);
  }
  const PoolStats stats = pool.Stats();
  CHECK(stats.live == 0);
  CHECK(stats.allocations == 36);
  CHECK(stats.frees == 36);
  CHECK(stats.charged == stats.cached);
}

TEST_CASE("what is charged is what is resident, and a cleared cache gives it back") {
  if (kResidentIsBlurred) return;
  Pool pool("test", SIZE_MAX);
  const size_t before = ReadProcessMemory().resident;
  std::vector<void*> blocks;
  std::mt19937 random(1);
  for (int i = 0; i < 60; ++i) {
    const size_t bytes = 40 * kKiB + random() % (4 * kMiB);
    blocks.push_back(pool.Allocate(bytes));
    std::memset(blocks.back(), 1, bytes);
  }
  const auto resident = [&] {
    return static_cast<double>(ReadProcessMemory().resident) - static_cast<double>(before);
  };
  // The kernel's own count, to 10 MiB: it adds up pages in batches for each CPU, and may make huge ones of
  // them. 120 are charged here, of which half are freed.
  const auto as_charged = [&] {
    return std::abs(resident() - static_cast<double>(pool.Stats().charged)) < 10.0 * kMiB;
  };
  CHECK(as_charged());
  for (size_t i = 0; i < blocks.size(); i += 2) Pool::Free(blocks[i]);
  CHECK(as_charged());
  CHECK(pool.Stats().cached > pool.Stats().charged / 3);
  const size_t cached = pool.Stats().cached;
  CHECK(pool.ClearCache() == cached);
  CHECK(pool.Stats().cached == 0);
  CHECK(as_charged());
  for (size_t i = 1; i < blocks.size(); i += 2) Pool::Free(blocks[i]);
  pool.ClearCache();
  CHECK(pool.Stats().charged == 0);
  CHECK(resident() < 10.0 * kMiB);
}

TEST_CASE("freed neighbours join, so that one large block fits where small ones were") {
  Pool pool("test", SIZE_MAX);
  void* const large = pool.Allocate(8 * kMiB);
  Pool::Free(large);
  std::vector<void*> parts;
  for (int i = 0; i < 8; ++i) parts.push_back(pool.Allocate(kMiB - 4096));
  CHECK(pool.Stats().maps == 1);
  std::swap(parts[1], parts[6]);
  for (void* part : parts) Pool::Free(part);
  void* const again = pool.Allocate(8 * kMiB);
  CHECK(again == large);
  CHECK(pool.Stats().maps == 1);
  Pool::Free(again);
}

TEST_CASE("the cap is never exceeded; the cache goes before anything is refused") {
  Pool pool("test", 10 * kMiB);
  void* const a = pool.Allocate(4 * kMiB);
  void* const b = pool.Allocate(4 * kMiB);
  try {
    pool.Allocate(4 * kMiB);
    FAIL("12 MiB in a pool of 10");
  } catch (const OutOfMemory& refused) {
    CHECK(std::string(refused.what()).find("out of memory in pool test: 4 MiB asked for") == 0);
  }
  CHECK(pool.Stats().refusals == 1);
  Pool::Free(a);
  Pool::Free(b);
  CHECK(pool.Stats().cached > 8 * kMiB);
  void* const c = pool.Allocate(9 * kMiB);
  CHECK(pool.Stats().charged <= 10 * kMiB);
  CHECK(pool.Stats().peak_charged <= 10 * kMiB);
  Pool::Free(c);
  // Small blocks are charged too.
  std::vector<void*> small;
  CHECK_THROWS_AS(for (int i = 0; i < 2000; ++i) small.push_back(pool.Allocate(8 * kKiB)), OutOfMemory);
  CHECK(small.size() > 1200);
  CHECK(pool.Stats().charged <= 10 * kMiB);
  for (void* block : small) Pool::Free(block);
  CHECK(pool.Stats().charged == pool.Stats().cached);
}

TEST_CASE("a lowered cap takes the cache but no live block") {
  Pool pool("test", SIZE_MAX);
  void* const kept = pool.Allocate(4 * kMiB);
  std::memset(kept, 7, 4 * kMiB);
  Pool::Free(pool.Allocate(6 * kMiB));
  pool.SetCap(5 * kMiB);
  CHECK(pool.Stats().charged <= 5 * kMiB);
  pool.SetCap(kMiB);
  CHECK(pool.Stats().cached == 0);
  CHECK(pool.Stats().live == 4 * kMiB);
  CHECK(static_cast<uint8_t*>(kept)[4 * kMiB - 1] == 7);
  CHECK_THROWS_AS(pool.Allocate(1), OutOfMemory);
  Pool::Free(kept);
  pool.SetCap(SIZE_MAX);
  Pool::Free(pool.Allocate(100));
}

TEST_CASE("a lower cap gives up only what is beyond it") {
  Pool pool("test", SIZE_MAX);
  Pool::Free(pool.Allocate(9 * kMiB));
  pool.SetCap(4 * kMiB);
  CHECK(pool.Stats().cached <= 4 * kMiB);
  CHECK(pool.Stats().cached > 3 * kMiB);
}

TEST_CASE("the k-th allocation is refused, large or small, and nothing leaks for any k") {
  uint64_t reached = 0;
  for (uint64_t k = 1; k <= 40; ++k) {
    Pool pool("test", SIZE_MAX);
    pool.RefuseAllocation(k);
    uint64_t made = 0;
    try {
      std::vector<Buffer> held;
      for (int i = 0; i < 20; ++i) {
        held.emplace_back(pool, i % 2 == 0 ? 100 : kMiB);
        ++made;
      }
    } catch (const OutOfMemory&) {
      CHECK(made == k - 1);
      CHECK(pool.Stats().refusals == 1);
      reached = k;
    }
    const PoolStats stats = pool.Stats();
    CHECK(stats.live == 0);
    CHECK(stats.allocations == stats.frees);
    pool.ClearCache();
    CHECK(pool.Stats().charged == 0);
  }
  CHECK(reached == 20);
}

TEST_CASE("refusals at random come as often as asked, and equally for equal seeds") {
  const auto refused = [](uint64_t seed) {
    Pool pool("test", SIZE_MAX);
    pool.RefuseAtRandom(0.25, seed);
    std::vector<int> which;
    for (int i = 0; i < 4000; ++i) {
      try {
        Pool::Free(pool.Allocate(64));
      } catch (const OutOfMemory&) {
        which.push_back(i);
      }
    }
    return which;
  };
  const auto first = refused(1);
  // Binomial: 1000 expected, standard deviation 27; five of them either way.
  CHECK(first.size() > 860);
  CHECK(first.size() < 1140);
  CHECK(first == refused(1));
  CHECK(first != refused(2));
}

TEST_CASE("thrift: a pool holds little more than its work needs, and forgets an early giant") {
  Pool pool("test", SIZE_MAX);
  Pool::Free(pool.Allocate(64 * kMiB));
  std::mt19937 random(3);
  std::vector<Buffer> held(16);
  for (int i = 0; i < 4000; ++i) {
    const size_t bytes = 64 * kKiB + random() % (2 * kMiB);
    held[random() % held.size()] = {};
    held[random() % held.size()] = Buffer(pool, bytes);
    if (i == 2000) pool.ResetPeak();
  }
  const PoolStats stats = pool.Stats();
  CHECK(stats.charged >= stats.live);
  CHECK(static_cast<double>(stats.peak_charged) < 1.25 * static_cast<double>(stats.peak_live) + 8.0 * kMiB);
  CHECK(stats.maps < 1000);
}

TEST_CASE("the kernel's refusal (RLIMIT_AS) is a refusal like any other") {
  if (kResidentIsBlurred) return;  // sanitizers reserve terabytes of addresses
  Pool pool("test", SIZE_MAX);
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_AS, &old) == 0);
  Pool::Free(pool.Allocate(32 * kMiB));
  rlimit tight = old;
  tight.rlim_cur = ReadProcessMemory().address_space + 24 * kMiB;
  REQUIRE(setrlimit(RLIMIT_AS, &tight) == 0);
  CHECK(ReadAddressSpaceLimit() == tight.rlim_cur);
  // 24 MiB are left and 32 cached: only without the cache do 48 fit.
  void* block = nullptr;
  CHECK_NOTHROW(block = pool.Allocate(48 * kMiB));
  CHECK_THROWS_AS(pool.Allocate(48 * kMiB), OutOfMemory);
  REQUIRE(setrlimit(RLIMIT_AS, &old) == 0);
  Pool::Free(block);
  CHECK(pool.Stats().live == 0);
}

TEST_CASE("a block goes back to the pool it came from, whatever the current one is") {
  Pool device("cpu:0", SIZE_MAX);
  const size_t host_live = HostPool().Stats().live;
  Buffer buffer;
  {
    const PoolScope scope(device);
    CHECK(&CurrentPool() == &device);
    buffer = Buffer(kMiB);
    std::thread([&] { CHECK(&CurrentPool() == &HostPool()); }).join();
  }
  CHECK(&CurrentPool() == &HostPool());
  CHECK(device.Stats().live == kMiB);
  CHECK(HostPool().Stats().live == host_live);
  buffer = {};
  CHECK(device.Stats().live == 0);
}

TEST_CASE("a block may outlive its pool") {
  auto pool = std::make_unique<Pool>("short-lived", SIZE_MAX);
  void* const small = pool->Allocate(100);
  void* const large = pool->Allocate(kMiB);
  pool.reset();
  std::memset(large, 1, kMiB);
  Pool::Free(large);
  Pool::Free(small);
}

TEST_CASE("many threads, one pool: the books are right at the end and the cap held throughout") {
  Pool pool("test", 8 * kMiB);
  std::atomic<uint64_t> refused{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      std::vector<Buffer> held(4);
      for (int i = 0; i < 1500; ++i) {
        try {
          const size_t bytes = random() % 3 == 0 ? random() % 30000 : random() % (2 * kMiB);
          Buffer& slot = held[random() % held.size()];
          slot = Buffer(pool, bytes);
          if (bytes > 0) slot.data()[bytes / 2] = static_cast<uint8_t>(t);
        } catch (const OutOfMemory&) {
          ++refused;
        }
        if (random() % 200 == 0) pool.ClearCache();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const PoolStats stats = pool.Stats();
  CHECK(stats.live == 0);
  CHECK(stats.allocations == stats.frees);
  CHECK(stats.refusals == refused);
  CHECK(refused > 0);
  CHECK(stats.peak_charged <= 8 * kMiB);
  CHECK(stats.charged == stats.cached);
}

}  // namespace
}  // namespace imgmill
