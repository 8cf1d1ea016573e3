// How the closest of many refused pairs are held.
#include <doctest/doctest.h>

#include "commands/dedup/dedup_refused.h"

namespace imgmill {
namespace {

RefusedMember Pair(uint32_t keeper, uint32_t other, bool laid, double difference, double distance = 3) {
  RefusedMember pair;
  pair.keeper = keeper;
  pair.member = {other, true, distance, {}, 0};
  pair.member.look.difference = difference;
  pair.laid = laid;
  return pair;
}

}  // namespace

TEST_CASE("of many refused pairs the closest are held, without those that became duplicates") {
  RefusedPairs pairs;
  constexpr uint32_t kMany = 10'000;
  for (uint32_t i = 0; i < kMany; ++i) {
    // In no order: 7919 is prime.
    const uint32_t one = i * 7919 % kMany;
    pairs.Add(Pair(kMany + one, one, one % 2 == 0, one % 2 == 0 ? one / 1000.0 : 0, one));
  }
  const DuplicateMember taken[] = {{4, true, 1, {}, 0}, {9999, true, 1, {}, 0}};
  pairs.Settle(taken);
  CHECK(pairs.count() == kMany);
  // By hand: even ones are laid, up to number 2 * 4095 = 8190; all but number 4 are left.
  REQUIRE(pairs.closest().size() == RefusedPairs::kHeld - 1);
  CHECK(pairs.closest()[0].member.index == 0);
  CHECK(pairs.closest()[1].member.index == 2);
  CHECK(pairs.closest()[2].member.index == 6);
  CHECK(pairs.closest().back().member.index == 8190);

  RefusedPairs few;
  few.Add(Pair(0, 1, false, 0, 9));
  few.Add(Pair(0, 2, false, 0, 2));
  few.Add(Pair(0, 3, true, 0.5));
  few.Settle({});
  CHECK(few.closest()[0].member.index == 3);
  CHECK(few.closest()[1].member.index == 2);
  CHECK(few.closest()[2].member.index == 1);
}

}  // namespace imgmill
