// Where a piece of work is done.
#pragma once

#include <cassert>
#include <compare>

namespace imgmill {

/// A device of the manager, the host itself, or the CPU that steps in for a device. The last two compute in
/// the same memory, but differ in what they wait for: host work has leases and may wait for batches, the CPU
/// rung has the reserve, and batches wait for it.
class WorkPlace {
 public:
  static constexpr WorkPlace Device(int index) { return {Kind::kDevice, index}; }
  /// Decoding, encoding and what else commands do, in the host's pool.
  static constexpr WorkPlace HostWork() { return {Kind::kHostWork, 0}; }
  /// The last rung of the ladder for a device's work: host memory, out of the reserve.
  static constexpr WorkPlace CpuRung() { return {Kind::kCpuRung, 0}; }

  constexpr bool IsDevice() const { return kind_ == Kind::kDevice; }
  /// The device's index in the manager.
  constexpr int device() const {
    assert(IsDevice());
    return index_;
  }

  friend constexpr bool operator==(WorkPlace, WorkPlace) = default;
  friend constexpr auto operator<=>(WorkPlace, WorkPlace) = default;

 private:
  enum class Kind { kDevice, kHostWork, kCpuRung };
  constexpr WorkPlace(Kind kind, int index) : kind_(kind), index_(index) {}

  Kind kind_;
  int index_;
};

inline constexpr WorkPlace kHostWork = WorkPlace::HostWork();
inline constexpr WorkPlace kCpuRung = WorkPlace::CpuRung();

}  // namespace imgmill
