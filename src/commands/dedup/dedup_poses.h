// In which poses an image counts as a duplicate: turned by quarters, mirrored, or both.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/signals/perceptual_hash.h"

namespace imgmill {

/// Numbers of poses (PixelOfPose), the first of which is 0: as it is.
class PoseSet {
 public:
  /// @param words  of --invariant: "rotate", "flip"; nothing if there are others
  static std::optional<PoseSet> Parse(const std::vector<std::string>& words);

  /// Whether there are others than as it is.
  bool others() const { return poses_.size() > 1; }
  size_t size() const { return poses_.size(); }
  /// All but the first.
  std::vector<int> Others() const { return {poses_.begin() + 1, poses_.end()}; }
  int operator[](size_t place) const { return poses_[place]; }

 private:
  std::vector<int> poses_ = {0};
};

/// What was done to a picture that is now in that pose: "turned by 90 degrees", empty for 0.
std::string_view PoseText(int pose);
/// The same as one word of JSON: "rotate90" (clockwise), "flip"; "" for 0.
std::string_view PoseName(int pose);
/// The pose that brings one back.
constexpr int PoseBack(int pose) {
  return pose == 5 ? 6 : pose == 6 ? 5 : pose;
}

}  // namespace imgmill
