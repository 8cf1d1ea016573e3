// The two small parts of the module that can be asked alone: which pictures lean on damage, and which way is
// up.
#include <doctest/doctest.h>

#include <array>
#include <limits>

#include "video/damage.h"
#include "video/display_matrix.h"

using namespace imgmill;

TEST_CASE("from a damaged packet on, no picture is trusted up to the next that stands for itself") {
  Damage damage;
  // Packets in the order of decoding, and when they are shown: I0 P3 B1 B2 | I6 B4 B5 P7.
  const int64_t shown[] = {0, 3, 1, 2, 6, 4, 5, 7};
  for (int64_t packet = 0; packet < 8; ++packet) {
    damage.Sent(packet, packet == 0 || packet == 4, shown[packet]);
    if (packet == 2) damage.Broken(packet, "broken");
  }
  const auto spoiled = [&](int64_t packet) { return damage.Around(packet, shown[packet]) != nullptr; };
  CHECK_FALSE(spoiled(0));
  CHECK_FALSE(spoiled(1));
  CHECK(spoiled(2));
  CHECK(spoiled(3));
  CHECK_FALSE(spoiled(4));
  // Behind I6 in the file, but shown before it: they lean on what was before I6, too.
  CHECK(spoiled(5));
  CHECK(spoiled(6));
  CHECK_FALSE(spoiled(7));
  CHECK(damage.Around(2, 1)->why == "broken");
  CHECK_FALSE(damage.Around(2, 1)->at_start);
}

TEST_CASE(
    "damage that does not end spoils the rest, and damage before the first key frame is the file's "
    "beginning") {
  Damage damage;
  damage.Sent(0, false, 0);
  damage.Broken(0, "no reference");
  CHECK(damage.Around(0, 0)->at_start);
  damage.Sent(1, true, 1);
  CHECK(damage.Around(1, 1) == nullptr);
  damage.Broken(1, "bits");
  damage.Broken(2, "later");
  REQUIRE(damage.Around(100, std::numeric_limits<int64_t>::max()) != nullptr);
  CHECK(damage.Around(100, 100)->why == "bits");
}

TEST_CASE("a clock that begins anew behind a damaged packet hides no picture") {
  Damage damage;
  for (int64_t packet = 0; packet < 100; ++packet) {
    damage.Sent(packet, packet % 20 == 0, 1000 + packet);
    if (packet == 50) damage.Broken(packet, "why");
  }
  CHECK(damage.Around(50, 1050) != nullptr);
  CHECK(damage.Around(61, 1059) != nullptr);  // leads the one that stands for itself
  CHECK(damage.Around(61, 1061) == nullptr);
  CHECK(damage.Around(100, 0) == nullptr);
}

TEST_CASE("display matrices turn as EXIF's orientations do") {
  // EXIF 2.32, 4.6.4: where row 0 and column 0 of the stored picture lie when it is shown. With y downwards,
  // the stored x axis goes to (a, b) and the y axis to (c, d).
  struct Case {
    int a, b, c, d;
    int orientation;
  };
  const Case cases[] = {{1, 0, 0, 1, 1}, {-1, 0, 0, 1, 2}, {-1, 0, 0, -1, 3}, {1, 0, 0, -1, 4},
                        {0, 1, 1, 0, 5}, {0, 1, -1, 0, 6}, {0, -1, -1, 0, 7}, {0, -1, 1, 0, 8}};
  constexpr int32_t kOne = 1 << 16;
  for (const Case& each : cases) {
    CAPTURE(each.orientation);
    const std::array<int32_t, 9> matrix = {
        each.a * kOne, each.b * kOne, 0, each.c * kOne, each.d * kOne, 0, 0, 0, 1 << 30};
    CHECK(OrientationOf(matrix.data()) == each.orientation);
  }
  const std::array<int32_t, 9> askew = {46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30};  // 45 degrees
  CHECK(OrientationOf(askew.data()) == 0);
}
