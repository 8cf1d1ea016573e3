// Guarded work and its entry in the log.
#include <optional>
#include <utility>

#include "imgmill/base/byte_size.h"
#include "memory/close_watch.h"
#include "memory/descent.h"
#include "memory/malloc_settings.h"
#include "memory/memory_manager_impl.h"

namespace imgmill {

void MemoryManager::Impl::MarkLost(ManagedDevice& slot) {
  if (slot.lost.exchange(true)) return;
  std::string others;
  for (int i = 0; i < devices.count(); ++i) {
    const ManagedDevice& other = devices.At(i);
    if (!other.lost) others += (others.empty() ? "" : ", ") + other.device->name();
  }
  Warn(slot.device->name() + " no longer answers: the rest of the run continues on " +
       (others.empty() ? "the CPU" : others));
}

void MemoryManager::Impl::LookForLeak(const std::string& work) {
  const auto level = [this] {
    const size_t cached = HostPool().Stats().cached + devices.HeldByPartitions().cached;
    return LeakWatch::Level{resident.ReadAnonymous(), cached, host_work_bytes};
  };
  const std::optional<LeakWatch::Leak> leak = leaks.Ended(work, level());
  if (!leak) return;
  // What malloc keeps of freed blocks is no leak.
  HostPool().ClearCache();
  TrimMalloc();
  if (!leaks.Confirms(*leak, level())) return;
  Warn(work + " may leak: what the process holds has risen by " + FormatByteSize(leak->bytes) + " over " +
       std::to_string(leak->images) + " images, without falling (please report it)");
}

LadderOutcome MemoryManager::Guarded(LadderWork& work, WorkPlace place, const StopFlag& stop) {
  BatchLabel label = work.label();
  if (label.predicted.total() == 0) return Descent(*this, *impl_, work, place, stop).Run();
  BatchRecord record;
  record.start_ms = impl_->Now();
  const bool host = place == kHostWork;
  const Device& device = *impl_->SlotOf(place).device;
  const bool host_memory = device.host_backed();
  if (host_memory) impl_->host_work_bytes += label.predicted.total();
  LadderOutcome outcome;
  {
    std::optional<CloseWatch> watch;
    // Batches on the host take a lease of their own: they are not this work's, even if it waits for them.
    const bool beside_batches = host && impl_->devices.AnyOnHost();
    const auto pooled = [this] { return impl_->Charged(); };
    if (label.alone) watch.emplace(beside_batches ? std::function<size_t()>(pooled) : nullptr);
    const PoolMeter meter;
    outcome = Descent(*this, *impl_, work, place, stop).Run();
    // What an accelerator holds, its own statistics tell.
    if (host_memory) outcome.device_peak = meter.peak();
    record.pooled_peak = outcome.device_peak;
    if (watch) {
      record.resident_before = watch->before();
      outcome.resident_peak = watch->Growth() + (beside_batches ? meter.peak() : 0);
      record.resident_peak = outcome.resident_peak;
    }
  }
  if (host_memory) impl_->host_work_bytes -= label.predicted.total();
  if (host) impl_->LookForLeak(label.work);
  record.work = std::move(label.work);
  record.device = host ? "host" : device.name();
  record.shape = label.shape;
  record.predicted = label.predicted;
  record.rung = outcome.rung;
  record.attempts = outcome.attempts;
  const bool left = !outcome.status && outcome.status.error().code == Code::kInterrupted;
  record.failed = !outcome.status.ok() && !outcome.hand_over && !left;
  record.duration_ms = impl_->Now() - record.start_ms;
  impl_->log.Add(std::move(record));
  return outcome;
}

}  // namespace imgmill
