// Speeds as an exponential mean, and list scheduling by earliest finish.
#include "device_schedule.h"

#include <algorithm>
#include <cmath>

namespace imgmill {
namespace {

/// The first batch of a device also wakes it up and copies the weights to it: it is replaced by the second.
constexpr int kBatchesToJudge = 2;
constexpr double kWeightOfNew = 0.3;
/// In batches' times: see SecondsAPixel.
constexpr double kHalfLife = 16;

}  // namespace

void DeviceSpeeds::Note(int device, double pixels, double seconds, double now) {
  Measured& own = measured_[static_cast<size_t>(device)];
  const double found = seconds / std::max(1.0, pixels);
  ++own.batches;
  if (own.batches <= kBatchesToJudge) {
    own.seconds_a_pixel = found;
  } else {
    own.seconds_a_pixel += kWeightOfNew * (found - own.seconds_a_pixel);
  }
  own.last_seconds = seconds;
  own.last_end = now;
}

double DeviceSpeeds::SecondsAPixel(int device, double now) const {
  const Measured& own = measured_[static_cast<size_t>(device)];
  if (own.batches >= kBatchesToJudge) {
    const double idle = std::max(0.0, now - own.last_end);
    return own.seconds_a_pixel * std::exp2(-idle / std::max(1e-6, kHalfLife * own.last_seconds));
  }
  double fastest = 0;
  for (const Measured& other : measured_) {
    if (other.batches > 0 && (fastest == 0 || other.seconds_a_pixel < fastest))
      fastest = other.seconds_a_pixel;
  }
  return fastest > 0 ? fastest : 1;  // nobody has shown anything: all alike
}

double TimeLeft(double expected, double elapsed) {
  return std::abs(expected - elapsed);
}

std::vector<std::optional<int>> PlaceGroups(std::span<const PendingGroup> groups,
                                            std::vector<DeviceLoad> devices) {
  std::vector<std::optional<int>> places;
  for (const PendingGroup& group : groups) {
    std::optional<int> best;
    double best_end = 0;
    for (size_t i = 0; i < devices.size(); ++i) {
      if (!group.allowed[i] || devices[i].busy_for.empty()) continue;
      const double start = *std::min_element(devices[i].busy_for.begin(), devices[i].busy_for.end());
      const double end = start + group.pixels * devices[i].seconds_a_pixel;
      if (best && end >= best_end) continue;
      best = static_cast<int>(i);
      best_end = end;
    }
    if (best) {
      std::vector<double>& busy = devices[static_cast<size_t>(*best)].busy_for;
      *std::min_element(busy.begin(), busy.end()) = best_end;
    }
    places.push_back(best);
  }
  return places;
}

}  // namespace imgmill
