// Which device a group of tiles goes to: the one that is likely to finish it first, by the speeds measured so
// far. Only numbers; it decides where something is computed, never what comes out.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace imgmill {

/// Seconds a pixel of each device, as an exponential mean over its batches. Times are seconds of any one
/// clock.
class DeviceSpeeds {
 public:
  explicit DeviceSpeeds(int devices) : measured_(static_cast<size_t>(devices)) {}

  /// A batch of so many pixels ended at `now`, having taken `seconds`.
  void Note(int device, double pixels, double seconds, double now);

  /// What to expect of it. One that has not shown it yet is taken for as fast as the fastest: each is tried.
  /// What was measured long ago counts less and less (half for each 16 batches' time without one), so that a
  /// device that was slow for a while is tried again.
  double SecondsAPixel(int device, double now) const;

 private:
  struct Measured {
    int batches = 0;
    double seconds_a_pixel = 0;
    double last_seconds = 0;
    double last_end = 0;
  };
  std::vector<Measured> measured_;
};

/// What a device is doing.
struct DeviceLoad {
  double seconds_a_pixel = 1;
  /// For each batch that it can work on at once: seconds until it is likely to end; 0 where it is idle.
  std::vector<double> busy_for;
};

/// Seconds until a batch is likely to end that was expected to take `expected` and has taken `elapsed`: what
/// is left, or, once it is overdue, as much again as it is late.
double TimeLeft(double expected, double elapsed);

/// Tiles that will be one batch.
struct PendingGroup {
  double pixels = 0;
  std::vector<bool> allowed;  ///< by device
};

/// Gives each group in turn to the device that ends it first, behind what that has been given before.
/// @return for each group the device's index; nothing where none is allowed
std::vector<std::optional<int>> PlaceGroups(std::span<const PendingGroup> groups,
                                            std::vector<DeviceLoad> devices);

}  // namespace imgmill
