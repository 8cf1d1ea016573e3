// Gaps in the order of packets; there are few of them.
#include "video/damage.h"

#include <algorithm>

namespace imgmill {
namespace {

/// Pictures that are decoded behind one that stands for itself and shown before it: twice the most that H.264
/// and H.265 can put in another order.
constexpr int64_t kMostLeading = 32;

}  // namespace

void Damage::Sent(int64_t packet, bool stands_for_itself, int64_t shown) {
  begun_ = begun_ || stands_for_itself;
  if (!stands_for_itself || gaps_.empty() || gaps_.back().end >= 0) return;
  gaps_.back().end = packet;
  gaps_.back().end_shown = shown;
}

void Damage::Broken(int64_t packet, const std::string& why) {
  if (!gaps_.empty() && gaps_.back().end < 0) return;
  gaps_.push_back({packet, -1, 0, !begun_, why});
}

const Damage::Gap* Damage::Around(int64_t packet, int64_t shown) const {
  const auto found = std::ranges::find_if(gaps_, [&](const Gap& gap) {
    if (packet < gap.first) return false;
    if (gap.end < 0 || packet < gap.end) return true;
    // A clock that begins anew shows all that follows before the gap's end.
    return packet < gap.end + kMostLeading && shown < gap.end_shown;
  });
  return found == gaps_.end() ? nullptr : &*found;
}

}  // namespace imgmill
