// Tickets in a queue; only the oldest may be granted.
#include "memory/admission.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "imgmill/base/byte_size.h"
#include "imgmill/memory/memory_flag.h"

namespace imgmill {
namespace {

/// How often a waiting thread looks at the stop flag, which a signal handler sets and cannot announce.
constexpr std::chrono::milliseconds kStopPoll{20};

}  // namespace

/// A place in the queue, from construction to destruction; with the lock held at both.
class Admission::Ticket {
 public:
  Ticket(Admission& admission, const Footprint& need)
      : admission_(admission), place_(admission.queue_.insert(admission.queue_.end(), need)) {}
  ~Ticket() {
    admission_.queue_.erase(place_);
    admission_.changed_.notify_all();
  }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  bool IsOldest() const { return place_ == admission_.queue_.begin(); }

 private:
  Admission& admission_;
  const std::list<Footprint>::iterator place_;
};

Admission::Admission(Pool& host, size_t budget, bool budget_from_flag)
    : host_(host), budget_from_flag_(budget_from_flag) {
  stats_.ledger.budget = budget;
}

Status Admission::Acquire(const Footprint& need, const StopFlag& stop) {
  bool waited = false;
  Status outcome = AcquireInTurn(need, stop, waited);
  if (waited) TellPressure();
  return outcome;
}

Status Admission::AcquireInTurn(const Footprint& need, const StopFlag& stop, bool& waited) {
  std::unique_lock lock(mutex_);
  const Ticket ticket(*this, need);
  while (true) {
    // Asked again after each wait: a new baseline may have made it impossible.
    if (auto too_large = TooLarge(need)) return *std::move(too_large);
    if (ticket.IsOldest() && holds_ == 0 && stats_.ledger.Admits(need)) {
      Grant(need);
      if (waited) ++stats_.waited;
      return {};
    }
    if (stop.StopRequested()) {
      return Error{Stage::kAdmit, Code::kInterrupted, "interrupted while waiting for memory"};
    }
    if (waited) {
      changed_.wait_for(lock, kStopPoll);
    } else {
      waited = true;
      lock.unlock();
      TellPressure();
      lock.lock();
    }
  }
}

Result<bool> Admission::TryAcquire(const Footprint& need) {
  std::lock_guard lock(mutex_);
  if (auto too_large = TooLarge(need)) return *std::move(too_large);
  if (!queue_.empty() || holds_ > 0 || !stats_.ledger.Admits(need)) return false;
  Grant(need);
  return true;
}

void Admission::Return(const Footprint& footprint) noexcept {
  std::lock_guard lock(mutex_);
  HostLedger& ledger = stats_.ledger;
  ledger.leased.pooled -= footprint.pooled;
  ledger.leased.untracked -= footprint.untracked;
  --ledger.leases;
  KeepCap();
  changed_.notify_all();
}

Status Admission::AcquireReservation(const Footprint& need) {
  std::lock_guard lock(mutex_);
  if (auto too_large = TooLarge(need)) return *std::move(too_large);
  stats_.ledger.reservations = stats_.ledger.reservations + need;
  KeepCap();
  return {};
}

void Admission::ReturnReservation(const Footprint& footprint) noexcept {
  std::lock_guard lock(mutex_);
  stats_.ledger.reservations.pooled -= footprint.pooled;
  stats_.ledger.reservations.untracked -= footprint.untracked;
  KeepCap();
  changed_.notify_all();
}

void Admission::SetBaseline(const HostSample& sample) {
  std::lock_guard lock(mutex_);
  HostLedger& ledger = stats_.ledger;
  const size_t explained = sample.charged + ledger.reservations.untracked + ledger.leased.untracked;
  ledger.fixed = sample.resident - std::min(sample.resident, explained);
  const size_t promised = ledger.reservations.pooled + ledger.leased.pooled;
  ledger.resident_blocks = sample.host_in_use - std::min(sample.host_in_use, promised);
  ledger.unexplained = 0;
  ledger.peak_unexplained = 0;  // what came before, such as a library being loaded, is explained now
  ledger.overdrawn = 0;
  KeepCap();
  changed_.notify_all();
}

void Admission::SetPartitioned(size_t bytes) {
  std::lock_guard lock(mutex_);
  stats_.ledger.partitioned = bytes;
  KeepCap();
  changed_.notify_all();
}

void Admission::Take(const HostSample& sample) {
  std::lock_guard lock(mutex_);
  if (!stats_.ledger.Take(sample)) return;
  KeepCap();
  if (!queue_.empty()) changed_.notify_all();
}

void Admission::SetUnavailable(size_t bytes) {
  std::lock_guard lock(mutex_);
  HostLedger& ledger = stats_.ledger;
  if (bytes == ledger.unavailable) return;
  ledger.unavailable = bytes;
  ledger.peak_unavailable = std::max(ledger.peak_unavailable, bytes);
  KeepCap();
  changed_.notify_all();
}

AdmissionStats Admission::Stats() const {
  std::lock_guard lock(mutex_);
  AdmissionStats stats = stats_;
  stats.waiting = queue_.size();
  return stats;
}

Status Admission::Fits(const Footprint& need) const {
  std::lock_guard lock(mutex_);
  if (auto too_large = TooLarge(need)) return *std::move(too_large);
  return {};
}

size_t Admission::LargestLease() const {
  std::lock_guard lock(mutex_);
  return stats_.ledger.LargestLease();
}

size_t Admission::FreeRoom() const {
  std::lock_guard lock(mutex_);
  const HostLedger& ledger = stats_.ledger;
  return ledger.LargestLease() - std::min(ledger.LargestLease(), ledger.Taken());
}

bool Admission::Blocked() const {
  std::lock_guard lock(mutex_);
  return !queue_.empty();
}

std::shared_ptr<void> Admission::OnPressure(std::function<void(bool)> callback) {
  std::unique_lock lock(pressure_mutex_);
  const auto subscriber = subscribers_.insert(subscribers_.end(), {std::move(callback)});
  lock.unlock();
  TellPressure();
  return {&*subscriber, [this, subscriber](void*) { Unsubscribe(subscriber); }};
}

void Admission::Unsubscribe(std::list<Subscriber>::iterator subscriber) {
  std::unique_lock lock(pressure_mutex_);
  told_.wait(lock, [&] { return told_now_ != &*subscriber || teller_ == std::this_thread::get_id(); });
  subscribers_.erase(subscriber);
}

std::optional<Error> Admission::TooLarge(const Footprint& need) const {
  const HostLedger& ledger = stats_.ledger;
  if (need.total() <= ledger.LargestLease()) return std::nullopt;
  const size_t would_do = ledger.BudgetFor(need.total());
  std::string message = "it needs " + FormatByteSize(need.total()) + ", the memory budget of " +
                        FormatByteSize(ledger.budget) + " leaves " + FormatByteSize(ledger.LargestLease());
  message += budget_from_flag_ ? " (use " + MemoryFlag(would_do) + " or more)"
                               : " (it needs a machine or cgroup that allows " + MemoryFlag(would_do) + ")";
  return Error{Stage::kAdmit, Code::kTooLarge, std::move(message)};
}

void Admission::Grant(const Footprint& need) {
  HostLedger& ledger = stats_.ledger;
  ledger.leased = ledger.leased + need;
  ++ledger.leases;
  ++stats_.granted;
  stats_.peak_leased = std::max(stats_.peak_leased, ledger.leased.total());
  // Cached pages may stand where the untracked bytes will be: lowering the cap unmaps them first.
  KeepCap();
}

void Admission::KeepCap() {
  const size_t cap = stats_.ledger.PoolCap();
  if (cap == cap_) return;
  cap_ = cap;
  host_.SetCap(cap);
}

/// Tells the subscribers whether somebody waits, outside the admission's lock. One thread tells at a time,
/// and continues until what it told is still true, so the last word is always right; a callback may itself
/// give leases back, or unsubscribe.
void Admission::TellPressure() {
  std::unique_lock lock(pressure_mutex_);
  if (telling_) return;
  telling_ = true;
  teller_ = std::this_thread::get_id();
  while (true) {
    const bool waiting = Blocked();
    const auto next = std::find_if(subscribers_.begin(), subscribers_.end(),
                                   [&](const Subscriber& each) { return each.told_waiting != waiting; });
    if (next == subscribers_.end()) break;
    next->told_waiting = waiting;
    told_now_ = &*next;
    const auto callback = next->callback;
    lock.unlock();
    callback(waiting);
    lock.lock();
    told_now_ = nullptr;
    told_.notify_all();
  }
  telling_ = false;
}

Admission::Hold::Hold(Admission& admission) : admission_(admission) {
  std::lock_guard lock(admission_.mutex_);
  ++admission_.holds_;
}

Admission::Hold::~Hold() {
  std::lock_guard lock(admission_.mutex_);
  --admission_.holds_;
  admission_.changed_.notify_all();
}

}  // namespace imgmill
