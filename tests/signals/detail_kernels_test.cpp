// Every implementation of the loops against the plain one, on random rows of every length.
#include "signals/detail_kernels.h"

#include <doctest/doctest.h>

#include <random>

#include "signals/signal_kernels.h"

namespace imgmill {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes RandomRow(std::mt19937& random, size_t length) {
  Bytes row(length);
  // Some rows in a few levels, so that neighbours are equal, too, and some of black and white.
  const auto kind = random() % 3;
  for (uint8_t& value : row) {
    const auto level = static_cast<uint8_t>(random());
    value = kind == 0 ? level : kind == 1 ? static_cast<uint8_t>(level % 12 * 4) : level < 128 ? 0 : 255;
  }
  return row;
}

}  // namespace

TEST_CASE("all implementations of the detail loops agree") {
  const DetailKernels& plain = AvailableDetailKernels().front();
  std::mt19937 random(5);
  for (size_t count = 0; count <= kKernelRun; count += count < 300 ? 1 : 181) {
    std::vector<Bytes> rows;
    const uint8_t* at[kBlurRows];
    for (size_t i = 0; i < kBlurRows; ++i) {
      rows.push_back(RandomRow(random, count + 12));
      at[i] = rows[i].data();
    }
    std::vector<int16_t> planes[3], smoothed(count + 12);
    for (auto& plane : planes) {
      for (size_t i = 0; i < count; ++i) plane.push_back(static_cast<int16_t>(random() % 4081));
    }
    plain.smooth(at[0], at[1], at[2], count + 12, smoothed.data());
    for (const DetailKernels& fast : AvailableDetailKernels()) {
      CAPTURE(fast.name);
      CAPTURE(count);
      CHECK(fast.saturation(planes[0].data(), planes[1].data(), planes[2].data(), count) ==
            plain.saturation(planes[0].data(), planes[1].data(), planes[2].data(), count));
      CHECK(fast.gradients(at[0], at[1], at[2], count) == plain.gradients(at[0], at[1], at[2], count));
      CHECK(fast.extrema(at[0], at[1], at[2], count) == plain.extrema(at[0], at[1], at[2], count));
      CHECK(fast.teeth(at[0], at[1], at[2], at[3], count) == plain.teeth(at[0], at[1], at[2], at[3], count));
      std::vector<int16_t> again(count + 12);
      fast.smooth(at[0], at[1], at[2], count + 12, again.data());
      CHECK(again == smoothed);
      const BlurPart along = fast.blur_along(smoothed.data(), count);
      const BlurPart along_plain = plain.blur_along(smoothed.data(), count);
      CHECK(along.steps == along_plain.steps);
      CHECK(along.lost == along_plain.lost);
      const BlurPart down = fast.blur_down(at, count);
      const BlurPart down_plain = plain.blur_down(at, count);
      CHECK(down.steps == down_plain.steps);
      CHECK(down.lost == down_plain.lost);
      Bytes low(count, 100), high(count, 100), low_plain = low, high_plain = high;
      const LumaRange range = fast.extremes(at[4], count, low.data(), high.data());
      const LumaRange range_plain = plain.extremes(at[4], count, low_plain.data(), high_plain.data());
      CHECK(range.low == range_plain.low);
      CHECK(range.high == range_plain.high);
      CHECK(low == low_plain);
      CHECK(high == high_plain);
    }
  }
}

TEST_CASE("sums of gradients fit 32 bits where every window is as strong as can be") {
  // Columns of black and white, two wide: each window sees an edge of 255 x 4.
  Bytes row(kKernelRun + 2);
  for (size_t x = 0; x < row.size(); ++x) row[x] = x / 2 % 2 == 0 ? 0 : 255;
  for (const DetailKernels& kernels : AvailableDetailKernels())
    CHECK(kernels.gradients(row.data(), row.data(), row.data(), kKernelRun) == kKernelRun * 1020 * 1020);
}

}  // namespace imgmill
