// Made-up levels: what is a leak and what only looks like one.
#include "memory/leak_watch.h"

#include <doctest/doctest.h>

#include <functional>
#include <random>

#include "imgmill/base/byte_size.h"

namespace imgmill {
namespace {

/// Feeds `images` levels. @return after how many a leak was told, 0 for never
size_t ToldAfter(size_t images, const std::function<LeakWatch::Level(size_t)>& level) {
  LeakWatch watch;
  for (size_t i = 1; i <= images; ++i) {
    const auto leak = watch.Ended("work", level(i));
    if (leak && watch.Confirms(*leak, level(i))) {
      CHECK(leak->work == "work");
      return i;
    }
  }
  return 0;
}

TEST_CASE("64 KiB an image beside busy neighbours is told within 200 images") {
  std::mt19937 random(1);
  const size_t told = ToldAfter(400, [&](size_t i) {
    const size_t neighbours = random() % (2 * kMiB);
    const size_t cached = random() % (2 * kMiB);
    return LeakWatch::Level{90 * kMiB + i * 64 * kKiB + neighbours + cached, cached, 2 * kMiB};
  });
  CHECK(told > 0);
  CHECK(told <= 200);
}

TEST_CASE("images that grow and shrink are no leak, nor is a library that takes its share once") {
  std::mt19937 random(2);
  // Ever larger images, of which half the prediction is used; then ever smaller ones.
  CHECK(ToldAfter(10'000, [&](size_t i) {
          const size_t image = (i < 5'000 ? i : 10'000 - i) * 8 * kKiB;
          return LeakWatch::Level{90 * kMiB + image / 2 + random() % (image / 2 + 1), 0, image};
        }) == 0);
  CHECK(ToldAfter(1'000, [](size_t i) {
          return LeakWatch::Level{(i < 500 ? 90 : 190) * kMiB, 0, kMiB};
        }) == 0);
  // Noise of two images of up to 40 MiB, as predicted.
  CHECK(ToldAfter(10'000, [&](size_t) {
          const size_t used = random() % (40 * kMiB);
          return LeakWatch::Level{90 * kMiB + used, 0, 40 * kMiB};
        }) == 0);
  // 200 bytes of notes an image.
  CHECK(ToldAfter(10'000, [](size_t i) { return LeakWatch::Level{90 * kMiB + i * 200, 0, kMiB}; }) == 0);
}

TEST_CASE("what emptied caches give back is not told, and a told work is not told again") {
  LeakWatch watch;
  size_t suspicions = 0;
  for (size_t i = 1; i <= 1000; ++i) {
    const auto leak = watch.Ended("work", {90 * kMiB + i * 64 * kKiB, 0, 0});
    if (!leak) continue;
    ++suspicions;
    CHECK_FALSE(watch.Confirms(*leak, {90 * kMiB, 0, 0}));
  }
  CHECK(suspicions == 5);  // each time after nine windows of twenty
  size_t told = 0;
  for (size_t i = 1; i <= 1000; ++i) {
    const LeakWatch::Level level{90 * kMiB + i * 64 * kKiB, 0, 0};
    const auto leak = watch.Ended("work", level);
    if (leak && watch.Confirms(*leak, level)) ++told;
  }
  CHECK(told == 1);
}

}  // namespace
}  // namespace imgmill
