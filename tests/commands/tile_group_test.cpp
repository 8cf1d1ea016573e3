// Images of several scales cut in step, tiles at a distance, captions beside tiles, and the files of an
// earlier choice. Every pixel that is drawn says where it lies, so that a shift of one pixel shows; the rest
// is counted.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <set>

#include "commands/tile/tile_pairs.h"
#include "commands/tile/tile_spacing.h"
#include "imgmill/image/reader.h"
#include "imgmill/image/writer.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// Of 16 bits: (x * step, y * step, mark) at (x, y).
void DrawPlaces(const std::string& path, int64_t width, int64_t height, int64_t step, uint16_t mark) {
  fs::create_directories(fs::path(path).parent_path());
  const Layout layout{width, height, 3, Sample::kU16};
  Image image(layout);
  for (int64_t y = 0; y < height; ++y) {
    auto* row = reinterpret_cast<uint16_t*>(image.row(y));
    for (int64_t x = 0; x < width; ++x) {
      *row++ = static_cast<uint16_t>(x * step);
      *row++ = static_cast<uint16_t>(y * step);
      *row++ = mark;
    }
  }
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, layout, {}, "");
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
}

/// Whether the tile shows the places from (x, y) on, the last ones of the area repeated.
bool Shows(const std::string& path, int64_t x, int64_t y, int64_t size, int64_t step, int64_t width,
           int64_t height, uint16_t mark) {
  ReadOptions options;
  options.keep_profile = true;
  const Image tile = LoadImage(path, options);
  if (!(tile.layout() == Layout{size, size, 3, Sample::kU16})) return false;
  for (int64_t j = 0; j < size; ++j) {
    const auto* row = reinterpret_cast<const uint16_t*>(tile.row(j));
    for (int64_t i = 0; i < size; ++i, row += 3) {
      if (row[0] != std::min(x + i * step, width - step) || row[1] != std::min(y + j * step, height - step) ||
          row[2] != mark)
        return false;
    }
  }
  return true;
}

std::vector<nlohmann::json> Lines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::string LowFolder(size_t number) {
  return "X" + std::to_string(number);
}

}  // namespace

/// @param one_crop  partners are made of the image cropped to a multiple of all scales, each else of it
/// cropped
///                  to a multiple of its own
void CheckGroups(bool one_crop) {
  for (unsigned seed = 0; seed < 16; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto pick = [&](int64_t from, int64_t to) {
      return std::uniform_int_distribution<int64_t>(from, to)(random);
    };
    std::vector<int64_t> scales(static_cast<size_t>(pick(1, 3)));
    for (int64_t& scale : scales) scale = pick(1, 4);
    int64_t common = 1;
    for (const int64_t scale : scales) common = std::lcm(common, scale);
    const int64_t size = common * pick(24 / common, 60 / common + 1);
    const int64_t stride = common * pick((size / common + 1) / 2, size / common);
    const std::string edge =
        std::vector<std::string>{"shift", "drop", "pad"}[static_cast<size_t>(pick(0, 2))];

    const TestFolder where;
    std::vector<std::pair<int64_t, int64_t>> sizes;
    for (uint16_t image = 0; image < 3; ++image) {
      // Below, of few pixels other scales fit, too.
      sizes.emplace_back(pick(one_crop ? 60 : 24, 150), pick(one_crop ? 60 : 24, 150));
      const auto& [width, height] = sizes.back();
      const std::string name = std::to_string(image) + ".png";
      DrawPlaces(where / ("HQ/" + name), width, height, 1, image);
      const int64_t left_columns = one_crop ? width % common : 0, left_rows = one_crop ? height % common : 0;
      for (size_t i = 0; i < scales.size(); ++i)
        DrawPlaces(where / (LowFolder(i) + "/" + name), (width - left_columns) / scales[i],
                   (height - left_rows) / scales[i], scales[i], image);
    }
    std::vector<std::string> command = {
        "tile",     where / "HQ",           "-o",     where / "out", "--size",      std::to_string(size),
        "--stride", std::to_string(stride), "--edge", edge,          "--crop-pairs"};
    for (size_t i = 0; i < scales.size(); ++i) {
      command.emplace_back("--pair");
      command.push_back(where / LowFolder(i));
    }
    const ProcessResult result = Run(command);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);

    std::vector<std::set<std::pair<int64_t, int64_t>>> places(3);
    for (const nlohmann::json& line : Lines(where / "out/tiles.jsonl")) {
      const auto image = static_cast<uint16_t>(std::stoi(fs::path(line["source"].get<std::string>()).stem()));
      auto [width, height] = sizes[image];
      for (const int64_t scale : scales) {
        width = std::min(width, sizes[image].first / scale * scale);
        height = std::min(height, sizes[image].second / scale * scale);
      }
      width -= width % common;
      height -= height % common;
      const int64_t x = line["x"], y = line["y"];
      CHECK(places[image].emplace(x, y).second);
      CHECK(x % common == 0);
      CHECK(y % common == 0);
      if (edge != "pad") {
        CHECK(x + size <= width);
        CHECK(y + size <= height);
      }
      CHECK(Shows(where / ("out/" + line["tile"].get<std::string>()), x, y, size, 1, width, height, image));
      for (size_t i = 0; i < scales.size(); ++i) {
        const bool single = scales.size() == 1;
        const std::string low = single ? line["lq_tile"] : line["lq"][i]["tile"];
        CHECK((single ? line["scale"] : line["lq"][i]["scale"]) == scales[i]);
        CHECK(low.starts_with(single ? "LQ/" : LowFolder(i) + "/"));
        CHECK(Shows(where / ("out/" + low), x, y, size / scales[i], scales[i], width, height, image));
      }
    }
    size_t tiles = 0;
    for (size_t image = 0; image < 3; ++image) {
      tiles += places[image].size();
      auto [width, height] = sizes[image];
      for (const int64_t scale : scales) {
        width = std::min(width, sizes[image].first / scale * scale);
        height = std::min(height, sizes[image].second / scale * scale);
      }
      width -= width % common;
      height -= height % common;
      const bool covers = edge == "pad" || (edge == "shift" && width >= size && height >= size);
      size_t bare = 0;
      for (int64_t y = 0; y < height && covers; ++y) {
        for (int64_t x = 0; x < width; ++x) {
          bare += std::none_of(places[image].begin(), places[image].end(), [&](const auto& place) {
            return x >= place.first && x < place.first + size && y >= place.second && y < place.second + size;
          });
        }
      }
      CHECK(bare == 0);
    }
    CHECK(CountFiles(where / "out") == tiles * (1 + scales.size()) + 1);
  }
}

TEST_CASE("groups of random sizes, strides and scales: aligned to the pixel, covered, and nothing twice") {
  CheckGroups(false);
}

TEST_CASE("and so are groups of partners that were all made of one crop of the image") {
  CheckGroups(true);
}

TEST_CASE("partners of one crop are known by the least common multiple of their scales") {
  using Scales = std::vector<int>;
  const auto of = [](const PixelSize& high, const std::vector<PixelSize>& lows, bool cropped = true) {
    return ScalesOfGroup(high, lows, cropped);
  };
  // By hand: 1023 and 779 less what is left over by 12 are 1020 and 768.
  const std::vector<PixelSize> lows = {{510, 384}, {340, 256}, {255, 192}};
  CHECK(of({1023, 779}, lows) == Scales{2, 3, 4});
  CHECK(of({1023, 779}, lows, false).empty());
  CHECK(of({1020, 768}, lows, false) == Scales{2, 3, 4});
  // Each from a crop of its own: 511 by 2, 341 by 3, 255 by 4.
  CHECK(of({1023, 779}, {{511, 389}, {341, 259}, {255, 194}}) == Scales{2, 3, 4});
  CHECK(of({1023, 779}, {{511, 389}, {340, 256}, {255, 192}}).empty());  // some of either kind
  CHECK(of({1031, 779}, {{510, 384}, {340, 256}, {255, 192}}) == Scales{2, 3, 4});
  CHECK(of({1032, 779}, {{510, 384}, {340, 256}, {255, 192}}).empty());  // 12 more would have fitted
  CHECK(of({13, 13}, {{2, 2}, {2, 2}}).empty());                         // 6 leaves 12 of 13, and 5 leaves 10
}

TEST_CASE(
    "a partner that is a little too small is refused, unless it may be a crop's, and then only one scale "
    "fits") {
  CHECK(PairScale({400, 300}, {100, 75}, false) == 4);
  CHECK(PairScale({403, 303}, {100, 75}, false) == 0);
  CHECK(PairScale({403, 303}, {100, 75}, true) == 4);
  CHECK(PairScale({404, 300}, {100, 75}, true) == 0);  // a pixel of the smaller one is left over
  CHECK(PairScale({400, 300}, {99, 75}, true) == 0);
  CHECK(PairScale({7, 7}, {1, 1}, true) == 7);    // exactly
  CHECK(PairScale({15, 14}, {2, 2}, true) == 0);  // 6 and 7 fit
  CHECK(PairScale({100, 75}, {400, 300}, true) == 0);

  const TestFolder where;
  DrawPlaces(where / "HQ/a.png", 131, 128, 1, 0);
  DrawPlaces(where / "LQ/a.png", 65, 64, 2, 0);
  const std::vector<std::string> command = {"tile", where / "HQ",  "--pair", where / "LQ",
                                            "-o",   where / "out", "--size", "32"};
  const ProcessResult refused = Run(command);
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("--crop-pairs") != std::string::npos);
}

TEST_CASE("an image without a partner in one folder of several is listed with all that it lacks") {
  const TestFolder where;
  for (const char* name : {"a.png", "b.png"}) DrawPlaces(where / ("HQ/" + std::string(name)), 64, 64, 1, 0);
  DrawPlaces(where / "X2/ax2.png", 32, 32, 2, 0);
  DrawPlaces(where / "X4/ax4.png", 16, 16, 4, 0);
  DrawPlaces(where / "X4/cx4.png", 16, 16, 4, 0);
  const ProcessResult result =
      Run({"tile", where / "HQ", "--pair", where / "X2", "--pair-name", "{name}x2", "--pair", where / "X4",
           "--pair-name", "{name}x4", "-o", where / "out", "--size", "32", "--json"});
  CHECK(result.exit_code == 1);
  const nlohmann::json json = Json(result);
  CHECK(json["done"] == 1);
  REQUIRE(json["failed"].size() == 2);
  for (const auto& failed : json["failed"]) {
    const std::string path = failed["path"], message = failed["message"];
    if (path.ends_with("b.png")) {
      CHECK(message.find("X2/bx2.*") != std::string::npos);
      CHECK(message.find("X4/bx4.*") != std::string::npos);
    } else {
      CHECK(path.ends_with("X4/cx4.png"));
    }
  }
  CHECK(fs::exists(where / "out/X4/a_00032_00000.png"));
  fs::create_directories(where / "other/X2");
  const ProcessResult same =
      Run({"tile", where / "HQ", "--pair", where / "X2", "--pair", where / "other/X2", "-o", where / "out"});
  CHECK(same.exit_code == 2);
}

TEST_CASE("spaced tiles are the greedy choice, by brute force") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::vector<RankedPlace> places;
    for (int i = 0; i < 60; ++i) {
      const TilePlace place{static_cast<int64_t>(random() % 300), static_cast<int64_t>(random() % 300)};
      places.push_back({static_cast<double>(random() % 10), place});
    }
    const auto distance = static_cast<int64_t>(1 + random() % 120);
    const size_t most = 1 + random() % 20;
    const std::vector<TilePlace> chosen = ChooseSpaced(places, most, distance);
    std::vector<TilePlace> expected;
    std::vector<RankedPlace> left = places;
    while (expected.size() < most && !left.empty()) {
      const auto best =
          std::min_element(left.begin(), left.end(), [](const RankedPlace& a, const RankedPlace& b) {
            if (a.score != b.score) return a.score > b.score;
            return a.place.y != b.place.y ? a.place.y < b.place.y : a.place.x < b.place.x;
          });
      const TilePlace taken = best->place;
      expected.push_back(taken);
      std::erase_if(left, [&](const RankedPlace& each) {
        const int64_t dx = each.place.x - taken.x, dy = each.place.y - taken.y;
        return dx * dx + dy * dy < distance * distance;
      });
    }
    CHECK(chosen.size() == expected.size());
    for (const TilePlace& place : expected)
      CHECK(std::find(chosen.begin(), chosen.end(), place) != chosen.end());
  }
}

TEST_CASE("the best tiles at a distance are those that all tiles' signals give") {
  const TestFolder where;
  fs::create_directories(where / "in");
  fs::copy_file(SampleData() + "/harbour.jpg", where / "in/harbour.jpg");
  const std::vector<std::string> grid = {"--size", "64", "--stride", "32"};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), grid.begin(), grid.end());
    const ProcessResult result = Run(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  };
  run({"tile", where / "in", "-o", where / "all"});
  REQUIRE(Run({"filter", where / "all", "--export", where / "signals.jsonl"}).exit_code == 0);
  std::vector<RankedPlace> places;
  for (const nlohmann::json& line : Lines(where / "signals.jsonl")) {
    const std::string stem = fs::path(line["path"].get<std::string>()).stem();
    places.push_back({line["sharpness"], {std::stoll(stem.substr(8, 5)), std::stoll(stem.substr(14, 5))}});
  }
  REQUIRE(places.size() == CountFiles(where / "all") - 1);
  std::set<std::string> expected;
  for (const TilePlace& place : ChooseSpaced(places, 5, 100))
    expected.insert(TileName("harbour_", place, ".png"));
  REQUIRE(expected.size() == 5);
  run({"tile", where / "in", "-o", where / "best", "--best", "5", "--min-distance", "100"});
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(where / "best")) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".png")) continue;
    found.insert(name);
    CHECK(TestFolder::Read(entry.path()) == TestFolder::Read(where / ("all/" + name)));
  }
  CHECK(found == expected);

  run({"tile", where / "in", "-o", where / "first", "--min-distance", "64"});  // every second one, each way
  for (const nlohmann::json& line : Lines(where / "first/tiles.jsonl")) {
    CHECK((line["x"].get<int64_t>() % 64 == 0 || line["x"] == 480 - 64));
    CHECK((line["y"].get<int64_t>() % 64 == 0 || line["y"] == 320 - 64));
  }
}

TEST_CASE("captions lie beside each tile, follow their changes, and verify knows them") {
  const TestFolder where;
  DrawPlaces(where / "in/a.png", 64, 32, 1, 0);
  DrawPlaces(where / "in/b.png", 64, 32, 1, 1);
  where.Write("in/a.txt", "of a");
  where.Write("in/a.png.json", "{}");
  const std::vector<std::string> command = {"tile", where / "in", "-o",           where / "out", "--size",
                                            "32",   "--sidecars", "*.txt,*.json", "--json"};
  CHECK(Json(Run(command))["done"] == 2);
  CHECK(Json(Run(command))["skipped"] == 2);
  CHECK(Json(Run(command))["tiles"] == 4);
  for (const char* name : {"a_00000_00000", "a_00032_00000"}) {
    CHECK(TestFolder::Read(where / ("out/" + std::string(name) + ".txt")) == "of a");
    CHECK(TestFolder::Read(where / ("out/" + std::string(name) + ".png.json")) == "{}");
  }
  const auto lines = Lines(where / "out/tiles.jsonl");
  REQUIRE(lines.size() == 4);
  CHECK(lines[0]["sidecars"] == nlohmann::json::array({"a_00000_00000.txt", "a_00000_00000.png.json"}));
  CHECK_FALSE(lines[2].contains("sidecars"));
  CHECK(Run({"verify", where / "out"}).exit_code == 0);

  where.Write("in/a.txt", "edited");
  CHECK(Json(Run(command))["done"] == 1);
  CHECK(TestFolder::Read(where / "out/a_00032_00000.txt") == "edited");
  fs::remove(where / "in/a.png.json");
  CHECK(Json(Run(command))["done"] == 1);
  CHECK(CountFiles(where / "out") == 4 + 2 + 1);
  CHECK(Run({"verify", where / "out"}).exit_code == 0);
  where.Write("out/a_00032_00000.txt", "damaged");
  const ProcessResult damaged = Run({"verify", where / "out"});
  CHECK(damaged.exit_code == 4);
  CHECK(damaged.out.find("a_00032_00000.txt") != std::string::npos);
}

TEST_CASE("a caption that was edited beside its tile stays, and its image is no failure") {
  const TestFolder where;
  DrawPlaces(where / "in/a.png", 64, 32, 1, 0);
  where.Write("in/a.txt", "of a");
  const std::vector<std::string> command = {"tile", where / "in", "-o",    where / "out", "--size",
                                            "32",   "--sidecars", "*.txt", "--json"};
  const std::string edited = where / "out/a_00032_00000.txt";
  CHECK(Json(Run(command))["done"] == 1);
  where.Write("out/a_00032_00000.txt", "of its right half");
  const ProcessResult again = Run(command);
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(Json(again)["skipped"] == 1);
  CHECK(Json(again)["tiles"] == 2);
  CHECK(again.err.find("out/a_00032_00000.txt was changed") != std::string::npos);
  CHECK(TestFolder::Read(edited) == "of its right half");
  CHECK(Lines(where / "out/tiles.jsonl").size() == 2);

  // Both were edited: nobody knows which is right.
  where.Write("in/a.txt", "of a harbour");
  CHECK(Json(Run(command))["failed"].size() == 1);
  CHECK(TestFolder::Read(edited) == "of its right half");
  fs::remove(edited);
  CHECK(Json(Run(command))["done"] == 1);
  CHECK(TestFolder::Read(edited) == "of a harbour");
  // What an earlier run has written is no edit.
  where.Write("in/a.txt", "of a");
  CHECK(Json(Run(command))["done"] == 1);
  CHECK(TestFolder::Read(edited) == "of a");
  // A tile that was changed is not told from a broken one.
  where.Write("out/a_00000_00000.png", "painted over");
  CHECK(Json(Run(command))["failed"].size() == 1);
}

TEST_CASE("tiles with an edited caption are those of the same image elsewhere, too") {
  const TestFolder where;
  DrawPlaces(where / "in/a.png", 64, 32, 1, 0);
  where.Write("in/a.txt", "of a");
  const auto tile = [&](const std::string& input) {
    return Run({"tile", where / input, "-o", where / "out", "--size", "32", "--sidecars", "*.txt", "--json"});
  };
  CHECK(Json(tile("in"))["done"] == 1);
  where.Write("out/a_00032_00000.txt", "of its right half");
  fs::copy(where / "in", where / "copied");
  for (int run = 0; run < 2; ++run) {
    const ProcessResult copied = tile("copied");
    INFO(copied.err);
    CHECK(copied.exit_code == 0);
    CHECK(Json(copied)["skipped"] == 1);
    CHECK(copied.err.find("out/a_00032_00000.txt was changed") != std::string::npos);
    CHECK(TestFolder::Read(where / "out/a_00032_00000.txt") == "of its right half");
  }
}

TEST_CASE("verify knows what tiles of several scales were made from") {
  const TestFolder where;
  DrawPlaces(where / "HQ/a.png", 64, 64, 1, 0);
  DrawPlaces(where / "X2/a.png", 32, 32, 2, 0);
  REQUIRE(
      Run({"tile", where / "HQ", "--pair", where / "X2", "-o", where / "out", "--size", "32"}).exit_code ==
      0);
  const ProcessResult well = Run({"verify", where / "out", "--sources"});
  CHECK_MESSAGE(well.exit_code == 0, well.out);
  DrawPlaces(where / "HQ/a.png", 64, 64, 1, 7);
  const ProcessResult changed = Run({"verify", where / "out", "--sources"});
  CHECK(changed.exit_code == 4);
  CHECK(changed.out.find("source changed") != std::string::npos);
}

TEST_CASE("files of an earlier choice are named, and go with --prune, and nothing else does") {
  const TestFolder where;
  DrawPlaces(where / "in/a.png", 128, 64, 1, 0);
  DrawPlaces(where / "in/b.png", 64, 64, 1, 1);
  const auto tile = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"tile", where / "in", "-o", where / "out", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const ProcessResult result = Run(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return Json(result);
  };
  CHECK_FALSE(tile({"--size", "32"}).contains("files_of_earlier_choices"));  // 8 and 4 tiles
  where.Write("out/mine.png", "somebody's");
  where.Write("out/a_00096_00000.png", "changed by somebody");
  for (int round = 0; round < 2; ++round)  // done, and recalled
    CHECK(tile({"--size", "64"})["files_of_earlier_choices"] == 12 - 3 - 1);
  const nlohmann::json pruned = tile({"--size", "64", "--prune"});
  CHECK(pruned["pruned"] == 8);
  CHECK_FALSE(tile({"--size", "64", "--prune"}).contains("pruned"));
  CHECK(CountFiles(where / "out") == 3 + 1 + 2);
  CHECK(TestFolder::Read(where / "out/mine.png") == "somebody's");
  CHECK(TestFolder::Read(where / "out/a_00096_00000.png") == "changed by somebody");
  fs::remove(where / "out/mine.png");
  fs::remove(where / "out/a_00096_00000.png");
  CHECK(tile({"--size", "32", "--prune"})["tiles"] == 12);  // the earlier choice is made again
  CHECK(CountFiles(where / "out") == 12 + 1);
}

}  // namespace imgmill::process_test
