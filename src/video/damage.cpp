// Gaps in the order of packets; there are few of them.
#include "video/damage.h"

#include <algorithm>

namespace imgmill {

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
    return packet >= gap.first && (gap.end < 0 || packet < gap.end || shown < gap.end_shown);
  });
  return found == gaps_.end() ? nullptr : &*found;
}

}  // namespace imgmill
