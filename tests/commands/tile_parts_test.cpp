// Where tiles begin, what they are called and which are best: by arithmetic on paper.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "commands/tile/tile_band.h"
#include "commands/tile/tile_grid.h"
#include "commands/tile/tile_names.h"
#include "commands/tile/tile_ranking.h"

using namespace imgmill;

namespace {

using Starts = std::vector<int64_t>;

/// A flat tile whose luma alternates by `step` from column to column.
Image Stripes(int64_t side, uint8_t step) {
  Image image(Layout{side, side, 1, Sample::kU8});
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) image.row(y)[x] = static_cast<uint8_t>(100 + (x % 2) * step);
  }
  return image;
}

std::vector<const uint8_t*> RowsOf(const Image& image) {
  std::vector<const uint8_t*> rows;
  for (int64_t y = 0; y < image.layout().height; ++y) rows.push_back(image.row(y));
  return rows;
}

}  // namespace

TEST_CASE("tiles begin where the stride says, and the last one where the policy does") {
  struct Case {
    int64_t length, size, stride;
    Starts shift, drop, pad;
  };
  for (const Case& each : std::vector<Case>{
           {300, 100, 100, {0, 100, 200}, {0, 100, 200}, {0, 100, 200}},  // an exact fit has no last one
           {310, 100, 100, {0, 100, 200, 210}, {0, 100, 200}, {0, 100, 200, 300}},
           {100, 100, 100, {0}, {0}, {0}},
           {99, 100, 100, {}, {}, {0}},
           {101, 100, 100, {0, 1}, {0}, {0, 100}},
           {150, 100, 50, {0, 50}, {0, 50}, {0, 50}},                // covered: no third
           {120, 100, 50, {0, 20}, {0}, {0, 50}},                    // overlapping
           {320, 100, 150, {0, 150, 220}, {0, 150}, {0, 150, 300}},  // with gaps: the next begins at 300
           {260, 100, 150, {0, 150}, {0, 150}, {0, 150}},            // 250 to 260 is gap
           {1, 8, 8, {}, {}, {0}},
       }) {
    CAPTURE(each.length);
    CAPTURE(each.size);
    CAPTURE(each.stride);
    CHECK(TileStarts(each.length, each.size, each.stride, EdgePolicy::kShift) == each.shift);
    CHECK(TileStarts(each.length, each.size, each.stride, EdgePolicy::kDrop) == each.drop);
    CHECK(TileStarts(each.length, each.size, each.stride, EdgePolicy::kPad) == each.pad);
  }
}

TEST_CASE("names of tiles say where they lie, and are read back") {
  CHECK(TileName("sub/photo_", {512, 1024}, ".png") == "sub/photo_00512_01024.png");
  CHECK(TileName("a_", {0, 123456}, ".jpg") == "a_00000_123456.jpg");
  CHECK(PlaceOf("sub/photo_00512_01024.png", "sub/photo_") == TilePlace{512, 1024});
  CHECK(PlaceOf("a_00000_123456.jpg", "a_") == TilePlace{0, 123456});
  // A source's name may itself end like a tile's.
  CHECK(PlaceOf("a_00001_00002_00003_00004.png", "a_00001_00002_") == TilePlace{3, 4});
  CHECK_FALSE(PlaceOf("a_00001_00002_00003_00004.png", "a_"));
  CHECK_FALSE(PlaceOf("b_00001_00002.png", "a_"));
  CHECK_FALSE(PlaceOf("a_00001.png", "a_"));
}

TEST_CASE("the ranking keeps the best, the first of equals, and those without a value last") {
  TileRanking ranking(2, Signal::kSharpness);
  CHECK(ranking.Takes(1, {0, 0}));
  CHECK_FALSE(ranking.Put(1, {0, 0}));
  CHECK_FALSE(ranking.Put(3, {8, 0}));
  CHECK_FALSE(ranking.Takes(1, {16, 0}));  // equal to the worst, and later
  CHECK_FALSE(ranking.Takes(0.5, {16, 0}));
  CHECK(ranking.Takes(2, {0, 8}));
  CHECK(ranking.Put(2, {0, 8}) == TilePlace{0, 0});
}

TEST_CASE("chance is the same for the same seed and place, and spreads evenly") {
  CHECK(RandomScore(1, {256, 512}) == RandomScore(1, {256, 512}));
  CHECK(RandomScore(1, {256, 512}) != RandomScore(2, {256, 512}));
  CHECK(RandomScore(1, {256, 512}) != RandomScore(1, {512, 256}));
  std::array<int, 10> tenths = {};
  for (int64_t x = 0; x < 100; ++x) {
    for (int64_t y = 0; y < 100; ++y) ++tenths[static_cast<size_t>(10 * RandomScore(7, {256 * x, 256 * y}))];
  }
  // 1000 each, with a deviation of 30.
  for (const int count : tenths) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
}

namespace {

double Score(const TileRanking& ranking, Signal by, const Image& tile,
             const std::vector<const uint8_t*>& rows) {
  return ranking.Score(MeasureTile(tile.layout(), rows, {by})[by]);
}

}  // namespace

TEST_CASE("a tile's score is the signal of its pixels, however its rows lie in memory") {
  const Image soft = Stripes(32, 4);
  const Image crisp = Stripes(32, 80);
  const TileRanking sharp(1, Signal::kSharpness);
  // Columns alternate by s, so the Laplacian is +2s or -2s everywhere: its variance is 4 s^2 but for the one
  // pixel more of one sign on 30 columns, which is even: exactly 4 s^2.
  CHECK(Score(sharp, Signal::kSharpness, soft, RowsOf(soft)) == doctest::Approx(64));
  CHECK(Score(sharp, Signal::kSharpness, crisp, RowsOf(crisp)) == doctest::Approx(25600));
  const TileRanking quiet(1, Signal::kNoise);  // the lower the better
  CHECK(Score(quiet, Signal::kNoise, soft, RowsOf(soft)) >=
        Score(quiet, Signal::kNoise, crisp, RowsOf(crisp)));

  std::vector<const uint8_t*> turned = RowsOf(crisp);  // as in a ring that begins in the middle
  std::rotate(turned.begin(), turned.begin() + 10, turned.end());
  CHECK(Score(sharp, Signal::kSharpness, crisp, turned) == doctest::Approx(25600));
  std::vector<const uint8_t*> repeated(32, crisp.row(5));  // as at a padded edge
  CHECK(Score(sharp, Signal::kSharpness, crisp, repeated) == doctest::Approx(25600));
}

TEST_CASE("a band gives the rows of any tile that it still holds, and fills up what lies outside") {
  const Layout layout{10, 23, 1, Sample::kU8};
  const auto pixel = [](int64_t x, int64_t y) { return static_cast<uint8_t>(10 * y + x); };
  TileBand band(layout, 8);
  TileRows rows;
  std::vector<uint8_t> row(10);
  for (int64_t y = 0; y < 23; ++y) {
    for (int64_t x = 0; x < 10; ++x) row[static_cast<size_t>(x)] = pixel(x, y);
    band.Put(row.data());
    const int64_t top = y - 7;
    if (top < 0) continue;
    for (const int64_t left : {0, 2, 7}) {
      const auto tile = band.Tile(left, top, rows);
      for (int64_t i = 0; i < 8; ++i) {
        for (int64_t j = 0; j < 8; ++j) {
          CHECK(int{tile[static_cast<size_t>(i)][j]} == int{pixel(std::min<int64_t>(left + j, 9), top + i)});
        }
      }
    }
  }
  const auto corner = band.Tile(8, 20, rows);
  for (int64_t i = 0; i < 8; ++i) {
    for (int64_t j = 0; j < 8; ++j) {
      CHECK(int{corner[static_cast<size_t>(i)][j]} ==
            int{pixel(std::min<int64_t>(8 + j, 9), std::min<int64_t>(20 + i, 22))});
    }
  }
}
