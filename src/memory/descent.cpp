// What each failure of an attempt leads to.
#include "memory/descent.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "imgmill/base/byte_size.h"
#include "memory/refusal_watch.h"

namespace imgmill {
namespace {

void Pause(int ms) {
  if (ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

/// What was tried last, and which flag would help.
std::string FailureMessage(const ManagedDevice& slot, const LadderWork& work, const Attempt& last,
                           const HostBudget& host, const Error& error) {
  const bool on_cpu = last.place == kCpuRung;
  std::string message = "does not fit";
  if (!slot.shares_host_pool) {
    message += " on " + slot.device->name() + " (" + FormatByteSize(slot.budget) + ")";
    if (on_cpu) message += " nor on the CPU";
  }
  if (slot.shares_host_pool || on_cpu) message += " in the memory budget of " + FormatByteSize(host.bytes);
  std::string with;
  if (work.planned_micro_batch() > 1) with += " with batches of 1";
  if (last.tile > 0) {
    with += (with.empty() ? " with" : " and") + std::string(" tiles of ") + std::to_string(last.tile);
  }
  message += with + ": " + error.message + " (use a larger ";
  message += slot.shares_host_pool ? "--memory" : on_cpu ? "--device-memory or --memory" : "--device-memory";
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

Error DeviceLostError(const std::string& name) {
  return Error{Stage::kCompute, Code::kDeviceLost,
               name + " no longer answers (use --device cpu to continue without it)"};
}

}  // namespace

/// Empties the cache, waits for the device and asks whether it still answers: an error means that it is lost.
Status Descent::Recover() {
  const WorkPlace place = steps_.attempt().place;
  impl_.ClearCache(place);
  if (place == kCpuRung) return {};
  // Its failure may be the echo of the work's: the canary alone decides.
  static_cast<void>(slot_.device->Synchronize());
  return slot_.device->Canary();
}

Descent::Descent(MemoryManager& manager, MemoryManager::Impl& impl, LadderWork& work, WorkPlace place,
                 const StopFlag& stop)
    : manager_(manager),
      impl_(impl),
      work_(work),
      place_(place),
      stop_(stop),
      label_(work.label()),
      slot_(impl.SlotOf(place)),
      own_memory_(!slot_.shares_host_pool),
      steps_(work, place, work.has_cpu_rung() && own_memory_) {
  outcome_.attempts = 0;
}

LadderOutcome Descent::Run() {
  bool going = slot_.lost ? LeaveLost() : Begin();
  while (going) {
    MakeAttempt();
    going = !outcome_.status && Next();
  }
  hold_.reset();
  Remember();
  return outcome_;
}

/// Where to begin: with the plan, unless work of this kind has settled on less, or is known not to fit.
/// @return false if another device is to do it
bool Descent::Begin() {
  if (!own_memory_) return true;
  const Settling::Start start = slot_.settling.Begin(label_);
  settled_ = start.lower.has_value();
  if (start.again) impl_.devices.Refresh(slot_);
  if (!settled_ && !slot_.awake && !WakeUp()) return Next();
  const size_t budget = manager_.DeviceBudget(place_.device());
  const auto too_much = [&] {
    return steps_.attempt().place.IsDevice() && work_.ExpectedBytes(steps_.attempt()) > budget;
  };
  if (!settled_ && !too_much()) return true;
  if (HandOver(/*lost=*/false)) {
    outcome_.status = Error{Stage::kCompute, Code::kOutOfMemory,
                            slot_.device->name() + " has too little memory for such work"};
    return false;
  }
  if (settled_) steps_.BeginWith(*start.lower);
  while (too_much() && steps_.ChangePlan()) {
  }
  return true;
}

/// Before anything is planned: what the device's context takes is known once it is made.
bool Descent::WakeUp() {
  outcome_.status = manager_.WakeDevice(place_.device());
  asleep_ = !outcome_.status;
  if (asleep_) ++outcome_.attempts;
  return !asleep_;
}

void Descent::MakeAttempt() {
  const Attempt attempt = steps_.attempt();
  const bool on_cpu = attempt.place == kCpuRung;
  host_memory_ = on_cpu || slot_.shares_host_pool;
  rivals_ = {};
  hold_.reset();
  const Lease lease = LeaseOrHold();
  if (steps_.alone()) work_.LetGo();
  Pause(steps_.pause_ms());
  const size_t own_leases = lease ? 2 : 1;
  rivals_.elsewhere =
      host_memory_ ? impl_.admission.Stats().ledger.leases > own_leases : !slot_.device->host_backed();
  ++outcome_.attempts;
  outcome_.rung = attempt.rung;
  impl_.rungs[static_cast<size_t>(attempt.rung)].fetch_add(1);
  asleep_ = false;
  RefusalWatch watch(slot_);
  const DeviceGate::Pass pass(on_cpu ? impl_.cpu_gate : slot_.gate, steps_.alone());
  if (on_cpu) impl_.ClearCache(kCpuRung);
  if (own_memory_ && !on_cpu && impl_.devices.CacheInTheWay(slot_, work_.ExpectedBytes(attempt)))
    impl_.ClearCache(place_);
  const AcceleratorPeak peak(on_cpu ? nullptr : slot_.device.get());
  std::optional<PatienceScope> patience;
  if (steps_.patient()) patience.emplace();
  const double begin = impl_.Now();
  outcome_.status = WithoutBadAlloc([&] { return work_.Run(attempt); }, watch);
  rivals_.attempt_ms = impl_.Now() - begin;
  rivals_.on_device = pass.HadCompany();
  rivals_.kernel = watch.ByKernel();
  // Others' tensors would be in it, too.
  if (!rivals_.on_device) outcome_.device_peak = std::max(outcome_.device_peak, peak.Growth());
}

/// From the moment that being alone is what may help, no new lease takes what others give back. The first
/// attempt on the CPU is not there yet: it came for want of the device's memory, and where the host has room,
/// a lease of its own lets the images behind it be read meanwhile.
Lease Descent::LeaseOrHold() {
  if (!steps_.alone() || !host_memory_) return {};
  const size_t bytes = own_memory_ && outcome_.rung != Rung::kCpu ? work_.ExpectedBytes(steps_.attempt()) : 0;
  if (bytes > 0) {
    Result<Lease> lease = manager_.TryAcquire({bytes, 0});
    if (lease.ok() && *lease) return *std::move(lease);
  }
  hold_.emplace(impl_.admission);
  return {};
}

/// After a failure. @return whether there is another attempt to make
bool Descent::Next() {
  const Error& error = outcome_.status.error();
  const bool ran_out = error.code == Code::kOutOfMemory;
  const bool on_device = own_memory_ && steps_.attempt().place.IsDevice();
  // What the host says is the last word, be it the device's that its work has waited for.
  if (!ran_out && (!on_device || error.code == Code::kInterrupted)) return false;
  if (!ran_out) slot_.errors.Count(error.message);
  if (asleep_) return !HandOver(/*lost=*/false) && steps_.LeaveDevice();  // no smaller work would help
  // Where the kernel refused, what other pools keep for reuse is as good as any.
  if (rivals_.kernel) manager_.ClearAll();
  if (!Recover()) return LeaveLost();
  if (stop_.StopRequested()) {
    outcome_.status = Error{Stage::kCompute, Code::kInterrupted, "interrupted while short of memory"};
    return false;
  }
  if (host_memory_ && impl_.admission.Stats().ledger.leases > 1) rivals_.elsewhere = true;
  if (steps_.TryAgain(rivals_)) return true;
  // The plan's results on another device are better than others on this one.
  if (on_device && HandOver(/*lost=*/false)) return false;
  // An error without a name is often a shortage that a library has met inside; where there is room enough,
  // smaller work would meet it as well.
  if (on_device && !ran_out && !IsShort()) return steps_.LeaveDevice();
  if (steps_.ChangePlan()) return true;
  if (ran_out) RecordFailure();
  return false;
}

/// The device no longer answers. @return whether the CPU takes over
bool Descent::LeaveLost() {
  impl_.MarkLost(slot_);
  outcome_.device_lost = true;
  if (!HandOver(/*lost=*/true) && steps_.LeaveDevice()) return true;
  if (outcome_.status || outcome_.status.error().code != Code::kDeviceLost)
    outcome_.status = DeviceLostError(slot_.device->name());
  return false;
}

bool Descent::HandOver(bool lost) {
  outcome_.hand_over = work_.has_other_device(lost);
  return outcome_.hand_over;
}

bool Descent::IsShort() const {
  return !slot_.device->Stats().known || manager_.DeviceRoom(place_.device()) < label_.predicted.total();
}

void Descent::RecordFailure() {
  outcome_.rung = Rung::kRecordedFailure;
  impl_.rungs[static_cast<size_t>(outcome_.rung)].fetch_add(1);
  const std::string message =
      FailureMessage(slot_, work_, steps_.attempt(), impl_.budget, outcome_.status.error());
  outcome_.status = Error{Stage::kCompute, Code::kOutOfMemory, message};
}

/// For the works that come after it.
void Descent::Remember() {
  const bool interrupted = !outcome_.status && outcome_.status.error().code == Code::kInterrupted;
  if (!own_memory_ || outcome_.device_lost || interrupted || label_.predicted.total() == 0) return;
  if (outcome_.status && !outcome_.off_plan()) return slot_.settling.WentWell(label_);
  LadderSteps next = steps_;
  if (outcome_.hand_over) {
    if (settled_) return;
    next.ChangePlan();
  }
  slot_.settling.ChangedPlan(label_, next.attempt());
}

}  // namespace imgmill
