// Sharing out budgets, and reading room from statistics that may be missing.
#include "memory/device_table.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "imgmill/base/byte_size.h"

namespace imgmill {
namespace {

/// Where a device cannot tell what is free, half a gibibyte is what nearly any has.
constexpr size_t kBlindBudget = 512 * kMiB;

size_t Less(size_t from, size_t what) {
  return from - std::min(from, what);
}

/// Left free on a real device, for its driver, other contexts and fragmentation.
size_t DeviceReserve(const DeviceStats& stats) {
  return std::max(128 * kMiB, stats.total / 33);
}

}  // namespace

int DeviceTable::Add(std::unique_ptr<Device> device, size_t budget) {
  std::lock_guard lock(mutex_);
  ManagedDevice& slot = slots_.emplace_back();
  slot.device = std::move(device);
  slot.refusals_seen = slot.device->Stats().out_of_memory_count;
  Pool* const pool = slot.device->pool();
  slot.shares_host_pool = slot.device->host_backed() && (pool == nullptr || pool == &HostPool());
  slot.carved_from_host = slot.device->host_backed() && !slot.shares_host_pool;
  slot.asked = budget;
  if (slot.carved_from_host) {
    const size_t cap = pool->Stats().cap;
    if (cap != SIZE_MAX) slot.asked = budget == 0 ? cap : std::min(cap, budget);
  } else if (!slot.shares_host_pool) {
    SetFreeBudget(slot);
  }
  return static_cast<int>(slots_.size()) - 1;
}

void DeviceTable::SetFreeBudget(ManagedDevice& slot) {
  const DeviceStats stats = slot.device->Stats();
  if (!stats.known) {
    slot.budget = slot.asked != 0 ? slot.asked : kBlindBudget;
    if (slot.asked == 0) {
      warnings_.push_back(slot.device->name() + " does not tell how much memory is free; " +
                          FormatByteSize(kBlindBudget) + " are assumed (set --device-memory)");
    }
    return;
  }
  const size_t most = Less(stats.free + stats.reserved, DeviceReserve(stats));
  slot.budget = slot.asked != 0 ? std::min(slot.asked, most) : most;
  if (slot.asked > most) {
    warnings_.push_back("--device-memory " + FormatByteSize(slot.asked) + " is more than is free on " +
                        slot.device->name() + ": lowered to " + FormatByteSize(most));
  }
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
    if (!slot.carved_from_host) continue;
    asked += slot.asked;
    if (slot.asked == 0) ++sharers;
  }
  const size_t most = room / 4 * 3;
  const double scale = asked > most ? static_cast<double>(most) / static_cast<double>(asked) : 1;
  const size_t share = Less(room, asked) / sharers;
  size_t carved = 0;
  for (ManagedDevice& slot : slots_) {
    if (!slot.carved_from_host) continue;
    const size_t budget =
        slot.asked == 0 ? share : static_cast<size_t>(static_cast<double>(slot.asked) * scale);
    if (scale < 1 && slot.asked != 0 && slot.budget != budget) {
      warnings_.push_back("the budget of " + slot.device->name() + " is lowered to " +
                          FormatByteSize(budget) + ": it is host memory, and the host's budget has no more");
    }
    slot.budget = budget;
    slot.device->pool()->SetCap(budget);
    carved += budget;
  }
  return carved;
}

size_t DeviceTable::Room(const ManagedDevice& slot) const {
  const DeviceStats stats = slot.device->Stats();
  const size_t room = Less(slot.budget, stats.allocated);
  if (slot.carved_from_host || !stats.known) return room;
  return std::min(room, Less(stats.free + stats.reserved, stats.allocated + DeviceReserve(stats)));
}

DeviceTable::Held DeviceTable::HeldByCarved() const {
  std::lock_guard lock(mutex_);
  Held held;
  for (const ManagedDevice& slot : slots_) {
    if (!slot.carved_from_host) continue;
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
