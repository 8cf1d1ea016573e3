// Guarded work and its entry in the log, and copies into a device's memory.
#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "imgmill/base/byte_size.h"
#include "memory/close_watch.h"
#include "memory/descent.h"
#include "memory/malloc_settings.h"
#include "memory/memory_manager_impl.h"
#include "memory/refusal_watch.h"

namespace imgmill {

void MemoryManager::Impl::MarkLost(ManagedDevice& slot) {
  if (slot.lost.exchange(true)) return;
  std::string others;
  for (int i = 0; i < devices.count(); ++i) {
    const ManagedDevice& other = devices.At(i);
    if (!other.lost) others += (others.empty() ? "" : ", ") + other.device->name();
  }
  Warn(slot.device->name() + " no longer answers: the rest of the run goes on on " +
       (others.empty() ? "the CPU" : others));
}

void MemoryManager::Impl::LookForLeak(const std::string& work) {
  const auto level = [this] {
    const size_t cached = HostPool().Stats().cached + devices.HeldByCarved().cached;
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

LadderOutcome MemoryManager::Guarded(LadderWork& work, int device, const StopFlag& stop) {
  BatchLabel label = work.label();
  if (label.predicted.total() == 0) return Descent(*this, *impl_, work, device, stop).Run();
  BatchRecord record;
  record.start_ms = impl_->Now();
  const bool host = device == kHostWork;
  const bool host_memory = host || impl_->devices.At(device).device->host_backed();
  if (host_memory) impl_->host_work_bytes += label.predicted.total();
  LadderOutcome outcome;
  {
    std::optional<CloseWatch> watch;
    // Batches on the host take a lease of their own: they are not this work's, even if it waits for them.
    const bool beside_batches = host && impl_->devices.AnyOnHost();
    const auto pooled = [this] { return impl_->Charged(); };
    if (label.alone) watch.emplace(beside_batches ? std::function<size_t()>(pooled) : nullptr);
    const PoolMeter meter;
    outcome = Descent(*this, *impl_, work, device, stop).Run();
    // What an accelerator holds, its own statistics tell.
    const bool on_accelerator = device >= 0 && !impl_->devices.At(device).device->host_backed();
    if (!on_accelerator) outcome.device_peak = meter.peak();
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
  record.device = host ? "host" : impl_->devices.At(device).device->name();
  record.shape = label.shape;
  record.predicted = label.predicted;
  record.rung = outcome.rung;
  record.attempts = outcome.attempts;
  record.failed = !outcome.status.ok() && !outcome.hand_over;
  record.duration_ms = impl_->Now() - record.start_ms;
  impl_->log.Add(std::move(record));
  return outcome;
}

Status MemoryManager::Transfer(int device, size_t bytes, const std::function<Status()>& copy) {
  constexpr int kPauses[] = {0, 10, 40};
  ManagedDevice& slot = impl_->devices.At(device);
  Status status = DeviceLostError(slot.device->name());
  if (slot.lost) return status;
  if (Status woken = WakeDevice(device); !woken) return woken;
  // Cleared ahead when it is plain that it will be needed.
  if (bytes > DeviceRoom(device)) ClearDeviceCache(device);
  for (const int pause : kPauses) {
    std::this_thread::sleep_for(std::chrono::milliseconds(pause));
    {
      RefusalWatch watch(slot);
      const DeviceGate::Pass pass(slot.gate, false);
      status = WithoutBadAlloc(copy, watch);
    }
    if (status) return status;
    const Code code = status.error().code;
    if (code != Code::kOutOfMemory && code != Code::kDeviceLost) return status;
    if (!Recover(*this, slot, device)) {
      impl_->MarkLost(slot);
      return DeviceLostError(slot.device->name());
    }
  }
  const std::string message =
      FormatByteSize(bytes) + " do not fit on " + slot.device->name() + ": " + status.error().message +
      " (use a larger " + (slot.shares_host_pool ? "--memory)" : "--device-memory, or a smaller --batch)");
  return Error{Stage::kCompute, Code::kOutOfMemory, message};
}

}  // namespace imgmill
