// While one batch is computed, the next one comes and the one before goes: shown by a card that does not
// compute until that has happened.
#include <future>

#include "card_fixture.h"

using namespace imgmill;

TEST_CASE("while a batch is computed, the next one's input arrives") {
  const House house = CardHouse();
  const WeightFolder folder;
  const auto model = Load(house, SmallCompact(folder, 8, 3, 2, true, ""));
  REQUIRE(model->Streams(0) == 2);
  const auto first = OpenStream(*model, WorkPlace::Device(0));
  const auto second = OpenStream(*model, WorkPlace::Device(0));
  SamplePicture a({}, 30, 30, 2, 1), b({}, 30, 30, 2, 2);
  Enlarge(*first, a);  // weights are on the card from here on
  const std::vector<std::byte> expected = a.out;
  int timed_out = -1;
  host_card_hold_layer(1, /*to_card=*/2, /*from_card=*/0, &timed_out);
  auto one = std::async(std::launch::async, [&] { Enlarge(*first, a); });
  auto other = std::async(std::launch::async, [&] { Enlarge(*second, b); });
  one.get();
  other.get();
  CHECK(timed_out == 0);
  CHECK((a.out == expected));
  Enlarge(*first, b);
  const std::vector<std::byte> alone = b.out;
  Enlarge(*second, b);
  CHECK((b.out == alone));
}

TEST_CASE("while a batch is computed, the result of the one before leaves") {
  const House house = CardHouse();
  const WeightFolder folder;
  const auto model = Load(house, SmallCompact(folder, 8, 3, 2, true, ""));
  const auto first = OpenStream(*model, WorkPlace::Device(0));
  const auto second = OpenStream(*model, WorkPlace::Device(0));
  SamplePicture a({}, 30, 30, 2, 1), b({}, 30, 30, 2, 2);
  Enlarge(*first, a);
  Enlarge(*second, b);
  const std::vector<std::byte> a_alone = a.out, b_alone = b.out;
  const HostCardCounts before = host_card_counts();
  Enlarge(*first, a);
  const HostCardCounts after = host_card_counts();
  // Whichever is launched second does not begin before the other has left.
  int timed_out = -1;
  host_card_hold_layer(after.layers - before.layers + 1, /*to_card=*/0, after.from_card - before.from_card,
                       &timed_out);
  auto one = std::async(std::launch::async, [&] { Enlarge(*first, a); });
  auto other = std::async(std::launch::async, [&] { Enlarge(*second, b); });
  one.get();
  other.get();
  CHECK(timed_out == 0);
  CHECK((a.out == a_alone));
  CHECK((b.out == b_alone));
}
