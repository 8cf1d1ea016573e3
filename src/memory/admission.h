// Grants leases first in, first out, so that nothing small overtakes and nothing large starves.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/memory/pool.h"
#include "memory/host_ledger.h"

namespace imgmill {

struct AdmissionStats {
  HostLedger ledger;
  size_t peak_leased = 0;
  uint64_t granted = 0;
  uint64_t waited = 0;
  size_t waiting = 0;  ///< threads in the queue now
};

/// Thread-safe. Owns the books and keeps the host pool's cap in step with them.
class Admission {
 public:
  Admission(Pool& host, size_t budget, bool budget_from_flag);

  Status Acquire(const Footprint& need, const StopFlag& stop);
  /// @return whether it was granted; kTooLarge if it never can be
  Result<bool> TryAcquire(const Footprint& need);
  void Return(const Footprint& footprint) noexcept;
  /// Sets bytes aside until ReturnReservation. kTooLarge if they never fit; nobody waits.
  Status AcquireReservation(const Footprint& need);
  void ReturnReservation(const Footprint& footprint) noexcept;

  /// What the process holds beside leases, as of now.
  void SetBaseline(const HostSample& sample);
  void SetPartitioned(size_t bytes);
  void Take(const HostSample& sample);
  /// So much of the budget cannot be had at present; what is leased already stays so.
  void SetUnavailable(size_t bytes);

  AdmissionStats Stats() const;
  Status Fits(const Footprint& need) const;
  size_t LargestLease() const;
  /// What could be leased at this moment if nobody waited.
  size_t FreeRoom() const;
  bool Blocked() const;
  /// Subscribes for as long as what is returned lives. Once that is gone the callback is not running and
  /// never will again (unless it goes out of that callback itself). Not to outlive this.
  [[nodiscard]] std::shared_ptr<void> OnPressure(std::function<void(bool)> callback);

  /// While it lives, nothing is granted: somebody out of memory waits for others to give back.
  class Hold {
   public:
    explicit Hold(Admission& admission);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Admission& admission_;
  };

 private:
  class Ticket;
  struct Subscriber {
    std::function<void(bool)> callback;
    bool told_waiting = false;
  };
  Status AcquireInTurn(const Footprint& need, const StopFlag& stop, bool& waited);
  std::optional<Error> TooLarge(const Footprint& need) const;
  void Grant(const Footprint& need);
  void KeepCap();
  void TellPressure();
  void Unsubscribe(std::list<Subscriber>::iterator subscriber);

  Pool& host_;
  const bool budget_from_flag_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  AdmissionStats stats_;
  std::list<Footprint> queue_;  ///< who waits, the oldest first
  int holds_ = 0;
  size_t cap_ = 0;

  std::mutex pressure_mutex_;
  std::condition_variable told_;
  std::list<Subscriber> subscribers_;
  const Subscriber* told_now_ = nullptr;  ///< whose callback is running
  std::thread::id teller_;                ///< the thread that runs a callback now
  bool telling_ = false;
};

}  // namespace imgmill
