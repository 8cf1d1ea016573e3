// The manager as its callers see it: information, caches, devices' budgets, monitoring, advice.
#include "imgmill/memory/memory_manager.h"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "memory_fixture.h"

namespace imgmill {
namespace {

using memory_test::kResidentIsBlurred;
using memory_test::MustCreate;
using memory_test::WithRoom;

bool Within(int seconds, const std::function<bool()>& happens) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!happens()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

TEST_CASE("a budget below what the process holds is a usage error that names one that works") {
  MemoryOptions options;
  options.host_budget = kMiB;
  const auto refused = MemoryManager::Create(options);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::kUsage);
  const std::string& message = refused.error().message;
  const size_t flag = message.find("--memory ");
  REQUIRE(flag != std::string::npos);
  options.host_budget = (static_cast<size_t>(std::stoul(message.substr(flag + 9))) + 1) * kMiB;
  CHECK(MemoryManager::Create(options).ok());
}

TEST_CASE("info: what is fixed, what is left, what was leased at most") {
  auto manager = MustCreate(WithRoom(100 * kMiB));
  MemoryInfo info = manager->Info();
  CHECK(info.budget == manager->host_budget());
  CHECK(info.budget_source == "--memory");
  CHECK(info.system.total > 0);
  CHECK(info.fixed < info.budget);
  CHECK(info.budget - info.fixed > 90 * kMiB);
  const size_t reserve = info.budget - info.fixed - manager->LargestLease();
  CHECK(reserve >= 15 * kMiB);
  CHECK(reserve <= std::max(16 * kMiB, info.budget / 20));
  {
    auto a = manager->TryAcquire({30 * kMiB, 10 * kMiB});
    auto b = manager->TryAcquire({10 * kMiB, 0});
    info = manager->Info();
    CHECK(info.leased == 50 * kMiB);
    CHECK(info.leases_now == 2);
    CHECK(info.host.cap == info.budget - info.fixed - 10 * kMiB - reserve / 2);
  }
  info = manager->Info();
  CHECK(info.leased == 0);
  CHECK(info.peak_leased == 50 * kMiB);
  CHECK(info.host.cap == info.budget - info.fixed - reserve / 2);
  manager.reset();
  CHECK(HostPool().Stats().cap == SIZE_MAX);
}

TEST_CASE("usage counts what is fixed, charged and leased untracked") {
  auto manager = MustCreate(WithRoom(100 * kMiB));
  const auto budget = static_cast<double>(manager->host_budget());
  const double empty = manager->Usage();
  CHECK(empty == doctest::Approx(static_cast<double>(manager->Info().fixed) / budget));
  const Buffer buffer(HostPool(), 20 * kMiB);
  const auto lease = manager->TryAcquire({0, 30 * kMiB});
  CHECK(manager->Usage() == doctest::Approx(empty + 50.0 * kMiB / budget).epsilon(0.01));
}

TEST_CASE("what is loaded for good counts as fixed after a new baseline, in pools and outside") {
  if (kResidentIsBlurred) return;
  auto manager = MustCreate(WithRoom(200 * kMiB));
  const size_t before = manager->LargestLease();
  Buffer weights(HostPool(), 40 * kMiB);
  std::memset(weights.data(), 1, weights.size());
  std::vector<char> library(30 * kMiB, 1);
  manager->Rebaseline();
  // Without either it would be 30 or 40 MiB less.
  const size_t fixed = before - manager->LargestLease();
  CHECK(fixed > 58 * kMiB);
  CHECK(fixed < 82 * kMiB);
}

TEST_CASE("bytes that nobody can explain shrink admission while they last, and never stop it") {
  if (kResidentIsBlurred) return;
  MemoryOptions options = WithRoom(200 * kMiB);
  options.sample_ms = 5;
  auto manager = MustCreate(options);
  {
    auto first = manager->TryAcquire({kMiB, 0});
    REQUIRE(*first);
    std::vector<char> untracked(120 * kMiB, 1);
    CHECK(Within(60, [&] { return manager->Info().unexplained > 100 * kMiB; }));
    CHECK_FALSE(*manager->TryAcquire({100 * kMiB, 0}));
    CHECK(manager->Info().host.cap < 110 * kMiB);
    first->Release();
    // With no lease out, one is granted, and what was granted is honoured by the pool.
    auto alone = manager->TryAcquire({150 * kMiB, 0});
    CHECK(*alone);
    CHECK(manager->Info().host.cap >= 150 * kMiB);
  }
  CHECK(Within(60, [&] { return manager->Info().unexplained < 20 * kMiB; }));
  CHECK(manager->Info().peak_unexplained > 100 * kMiB);
}

TEST_CASE("host-backed devices take their budgets out of the host's") {
  auto manager = MustCreate(WithRoom(400 * kMiB));
  const size_t room = manager->Info().budget - manager->Info().fixed;
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", SIZE_MAX));
  CHECK(manager->Info().devices[0].budget == room / 2);
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:1", SIZE_MAX));
  CHECK(manager->device_count() == 2);
  CHECK(manager->Info().devices[0].budget == room / 3);
  CHECK(manager->Info().devices[1].budget == room / 3);
  CHECK(manager->device(0).pool()->Stats().cap == room / 3);
  CHECK(manager->LargestLease() < room / 3 + kMiB);
  CHECK(manager->DeviceRoom(1) == room / 3);
  const Buffer held(*manager->device(1).pool(), 50 * kMiB);
  CHECK(manager->DeviceRoom(1) < room / 3 - 50 * kMiB);
  CHECK(manager->DeviceRoom(0) == room / 3);

  auto other = MustCreate(WithRoom(400 * kMiB));
  other->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", SIZE_MAX), 100 * kMiB);
  CHECK(other->Info().devices[0].budget == 100 * kMiB);
  CHECK(other->Info().warnings.empty());
  // Together more than there is: scaled down, and said.
  other->AddDevice(std::make_unique<HostBackedDevice>("cpu:1", SIZE_MAX), 900 * kMiB);
  CHECK(other->LargestLease() > 50 * kMiB);
  CHECK(other->Info().warnings.size() == 2);
}

/// A device of whose memory only numbers are known.
struct NumbersOnly final : Device {
  explicit NumbersOnly(DeviceStats stats) : numbers(stats) {}
  std::string name() const override { return "xpu:0"; }
  bool host_backed() const override { return false; }
  DeviceStats Stats() const override { return numbers; }
  void ResetPeak() override {}
  size_t EmptyCache() noexcept override { return 0; }
  Status Synchronize() noexcept override { return {}; }
  Status Canary() noexcept override { return {}; }
  DeviceStats numbers;
};

TEST_CASE("room on a real device: the budget, and what the driver says is free") {
  auto manager = MustCreate(WithRoom(64 * kMiB));
  DeviceStats stats;
  stats.total = 3300 * kMiB;
  stats.free = 2000 * kMiB;
  stats.reserved = 600 * kMiB;
  stats.allocated = 400 * kMiB;
  // Reserve: a 33rd of the total is less than 128 MiB.
  manager->AddDevice(std::make_unique<NumbersOnly>(stats));
  CHECK(manager->Info().devices[0].budget == 2472 * kMiB);
  CHECK(manager->DeviceRoom(0) == 2072 * kMiB);
  manager->AddDevice(std::make_unique<NumbersOnly>(stats), 1000 * kMiB);
  CHECK(manager->DeviceRoom(1) == 600 * kMiB);
  // Another process has taken nearly all in the meantime.
  static_cast<NumbersOnly&>(manager->device(1)).numbers.free = 100 * kMiB;
  CHECK(manager->DeviceRoom(1) == 172 * kMiB);

  stats.known = false;
  manager->AddDevice(std::make_unique<NumbersOnly>(stats));
  CHECK(manager->DeviceRoom(2) <= 512 * kMiB);
  CHECK(manager->Info().warnings.size() == 1);
}

size_t CachedAfterBatch(const std::string& policy, const std::optional<BatchShape>& next) {
  MemoryOptions options = WithRoom(200 * kMiB);
  options.cache = policy;
  auto manager = MustCreate(options);
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 64 * kMiB));
  Pool::Free(manager->device(0).pool()->Allocate(10 * kMiB));
  manager->BatchDone(WorkPlace::Device(0), {4, 256, 256}, next);
  return manager->device(0).pool()->Stats().cached;
}

TEST_CASE("cache policies: auto keeps for an equal shape, every keeps never, never keeps always") {
  const BatchShape same{4, 256, 256};
  const BatchShape other{4, 256, 128};
  CHECK(CachedAfterBatch("auto", same) > 0);
  CHECK(CachedAfterBatch("auto", other) == 0);
  CHECK(CachedAfterBatch("auto", std::nullopt) == 0);
  CHECK(CachedAfterBatch("every", same) == 0);
  CHECK(CachedAfterBatch("never", other) > 0);
}

TEST_CASE("auto clears once when the threshold is crossed, not after every full batch") {
  auto manager = MustCreate(WithRoom(300 * kMiB));
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 64 * kMiB));
  Pool& pool = *manager->device(0).pool();
  const BatchShape shape{4, 256, 256};
  for (int i = 0; i < 5; ++i) {
    Pool::Free(pool.Allocate(60 * kMiB));
    manager->BatchDone(WorkPlace::Device(0), shape, shape);
    CHECK((pool.Stats().cached == 0) == (i == 0));
  }
  CHECK(manager->Info().clears == 1);
  CHECK(manager->Info().clear_ms > 0);
}

TEST_CASE("auto does not clear so often that it would cost more than it is worth") {
  const auto start = std::chrono::steady_clock::now();  // no later than the manager's own
  auto manager = MustCreate(WithRoom(300 * kMiB));
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 64 * kMiB));
  Pool& pool = *manager->device(0).pool();
  double longest_ms = 0;
  std::chrono::duration<double, std::milli> run{0};
  while (run.count() < 300) {
    Buffer batch(pool, 2 * kMiB);
    std::memset(batch.data(), 1, batch.size());
    batch = {};
    const double before = manager->Info().clear_ms;
    manager->BatchDone(WorkPlace::Device(0), {1, 64, 64}, BatchShape{1, 64, 65});
    longest_ms = std::max(longest_ms, manager->Info().clear_ms - before);
    run = std::chrono::steady_clock::now() - start;
  }
  const MemoryInfo info = manager->Info();
  CHECK(info.clears >= 1);
  // 0.2 % of what the manager has lived, and the one clear that crossed it.
  CHECK(info.clear_ms <= 0.002 * run.count() + longest_ms);
}

TEST_CASE("collect acts from the threshold on") {
  MemoryOptions options = WithRoom(200 * kMiB);
  auto manager = MustCreate(options);
  CHECK(manager->Usage() < 0.8);
  Pool::Free(HostPool().Allocate(kMiB));
  CHECK(manager->CollectIfAbove() == 0);
  // As much as takes usage to 0.85.
  const auto more =
      static_cast<size_t>((0.85 - manager->Usage()) * static_cast<double>(manager->host_budget()));
  Pool::Free(HostPool().Allocate(more));
  CHECK(manager->Usage() >= 0.8);
  CHECK(manager->CollectIfAbove() >= more);
  CHECK(manager->Usage() < 0.8);
}

TEST_CASE("work that keeps 64 KiB each time is named, and only once") {
  if (kResidentIsBlurred) return;
  struct Keeping final : LadderWork {
    Status Run(const Attempt&) override {
      kept.emplace_back(64 * kKiB, 1);
      return {};
    }
    BatchLabel label() const override { return {"keeping", {1, 10, 10}, {kMiB, 0}}; }
    std::vector<std::vector<char>> kept;
  };
  auto manager = MustCreate(WithRoom(300 * kMiB));
  Keeping work;
  const StopFlag stop;
  for (int i = 0; i < 1000; ++i) CHECK(manager->Guarded(work, kHostWork, stop).status.ok());
  const std::vector<std::string> warnings = manager->Info().warnings;
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].starts_with("keeping may leak"));
}

}  // namespace
}  // namespace imgmill
