// Names of poses.
#include "dedup_poses.h"

#include <algorithm>

namespace imgmill {
namespace {

struct NamedPose {
  std::string_view name, text;
};
constexpr NamedPose kNames[kPoses] = {{"", ""},
                                      {"flip", "mirrored"},
                                      {"flip-vertical", "upside down and mirrored"},
                                      {"rotate180", "turned by 180 degrees"},
                                      {"transpose", "mirrored and turned by 270 degrees"},
                                      {"rotate270", "turned by 270 degrees"},
                                      {"rotate90", "turned by 90 degrees"},
                                      {"transverse", "mirrored and turned by 90 degrees"}};

}  // namespace

std::optional<PoseSet> PoseSet::Parse(const std::vector<std::string>& words) {
  const auto has = [&](std::string_view word) { return std::count(words.begin(), words.end(), word); };
  const auto rotate = has("rotate"), flip = has("flip");
  if (static_cast<size_t>(rotate + flip) != words.size()) return std::nullopt;
  PoseSet set;
  if (rotate > 0 && flip > 0) set.poses_ = {0, 1, 2, 3, 4, 5, 6, 7};
  if (rotate > 0 && flip == 0) set.poses_ = {0, 3, 5, 6};
  if (rotate == 0 && flip > 0) set.poses_ = {0, 1, 2, 3};
  return set;
}

std::string_view PoseText(int pose) {
  return kNames[pose].text;
}

std::string_view PoseName(int pose) {
  return kNames[pose].name;
}

}  // namespace imgmill
