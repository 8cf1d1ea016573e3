// The weakest pair of a group.
#include "dedup_groups.h"

namespace imgmill {

bool WeakestPair::IsWeaker(const DuplicateMember& member, const DuplicateMember& than) {
  if (member.by_look != than.by_look) return member.by_look;
  if (member.look.difference != than.look.difference) return member.look.difference > than.look.difference;
  return member.distance > than.distance;
}

WeakestPair DuplicateGroups::WeakestOf(const Group& group) const {
  if (group.pair != Group::kNone) return pairs[group.pair];
  const std::span<const Member> its = MembersOf(group);
  const Member* weakest = &its.front();
  for (const Member& member : its) {
    if (WeakestPair::IsWeaker(member, *weakest)) weakest = &member;
  }
  return {weakest->via == Member::kKeeper ? group.keeper : weakest->via, *weakest};
}

}  // namespace imgmill
