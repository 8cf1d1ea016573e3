// Runs work down the ladder: each attempt is made, its failure looked at, memory recovered, and the next rung
// taken, all outside any catch block, so that what the failed attempt held is gone.
#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "imgmill/base/byte_size.h"
#include "memory/close_watch.h"
#include "memory/ladder_steps.h"
#include "memory/malloc_settings.h"
#include "memory/memory_manager_impl.h"
#include "memory/refusal_notes.h"

namespace imgmill {
namespace {

Error DeviceLostError(const std::string& name) {
  return Error{Stage::kCompute, Code::kDeviceLost,
               name + " no longer answers (use --device cpu to go on without)"};
}

/// Sees refusals that the work in between has hidden: an interpreter that catches the allocator's exception
/// and throws one of its own, say. To be made before an attempt, on its thread.
class RefusalWatch {
 public:
  explicit RefusalWatch(ManagedDevice& slot) : slot_(slot), before_(RefusalsOfThisThread()) {}

  /// Whether memory was refused meanwhile: to this thread, or on the device by its own count (which may have
  /// been another's refusal: then an attempt is made in vain). To be asked after every failure.
  bool Refused() {
    const uint64_t counted = slot_.device->Stats().out_of_memory_count;
    const bool rose = counted > slot_.refusals_seen.exchange(counted);
    return rose || RefusalsOfThisThread().refusals != before_.refusals;
  }
  /// Whether one of the refusals was the kernel's, with the pool's cap not reached.
  bool ByKernel() const { return RefusalsOfThisThread().within_cap != before_.within_cap; }

 private:
  ManagedDevice& slot_;
  const RefusalNotes before_;
};

/// Pools and the C++ library refuse by exception; to the ladder that is a status like any other.
Status WithoutBadAlloc(const std::function<Status()>& attempt, RefusalWatch& watch) {
  Status status;
  try {
    status = attempt();
  } catch (const std::bad_alloc& refused) {
    status = Error{Stage::kCompute, Code::kOutOfMemory, refused.what()};
  } catch (const std::exception& problem) {
    if (!watch.Refused()) throw;
    return Error{Stage::kCompute, Code::kOutOfMemory, problem.what()};
  }
  if (status || !watch.Refused()) return status;
  Error error = status.error();
  if (error.code == Code::kModelError || error.code == Code::kInternal) error.code = Code::kOutOfMemory;
  return error;
}

bool RanOut(const Status& status) {
  return !status && status.error().code == Code::kOutOfMemory;
}

void Pause(int ms) {
  if (ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

/// What was tried last, and which flag would help.
std::string FailureMessage(const ManagedDevice& slot, const LadderWork& work, const Attempt& last,
                           const HostBudget& host, const Error& error) {
  std::string message = "does not fit";
  if (!slot.shares_host_pool) {
    message += " on " + slot.device->name() + " (" + FormatByteSize(slot.budget) + ")";
    if (last.device < 0) message += " nor on the CPU";
  }
  if (slot.shares_host_pool || last.device < 0)
    message += " in the memory budget of " + FormatByteSize(host.bytes);
  std::string with;
  if (work.planned_micro_batch() > 1) with += " with batches of 1";
  if (last.tile > 0) {
    with += (with.empty() ? " with" : " and") + std::string(" tiles of ") + std::to_string(last.tile);
  }
  message += with + ": " + error.message + " (use a larger ";
  message += slot.shares_host_pool ? "--memory"
             : last.device < 0     ? "--device-memory or --memory"
                                   : "--device-memory";
  if (last.tile > 0) message += ", or a smaller --tile";
  return message + ")";
}

/// What a piece of work allocates at once on an accelerator, by the accelerator's own statistics.
class AcceleratorPeak {
 public:
  /// Null, and host-backed devices, are not looked at.
  explicit AcceleratorPeak(Device* device)
      : device_(device != nullptr && !device->host_backed() ? device : nullptr) {
    if (device_ == nullptr) return;
    device_->ResetPeak();
    before_ = device_->Stats().allocated;
  }
  size_t Growth() const {
    if (device_ == nullptr) return 0;
    const DeviceStats stats = device_->Stats();
    return stats.known ? stats.peak_allocated - std::min(stats.peak_allocated, before_) : 0;
  }

 private:
  Device* device_;
  size_t before_ = 0;
};

}  // namespace

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

/// Empties the cache, waits for the device and asks whether it still answers.
static Status Recover(MemoryManager& manager, ManagedDevice& slot, int index) {
  manager.ClearDeviceCache(index);
  if (index < 0) return {};
  // A failure to synchronise alone may be the echo of the failed allocation; the canary decides.
  const Status synchronized = slot.device->Synchronize();
  Status canary = slot.device->Canary();
  if (canary && !synchronized && synchronized.error().code == Code::kDeviceLost) return synchronized;
  return canary;
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
  if (label.predicted.total() == 0) return Descend(work, device, stop);
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
    outcome = Descend(work, device, stop);
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

LadderOutcome MemoryManager::Descend(LadderWork& work, int device, const StopFlag& stop) {
  ManagedDevice& slot = device == kHostWork ? impl_->host_work : impl_->devices.At(device);
  LadderSteps steps(work, device, work.has_cpu_rung() && !slot.shares_host_pool);
  LadderOutcome outcome;
  outcome.attempts = 0;
  const auto count = [&](Rung rung) { impl_->rungs[static_cast<size_t>(rung)].fetch_add(1); };
  const auto leave_device = [&] {
    impl_->MarkLost(slot);
    outcome.device_lost = true;
    outcome.hand_over = work.has_other_device(/*lost=*/true);
    if (!outcome.hand_over && steps.LeaveDevice()) return true;
    if (outcome.status || outcome.status.error().code != Code::kDeviceLost)
      outcome.status = DeviceLostError(slot.device->name());
    return false;
  };
  if (slot.lost && !leave_device()) return outcome;
  while (true) {
    const Attempt attempt = steps.attempt();
    const bool on_cpu = attempt.device < 0 && device != kHostWork;
    const bool host_memory = on_cpu || slot.shares_host_pool;
    Rivals rivals;
    // From the moment that being alone is what may help, no new lease takes what others give back.
    std::optional<Admission::Hold> hold;
    if (steps.alone() && host_memory) hold.emplace(impl_->admission);
    if (steps.alone()) work.LetGo();
    Pause(steps.pause_ms());
    const auto others_lease = [&] { return impl_->admission.Stats().ledger.leases > 1; };
    rivals.elsewhere = host_memory ? others_lease() : !slot.device->host_backed();
    RefusalWatch watch(slot);
    ++outcome.attempts;
    outcome.rung = attempt.rung;
    count(attempt.rung);
    {
      const DeviceGate::Pass pass(on_cpu ? impl_->cpu_gate : slot.gate, steps.alone());
      if (on_cpu) ClearDeviceCache(-1);
      const AcceleratorPeak peak(attempt.device < 0 ? nullptr : slot.device.get());
      std::optional<PatienceScope> patience;
      if (steps.patient()) patience.emplace();
      const double begin = impl_->Now();
      outcome.status = WithoutBadAlloc([&] { return work.Run(attempt); }, watch);
      rivals.attempt_ms = impl_->Now() - begin;
      rivals.on_device = pass.HadCompany();
      rivals.kernel = watch.ByKernel();
      // Others' tensors would be in it, too.
      if (!rivals.on_device) outcome.device_peak = std::max(outcome.device_peak, peak.Growth());
    }
    if (outcome.status) return outcome;
    // The host is never lost: there, this is the word of a device that the work waited for.
    const bool lost = outcome.status.error().code == Code::kDeviceLost && !slot.shares_host_pool;
    if (!lost && !RanOut(outcome.status)) return outcome;
    // Where the kernel refused, what other pools keep for reuse is as good as any.
    if (rivals.kernel) ClearAll();
    if (lost || !Recover(*this, slot, attempt.device)) {
      if (!leave_device()) return outcome;
      continue;
    }
    if (stop.StopRequested()) {
      outcome.status = Error{Stage::kCompute, Code::kInterrupted, "interrupted while short of memory"};
      return outcome;
    }
    if (host_memory && others_lease()) rivals.elsewhere = true;
    if (steps.TryAgain(rivals)) continue;
    // The plan's results on another device are better than others on this one.
    if (attempt.device >= 0 && work.has_other_device(/*lost=*/false)) {
      outcome.hand_over = true;
      return outcome;
    }
    if (!steps.ChangePlan()) {
      outcome.rung = Rung::kRecordedFailure;
      count(outcome.rung);
      const std::string message = FailureMessage(slot, work, attempt, impl_->budget, outcome.status.error());
      outcome.status = Error{Stage::kCompute, Code::kOutOfMemory, message};
      return outcome;
    }
  }
}

Status MemoryManager::Transfer(int device, size_t bytes, const std::function<Status()>& copy) {
  constexpr int kPauses[] = {0, 10, 40};
  ManagedDevice& slot = impl_->devices.At(device);
  Status status = DeviceLostError(slot.device->name());
  if (slot.lost) return status;
  // Cleared ahead when it is plain that it will be needed.
  if (bytes > DeviceRoom(device)) ClearDeviceCache(device);
  for (const int pause : kPauses) {
    Pause(pause);
    {
      RefusalWatch watch(slot);
      const DeviceGate::Pass pass(slot.gate, false);
      status = WithoutBadAlloc(copy, watch);
    }
    if (status) return status;
    const Code code = status.error().code;
    if (code != Code::kOutOfMemory && code != Code::kDeviceLost) return status;
    if (code == Code::kDeviceLost || !Recover(*this, slot, device)) {
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
