// A heap of bounded size.
#include "dedup_refused.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>

namespace imgmill {
namespace {

bool IsCloser(const RefusedMember& a, const RefusedMember& b) {
  const auto key = [](const RefusedMember& pair) {
    return std::tuple(!pair.laid, pair.member.look.difference, pair.member.distance, pair.keeper,
                      pair.member.index);
  };
  return key(a) < key(b);
}

}  // namespace

void RefusedPairs::Add(const RefusedMember& pair) {
  ++count_;
  if (closest_.size() == kHeld) {
    if (!IsCloser(pair, closest_.front())) return;
    std::pop_heap(closest_.begin(), closest_.end(), IsCloser);
    closest_.pop_back();
  }
  closest_.push_back(pair);
  std::push_heap(closest_.begin(), closest_.end(), IsCloser);
}

void RefusedPairs::Settle(std::span<const DuplicateMember> members) {
  std::unordered_set<uint32_t> turned_away, found;
  for (const RefusedMember& pair : closest_) turned_away.insert(pair.member.index);
  for (const DuplicateMember& member : members) {
    if (turned_away.contains(member.index)) found.insert(member.index);
  }
  std::erase_if(closest_, [&](const RefusedMember& pair) { return found.contains(pair.member.index); });
  std::sort(closest_.begin(), closest_.end(), IsCloser);
}

}  // namespace imgmill
