// When freed memory goes back, and what that costs.
#include <chrono>

#include "memory/malloc_settings.h"
#include "memory/memory_manager_impl.h"

namespace imgmill {
namespace {

/// Usage of a budget, 0..1, from which on caches are emptied.
constexpr double kThreshold = 0.8;

double DeviceUsage(const ManagedDevice& slot) {
  const size_t budget = slot.budget;
  return budget == 0 ? 0 : static_cast<double>(slot.device->Stats().reserved) / static_cast<double>(budget);
}

}  // namespace

size_t MemoryManager::Impl::Clear(const std::function<size_t()>& clear) {
  ClearRecord record;
  record.start_ms = Now();
  record.bytes = clear();
  record.duration_ms = Now() - record.start_ms;
  clears.fetch_add(1);
  clear_ms.fetch_add(record.duration_ms);
  log.Cleared(record);
  return record.bytes;
}

void MemoryManager::Impl::ClearCache(WorkPlace place) {
  Clear([&] { return SlotOf(place).device->EmptyCache(); });
}

size_t MemoryManager::ClearAll() {
  return impl_->Clear([&] {
    size_t bytes = HostPool().ClearCache();
    for (int i = 0; i < impl_->devices.count(); ++i) {
      ManagedDevice& slot = impl_->devices.At(i);
      if (!slot.shares_host_pool) bytes += slot.device->EmptyCache();
    }
    TrimMalloc();
    return bytes;
  });
}

size_t MemoryManager::CollectIfAbove() {
  bool above = Usage() >= kThreshold;
  for (int i = 0; i < impl_->devices.count() && !above; ++i) {
    const ManagedDevice& slot = impl_->devices.At(i);
    above = !slot.shares_host_pool && DeviceUsage(slot) >= kThreshold;
  }
  return above ? ClearAll() : 0;
}

void MemoryManager::BatchDone(WorkPlace place, const BatchShape& done,
                              const std::optional<BatchShape>& next) {
  ManagedDevice& slot = impl_->SlotOf(place);
  const bool host = slot.shares_host_pool;
  BatchMoment moment;
  moment.done = done;
  moment.next = next;
  moment.usage = host ? Usage() : DeviceUsage(slot);
  // Only the crossing counts: a batch that always fills the device would otherwise map everything anew each
  // time, for nothing.
  const bool above = moment.usage >= kThreshold;
  std::atomic<bool>& was_above = host ? impl_->host_above_threshold : slot.above_threshold;
  moment.crossed = !was_above.exchange(above) && above;
  moment.clear_ms = impl_->clear_ms.load();
  moment.run_ms = impl_->Now();
  if (impl_->cache->ClearAfter(moment)) impl_->ClearCache(place);
}

}  // namespace imgmill
