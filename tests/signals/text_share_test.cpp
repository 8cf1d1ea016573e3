// The share of text: its loops against the plain ones, and pictures whose share can be told by hand.
#include <doctest/doctest.h>

#include <cstring>
#include <random>

#include "imgmill/signals/signal_set.h"
#include "signals/formula_picture.h"
#include "signals/text_kernels.h"

namespace imgmill {
namespace {

std::optional<double> TextShare(const Image& picture) {
  return MeasureSignals(picture.view(), {Signal::kTextShare})[Signal::kTextShare];
}

Image Grey(int64_t width, int64_t height, uint8_t level) {
  Image picture(Layout{width, height, 1, Sample::kU8});
  std::memset(picture.row(0), level, static_cast<size_t>(width * height));
  return picture;
}

/// Grey with letters in the rectangle from (left, top) to (right, bottom).
Image Written(int64_t width, int64_t height, int64_t left, int64_t top, int64_t right, int64_t bottom) {
  Image picture = Grey(width, height, 225);
  for (int64_t y = top; y < bottom; ++y) {
    for (int64_t x = left; x < right; ++x) {
      if (IsInk(static_cast<uint64_t>(x), static_cast<uint64_t>(y), 5)) picture.row(y)[x] = 25;
    }
  }
  return picture;
}

}  // namespace

TEST_CASE("all implementations of the loops of text agree on cells") {
  constexpr size_t kWidth = 7 * kTextCell + 2 * kTextReach;
  std::mt19937 random(7);
  for (int kind = 0; kind < 6; ++kind) {
    std::vector<std::vector<uint8_t>> pixels(kTextRows, std::vector<uint8_t>(kWidth));
    for (auto& row : pixels) {
      for (uint8_t& pixel : row) {
        const auto level = static_cast<uint8_t>(random());
        pixel = kind < 2   ? level
                : kind < 4 ? static_cast<uint8_t>(100 + level % 9)
                : kind < 5 ? static_cast<uint8_t>(level < 128 ? 0 : 255)
                           : uint8_t{255};
      }
    }
    const uint8_t* rows[kTextRows];
    for (size_t y = 0; y < kTextRows; ++y) rows[y] = pixels[y].data() + kTextReach;
    for (const TextKernels& fast : AvailableTextKernels()) {
      CAPTURE(fast.name);
      for (size_t count = 0; count <= 7; ++count) {
        std::vector<TextCell> found(count + 1), expected(count + 1);
        fast.cells(rows, count, found.data());
        AvailableTextKernels().front().cells(rows, count, expected.data());
        CHECK(found == expected);
      }
    }
  }
}

TEST_CASE("all implementations halve rows and sum up layers alike") {
  std::mt19937 random(8);
  const TextKernels& plain = AvailableTextKernels().front();
  for (size_t count = 0; count < 200; ++count) {
    std::vector<uint8_t> above(2 * count), row(2 * count);
    for (size_t i = 0; i < 2 * count; ++i) {
      above[i] = static_cast<uint8_t>(random());
      row[i] = static_cast<uint8_t>(random());
    }
    std::vector<float> bias, weights, values(5 * (count + 8));
    for (int i = 0; i < 6; ++i) bias.push_back(static_cast<float>(random() % 2000) / 1000 - 1);
    for (int i = 0; i < 30; ++i) weights.push_back(static_cast<float>(random() % 2000) / 1000 - 1);
    for (float& value : values) value = static_cast<float>(random() % 1000) / 1000;
    const TextLayer layer = {5, 6, bias.data(), weights.data(), count % 2 == 0};
    const float* taken[5];
    for (size_t i = 0; i < 5; ++i) taken[i] = values.data() + i * (count + 8);
    const auto give = [&](const TextKernels& kernels) {
      std::vector<float> found(6 * (count + 8));
      float* given[6];
      for (size_t i = 0; i < 6; ++i) given[i] = found.data() + i * (count + 8);
      kernels.layer(layer, taken, count, given);
      std::vector<float> inside;
      for (const float* each : given) inside.insert(inside.end(), each, each + count);
      return inside;
    };
    for (const TextKernels& fast : AvailableTextKernels()) {
      CAPTURE(fast.name);
      CAPTURE(count);
      std::vector<uint8_t> found(count), expected(count);
      fast.halve(above.data(), row.data(), count, found.data());
      plain.halve(above.data(), row.data(), count, expected.data());
      CHECK(found == expected);
      CHECK(give(fast) == give(plain));
    }
  }
}

TEST_CASE("a cell's strokes, steps and levels, by hand") {
  // A dark bar of two columns and of all rows, on a lighter ground.
  std::vector<std::vector<uint8_t>> pixels(kTextRows, std::vector<uint8_t>(kTextCell + 2 * kTextReach, 200));
  for (auto& row : pixels) row[kTextReach + 5] = row[kTextReach + 6] = 40;
  const uint8_t* rows[kTextRows];
  for (size_t y = 0; y < kTextRows; ++y) rows[y] = pixels[y].data() + kTextReach;
  for (const TextKernels& kernels : AvailableTextKernels()) {
    TextCell cell;
    kernels.cells(rows, 1, &cell);
    // Along the row: to one side of a bar's pixel, at distance 1, is the other; from 2 on both are ground.
    const std::array<int32_t, kStrokeSums> expected = {0, 0, 5120, 0, 5120, 0, 5120, 0,    0,
                                                       0, 0, 0,    0, 0,    0, 0,    5120, 0};
    CHECK(cell.strokes == expected);
    CHECK(cell.flat == 16 * 14);  // all but the pixels before a step
    CHECK(cell.low == 40);
    CHECK(cell.high == 200);
    CHECK(cell.near_low == 2 * 16);
    CHECK(cell.near_high == 14 * 16);
  }
}

TEST_CASE("letters count, and grey, stripes, slopes and noise do not") {
  // Letters of so few pixels are found in part.
  const double all = TextShare(Written(320, 240, 0, 0, 320, 240)).value_or(-1);
  CHECK(all > 20);
  const double half = TextShare(Written(320, 240, 0, 0, 160, 240)).value_or(-1);
  CHECK(half > 10);
  CHECK(half < all);
  CHECK(half <= 55);
  CHECK(TextShare(Grey(320, 240, 200)) == 0.0);
  CHECK(TextShare(FormulaPicture(320, 240, 1, "diagonal", 3)) == 0.0);
  CHECK(TextShare(FormulaPicture(320, 240, 1, "checks", 3)) == 0.0);
  CHECK(TextShare(FormulaPicture(320, 240, 1, "noise", 3)).value_or(100) < 5);
  Image stripes = Grey(320, 240, 30);
  for (int64_t y = 0; y < 240; ++y) {
    for (int64_t x = 0; x < 320; ++x) {
      if (x / 4 % 3 == 0) stripes.row(y)[x] = 220;
    }
  }
  CHECK(TextShare(stripes) == 0.0);
}

TEST_CASE("of large pictures the halved one is looked at, of small ones whole cells only") {
  // Each pixel of the small picture four times in the large one.
  const Image small = Written(320, 260, 40, 30, 300, 150);
  Image large(Layout{640, 520, 1, Sample::kU8});
  for (int64_t y = 0; y < 520; ++y) {
    for (int64_t x = 0; x < 640; ++x) large.row(y)[x] = small.row(y / 2)[x / 2];
  }
  CHECK(TextShare(large) == TextShare(small));
  CHECK(TextShare(large).value_or(0) > 5);
  CHECK_FALSE(TextShare(Grey(15, 400, 9)).has_value());
  CHECK_FALSE(TextShare(Grey(400, 15, 9)).has_value());
  CHECK(TextShare(Grey(16, 16, 9)) == 0.0);
}

}  // namespace imgmill
