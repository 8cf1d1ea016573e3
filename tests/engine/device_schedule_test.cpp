// Where groups go, with figures small enough to be worked out by hand.
#include "engine/device_schedule.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace imgmill;

namespace {

using Devices = std::vector<std::optional<int>>;

Devices PlacesOf(const std::vector<PendingGroup>& groups, std::vector<DeviceLoad> devices) {
  return PlaceGroups(groups, std::move(devices));
}

const PendingGroup kAnywhere{1, {true, true}};

}  // namespace

TEST_CASE("equal devices take turns, the one that is free first gets the next") {
  CHECK(PlacesOf({4, kAnywhere}, {{1, {0}}, {1, {0}}}) == Devices{0, 1, 0, 1});
  CHECK(PlacesOf({3, kAnywhere}, {{1, {2.5}}, {1, {0}}}) == Devices{1, 1, 1});  // ends 1, 2, 3; else 3.5
}

TEST_CASE(
    "a slow device does not take the last group when a faster one, even after what it has, ends it first") {
  // Device 1 takes 10 seconds. Device 0 has half a second left: it ends its groups at 1.5, 2.5, 3.5.
  CHECK(PlacesOf({3, kAnywhere}, {{1, {0.5}}, {10, {0}}}) == Devices{0, 0, 0});
  // Of twelve groups device 0 ends the ninth at 9.5; the tenth is better off on device 1, which ends it
  // at 10.
  const Devices many = PlacesOf({12, kAnywhere}, {{1, {0.5}}, {10, {0}}});
  CHECK(std::count(many.begin(), many.end(), 1) == 1);
  CHECK(many[9] == 1);  // device 0 would end it at 10.5
}

TEST_CASE("streams of a device are places of their own; a device that may not have a group gets none") {
  CHECK(PlacesOf({3, kAnywhere}, {{2, {0}}, {3, {0, 0}}}) == Devices{0, 1, 1});
  CHECK(PlacesOf({{1, {false, true}}, {1, {false, false}}}, {{1, {0}}, {5, {0}}}) ==
        Devices{1, std::nullopt});
}

TEST_CASE("speeds: the first batch is a try, then an exponential mean; the unknown counts as the fastest") {
  DeviceSpeeds speeds(3);
  CHECK(speeds.SecondsAPixel(0, 0) == speeds.SecondsAPixel(1, 0));
  speeds.Note(0, 100, 50, 50);  // a cold start
  CHECK(speeds.SecondsAPixel(1, 50) == doctest::Approx(0.5));
  speeds.Note(0, 100, 10, 60);
  CHECK(speeds.SecondsAPixel(0, 60) == doctest::Approx(0.1));
  speeds.Note(0, 100, 20, 80);
  CHECK(speeds.SecondsAPixel(0, 80) == doctest::Approx(0.1 + 0.3 * 0.1));
  speeds.Note(1, 100, 4, 80);
  CHECK(speeds.SecondsAPixel(1, 80) == doctest::Approx(0.04));  // after one batch still the fastest known
  CHECK(speeds.SecondsAPixel(2, 80) == doctest::Approx(0.04));
  // 16 batches of 20 seconds without one: half.
  CHECK(speeds.SecondsAPixel(0, 80 + 16 * 20) == doctest::Approx(0.13 / 2));
}

TEST_CASE("a batch that is late is expected to be late by as much again") {
  CHECK(TimeLeft(5, 2) == 3);
  CHECK(TimeLeft(5, 5) == 0);
  CHECK(TimeLeft(5, 12) == 7);
}
