// The order of the rungs.
#include "imgmill/memory/ladder.h"

#include <algorithm>
#include <iterator>

#include "memory/ladder_steps.h"

namespace imgmill {
namespace {

/// Pauses in milliseconds before attempts of the same size. On the CPU more patience pays: admission is held
/// meanwhile, so every lease that ends makes room, and below it there is only failure.
constexpr int kDevicePauses[] = {10, 40};
constexpr int kCpuPauses[] = {20, 80, 320, 640};
/// Where the kernel says no although the budget does not, the machine is short, and nothing here helps but
/// trying again: so long in all, attempts included, where what follows would be failure. At first the pauses
/// are short, as work of many small allocations meets many refusals that are over at once.
constexpr double kMostWaitedMs = 3000;
constexpr int kTriesAPause = 16;  ///< after so many the pause is longer by a millisecond

}  // namespace

std::string_view ToString(Rung rung) {
  switch (rung) {
    case Rung::kNone:
      return "none";
    case Rung::kSameSize:
      return "same size";
    case Rung::kFewerInFlight:
      return "fewer in flight";
    case Rung::kHalfBatch:
      return "half batch";
    case Rung::kHalfTile:
      return "half tile";
    case Rung::kCpu:
      return "cpu";
    case Rung::kRecordedFailure:
      return "recorded failure";
  }
  return "unknown";
}

LadderSteps::LadderSteps(const LadderWork& work, WorkPlace place, bool cpu_rung)
    : planned_micro_batch_(std::max(1, work.planned_micro_batch())),
      planned_tile_(work.planned_tile()),
      smallest_tile_(work.smallest_tile()),
      cpu_rung_(cpu_rung) {
  attempt_ = {place, planned_micro_batch_, planned_tile_, Rung::kNone};
}

bool LadderSteps::TryAgain(const Rivals& rivals) {
  pause_ms_ = 0;
  if (SameSize(rivals)) return true;
  if (attempt_.rung > Rung::kSameSize || !rivals.on_device) return false;
  attempt_.rung = Rung::kFewerInFlight;
  alone_ = true;
  return true;
}

/// Tries the same size once more: the first time always, since emptying the cache may have helped, later only
/// where somebody else may have let go.
bool LadderSteps::SameSize(const Rivals& rivals) {
  const bool rivalled = rivals.on_device || rivals.elsewhere || rivals.kernel;
  const bool last = !cpu_rung_ && planned_micro_batch_ == 1 && (smallest_tile_ == 0 || planned_tile_ == 0);
  if (rivals.kernel && (attempt_.rung == Rung::kCpu || (last && attempt_.rung <= Rung::kSameSize)))
    return Patiently(rivals.attempt_ms);
  if (attempt_.rung == Rung::kCpu) {
    if (!rivals.elsewhere || tries_ >= static_cast<int>(std::size(kCpuPauses))) return false;
    pause_ms_ = kCpuPauses[tries_++];
    return true;
  }
  if (attempt_.rung > Rung::kSameSize || tries_ >= (rivalled ? 2 : 1)) return false;
  pause_ms_ = rivalled ? kDevicePauses[tries_] : 0;
  ++tries_;
  attempt_.rung = Rung::kSameSize;
  return true;
}

bool LadderSteps::Patiently(double attempt_ms) {
  waited_ms_ += attempt_ms;
  if (waited_ms_ >= kMostWaitedMs) return false;
  patient_ = true;
  pause_ms_ = 1 + tries_ / kTriesAPause;
  waited_ms_ += pause_ms_;
  ++tries_;
  if (attempt_.rung != Rung::kCpu) attempt_.rung = Rung::kSameSize;
  return true;
}

bool LadderSteps::ChangePlan() {
  const bool on_cpu = attempt_.rung == Rung::kCpu;
  alone_ = true;
  if (attempt_.micro_batch > 1) {
    attempt_.micro_batch /= 2;
    if (!on_cpu) attempt_.rung = Rung::kHalfBatch;
    return true;
  }
  if (smallest_tile_ > 0 && attempt_.tile > smallest_tile_) {
    attempt_.tile = std::max(attempt_.tile / 2, smallest_tile_);
    if (!on_cpu) attempt_.rung = Rung::kHalfTile;
    return true;
  }
  if (on_cpu || !cpu_rung_) return false;
  attempt_.place = kCpuRung;
  attempt_.rung = Rung::kCpu;
  tries_ = 0;
  return true;
}

bool LadderSteps::LeaveDevice() {
  if (!cpu_rung_ || attempt_.rung == Rung::kCpu) return false;
  attempt_ = {kCpuRung, planned_micro_batch_, planned_tile_, Rung::kCpu};
  pause_ms_ = 0;
  alone_ = true;
  tries_ = 0;
  return true;
}

}  // namespace imgmill
