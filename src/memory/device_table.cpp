// Sharing out budgets, and reading room from statistics that may be missing.
#include "memory/device_table.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "imgmill/base/byte_size.h"

namespace imgmill {
namespace {

/// Where a device cannot tell what is free, half a gibibyte is what nearly any has.
constexpr size_t kBlindBudget = 512 * kMiB;

size_t Less(size_t from, size_t what) {
  return from - std::min(from, what);
}

/// Of a card, less than this is no use beside the context.
constexpr size_t kLeastForWork = 32 * kMiB;

/// What this process holds there, and what is free for it. A context that is still to be made is in what is
/// free.
size_t Reachable(const ManagedDevice& slot, const DeviceStats& stats) {
  return stats.free + stats.reserved + (slot.awake ? stats.context : 0);
}

/// Left free on a card of so many bytes, for its driver, other contexts and fragmentation.
size_t LeftFree(size_t total) {
  return std::max(128 * kMiB, total / 33);
}

/// Left free as things are: of a card that others have nearly filled not the larger part of the rest.
size_t DeviceReserve(const ManagedDevice& slot, const DeviceStats& stats) {
  return std::min(LeftFree(stats.total), Reachable(slot, stats) / 5);
}

}  // namespace

int DeviceTable::Add(std::unique_ptr<Device> device, size_t budget) {
  std::lock_guard lock(mutex_);
  ManagedDevice& slot = slots_.emplace_back();
  slot.device = std::move(device);
  slot.refusals_seen = slot.device->Stats().out_of_memory_count;
  Pool* const pool = slot.device->pool();
  slot.shares_host_pool = slot.device->host_backed() && (pool == nullptr || pool == &HostPool());
  slot.partition_of_host = slot.device->host_backed() && !slot.shares_host_pool;
  slot.asked = budget;
  if (slot.partition_of_host) {
    const size_t cap = pool->Stats().cap;
    if (cap != SIZE_MAX) slot.asked = budget == 0 ? cap : std::min(cap, budget);
  } else if (!slot.shares_host_pool) {
    if (slot.device->Stats().known) SetFreeBudget(slot);  // else it may tell once it is awake
  }
  slot.awake = slot.device->host_backed();
  return static_cast<int>(slots_.size()) - 1;
}

void DeviceTable::WarnOnce(std::string text) {
  if (std::find(warned_.begin(), warned_.end(), text) != warned_.end()) return;
  warned_.push_back(text);
  warnings_.push_back(std::move(text));
}

void DeviceTable::SetFreeBudget(ManagedDevice& slot) {
  const DeviceStats stats = slot.device->Stats();
  slot.context = stats.context;
  if (!stats.known) {
    slot.budget = slot.asked != 0 ? slot.asked : kBlindBudget;
    if (slot.asked == 0) {
      WarnOnce(slot.device->name() + " does not report how much memory is free; " +
               FormatByteSize(kBlindBudget) + " is assumed (set --device-memory)");
    }
    return;
  }
  const size_t most = Less(Reachable(slot, stats), DeviceReserve(slot, stats));
  slot.budget = slot.asked != 0 ? std::min(slot.asked, most) : most;
  if (slot.asked > most) {
    WarnOnce("--device-memory " + FormatByteSize(slot.asked) + " is more than is free on " +
             slot.device->name() + ": lowered to " + FormatByteSize(most));
  }
}

void DeviceTable::Refresh(ManagedDevice& slot) {
  const std::lock_guard lock(mutex_);
  if (slot.device->host_backed() || slot.lost) return;
  const size_t before = slot.budget;
  SetFreeBudget(slot);
  slot.budget = std::max(before, slot.budget.load());
}

Status DeviceTable::Wake(ManagedDevice& slot) {
  if (slot.awake) return {};
  const std::lock_guard one_at_a_time(slot.waking);
  if (slot.awake) return {};
  const DeviceStats asleep = slot.device->Stats();
  if (asleep.known) Refit(slot);
  // A context that does not fit is not made: it would be beyond the budget by itself.
  if (asleep.known && slot.budget < asleep.context + kLeastForWork) return TooLittle(slot, asleep.context);
  size_t most = slot.asked != 0 ? slot.budget.load() : SIZE_MAX;
  // Unless a budget was asked for, what others give back may be used later on.
  if (slot.asked == 0 && asleep.known) most = Less(asleep.total, LeftFree(asleep.total));
  const Status woken = slot.device->Wake(most);
  if (!woken && woken.error().code == Code::kOutOfMemory)
    return TooLittle(slot, slot.device->Stats().context);
  if (!woken) {
    const std::lock_guard lock(mutex_);
    WarnOnce(slot.device->name() + " cannot be used: " + woken.error().message + " (the CPU does the work)");
    return woken;
  }
  slot.awake = true;
  const DeviceStats awake = slot.device->Stats();
  slot.refusals_seen = awake.out_of_memory_count;
  Refit(slot);
  if (slot.asked != 0 && !awake.capped) {
    const std::lock_guard lock(mutex_);
    WarnOnce("nothing but the plan keeps " + slot.device->name() + " from taking more than --device-memory " +
             FormatByteSize(slot.asked) + ": its allocator takes no limit");
  }
  return {};
}

void DeviceTable::Refit(ManagedDevice& slot) {
  const std::lock_guard lock(mutex_);
  SetFreeBudget(slot);
}

Error DeviceTable::TooLittle(const ManagedDevice& slot, size_t context) {
  const std::string name = slot.device->name();
  const std::string needs = "of which the driver's context takes " + FormatByteSize(context);
  std::string warning = name + " has " + FormatByteSize(slot.budget) + " to spare, " + needs +
                        ": the CPU does the work until more is free";
  if (slot.asked != 0 && slot.asked < context + kLeastForWork) {
    warning = "--device-memory " + FormatByteSize(slot.asked) + " is too little for " + name + ", " + needs +
              ": the CPU does the work (use --device-memory " +
              std::to_string((context + 8 * kLeastForWork) / kMiB) + "MiB or more)";
  }
  const std::lock_guard lock(mutex_);
  WarnOnce(std::move(warning));
  return {Stage::kCompute, Code::kOutOfMemory,
          name + " may hold " + FormatByteSize(slot.budget) + ", " + needs};
}

bool DeviceTable::AnyOnHost() const {
  std::lock_guard lock(mutex_);
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const ManagedDevice& slot) { return slot.device->host_backed(); });
}

int DeviceTable::count() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(slots_.size());
}

ManagedDevice& DeviceTable::At(int index) const {
  std::lock_guard lock(mutex_);
  return slots_.at(static_cast<size_t>(index));
}

size_t DeviceTable::ShareOut(size_t room) {
  std::lock_guard lock(mutex_);
  size_t asked = 0;
  size_t sharers = 1;
  for (const ManagedDevice& slot : slots_) {
    if (!slot.partition_of_host) continue;
    asked += slot.asked;
    if (slot.asked == 0) ++sharers;
  }
  const size_t most = room / 4 * 3;
  const double scale = asked > most ? static_cast<double>(most) / static_cast<double>(asked) : 1;
  const size_t share = Less(room, asked) / sharers;
  size_t partitioned = 0;
  for (ManagedDevice& slot : slots_) {
    if (!slot.partition_of_host) continue;
    const size_t budget =
        slot.asked == 0 ? share : static_cast<size_t>(static_cast<double>(slot.asked) * scale);
    if (scale < 1 && slot.asked != 0 && slot.budget != budget) {
      warnings_.push_back("the budget of " + slot.device->name() + " is lowered to " +
                          FormatByteSize(budget) + ": it is host memory, and the host's budget has no more");
    }
    slot.budget = budget;
    slot.device->pool()->SetCap(budget);
    partitioned += budget;
  }
  return partitioned;
}

size_t DeviceTable::Room(const ManagedDevice& slot) const {
  const DeviceStats stats = slot.device->Stats();
  const size_t room = Less(slot.budget, stats.context + stats.allocated);
  if (slot.partition_of_host || !stats.known) return room;
  return std::min(room,
                  Less(Reachable(slot, stats), stats.context + stats.allocated + DeviceReserve(slot, stats)));
}

bool DeviceTable::CacheInTheWay(const ManagedDevice& slot, size_t bytes) const {
  if (slot.device->host_backed()) return false;  // its pool minds
  const DeviceStats stats = slot.device->Stats();
  if (slot.asked != 0 && stats.capped) return false;  // so does a limited allocator
  return stats.reserved > stats.allocated && stats.context + stats.reserved + bytes > slot.budget;
}

DeviceTable::Held DeviceTable::HeldByPartitions() const {
  std::lock_guard lock(mutex_);
  Held held;
  for (const ManagedDevice& slot : slots_) {
    if (!slot.partition_of_host) continue;
    const PoolStats pool = slot.device->pool()->Stats();
    held.charged += pool.charged;
    held.cached += pool.cached;
  }
  return held;
}

std::vector<std::string> DeviceTable::TakeWarnings() {
  std::lock_guard lock(mutex_);
  return std::exchange(warnings_, {});
}

}  // namespace imgmill
