// What tile writes: pixels by arithmetic, pairs, upright pictures, the manifest, and what a pipeline makes of
// it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "imgmill/image/reader.h"
#include "imgmill/image/writer.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

Image Load(const std::string& path) {
  ReadOptions options;
  options.keep_profile = true;
  return LoadImage(path, options);
}

/// Sample `b` of the pixel at (x, y) of the pictures that are drawn here: all differ nearby.
template <typename T>
T Value(int64_t x, int64_t y, int b) {
  return static_cast<T>(x * 7 + y * 13 + b * 31 + (x * y) / 5);
}

template <typename T>
void Draw(const std::string& path, int64_t width, int64_t height, int bands) {
  fs::create_directories(fs::path(path).parent_path());
  const Layout layout{width, height, bands, sizeof(T) == 1 ? Sample::kU8 : Sample::kU16};
  Image image(layout);
  for (int64_t y = 0; y < height; ++y) {
    T* row = reinterpret_cast<T*>(image.row(y));
    for (int64_t x = 0; x < width; ++x) {
      for (int b = 0; b < bands; ++b) *row++ = Value<T>(x, y, b);
    }
  }
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, layout, {}, "");
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
}

template <typename T>
void CheckTile(const std::string& path, int64_t x0, int64_t y0, int64_t size, int64_t width, int64_t height,
               int bands) {
  CAPTURE(path);
  const Image tile = Load(path);
  REQUIRE(tile.layout() == Layout{size, size, bands, sizeof(T) == 1 ? Sample::kU8 : Sample::kU16});
  bool equal = true;
  for (int64_t y = 0; y < size; ++y) {
    const T* row = reinterpret_cast<const T*>(tile.row(y));
    for (int64_t x = 0; x < size * bands; ++x) {
      const int64_t sx = std::min(width - 1, x0 + x / bands);
      equal = equal && row[x] == Value<T>(sx, std::min(height - 1, y0 + y), static_cast<int>(x % bands));
    }
  }
  CHECK(equal);
}

std::vector<nlohmann::json> Manifest(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::string Reason(const nlohmann::json& result, const std::string& file) {
  for (const auto& item : result["failed"]) {
    if (item["path"].get<std::string>().ends_with(file))
      return item["code"].get<std::string>() + ": " + item["message"].get<std::string>();
  }
  return "";
}

}  // namespace

TEST_CASE("tiles hold the pixels of their place, of any depth and with alpha") {
  const TestFolder where;
  Draw<uint8_t>(where / "in/colour.png", 150, 211, 3);
  Draw<uint16_t>(where / "in/deep.png", 130, 65, 4);
  const ProcessResult shift =
      Run({"tile", where / "in", "--size", "64", "--overlap", "16", "-o", where / "out"});
  INFO(shift.err);
  REQUIRE(shift.exit_code == 0);
  // 150: 0, 48, 86; 211: 0, 48, 96, 144, 147. 130: 0, 48, 66; 65: 0, 1.
  size_t count = 0;
  for (const int64_t x : {0, 48, 86}) {
    for (const int64_t y : {0, 48, 96, 144, 147}) {
      char name[64];
      std::snprintf(name, sizeof name, "out/colour_%05d_%05d.png", int(x), int(y));
      CheckTile<uint8_t>(where / name, x, y, 64, 150, 211, 3);
      ++count;
    }
  }
  for (const int64_t x : {0, 48, 66}) {
    for (const int64_t y : {0, 1}) {
      char name[64];
      std::snprintf(name, sizeof name, "out/deep_%05d_%05d.png", int(x), int(y));
      CheckTile<uint16_t>(where / name, x, y, 64, 130, 65, 4);
      ++count;
    }
  }
  CHECK(CountFiles(where / "out") == count + 1);
  const auto lines = Manifest(where / "out/tiles.jsonl");
  REQUIRE(lines.size() == count);
  CHECK(lines[1]["tile"] == "colour_00000_00048.png");
  CHECK(lines[1]["source"] == where / "in/colour.png");
  CHECK(lines[1]["x"] == 0);
  CHECK(lines[1]["y"] == 48);
  CHECK(lines[1]["width"] == 64);
  CHECK(lines[1]["height"] == 64);
  CHECK(lines[1]["scale"] == 1);

  REQUIRE(Run({"tile", where / "in", "--size", "64", "--edge", "pad", "-o", where / "padded"}).exit_code ==
          0);
  CheckTile<uint8_t>(where / "padded/colour_00128_00192.png", 128, 192, 64, 150, 211, 3);
  CheckTile<uint16_t>(where / "padded/deep_00128_00064.png", 128, 64, 64, 130, 65, 4);
}

TEST_CASE("an image smaller than a tile is listed, and no failure") {
  const TestFolder where;
  Draw<uint8_t>(where / "in/small.png", 200, 63, 3);
  Draw<uint8_t>(where / "in/large.png", 64, 64, 3);
  for (int round = 0; round < 2; ++round) {  // told again by the run that recalls it
    const ProcessResult result = Run({"tile", where / "in", "--size", "64", "-o", where / "out", "--json"});
    CHECK(result.exit_code == 0);
    CHECK(Json(result)["too_small"] == nlohmann::json::array({where / "in/small.png"}));
    CHECK(Json(result)["tiles"] == 1);
    CHECK(Json(result)[round == 0 ? "done" : "skipped"] == 2);
    CHECK(result.err.find("small.png: smaller than a tile") != std::string::npos);
    const bool told = result.err.find("those of 1 were finished already, 1 smaller") != std::string::npos;
    CHECK(told == (round == 1));
  }
  CHECK(Manifest(where / "out/tiles.jsonl").size() == 1);
}

TEST_CASE("pairs are cut at the same places, at the scale that their sizes show") {
  const TestFolder where;
  Draw<uint8_t>(where / "HQ/sub/a.png", 170, 130, 3);
  Draw<uint8_t>(where / "LQ/sub/a.png", 85, 65, 3);
  Draw<uint8_t>(where / "HQ/b.png", 96, 128, 1);
  Draw<uint8_t>(where / "LQ/b.png", 24, 32, 1);
  const std::vector<std::string> command = {"tile", where / "HQ", "--pair",      where / "LQ", "--size",
                                            "64",   "-o",         where / "out", "--json"};
  std::string manifest;
  for (int round = 0; round < 2; ++round) {
    const ProcessResult result = Run(command);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(Json(result)["tiles"] == 3 * 3 + 2 * 2);
    CHECK(Json(result)[round == 0 ? "done" : "skipped"] == 2);
    if (round == 0) manifest = TestFolder::Read(where / "out/tiles.jsonl");
    CHECK(TestFolder::Read(where / "out/tiles.jsonl") == manifest);
  }
  CHECK(CountFiles(where / "out/HQ") == 13);
  CHECK(CountFiles(where / "out/LQ") == 13);
  for (const auto& line : Manifest(where / "out/tiles.jsonl")) {
    const std::string tile = line["tile"], low = line["lq_tile"];
    const int64_t x = line["x"], y = line["y"], scale = line["scale"];
    const bool a = tile.find("/sub/a_") != std::string::npos;
    CHECK(scale == (a ? 2 : 4));
    CHECK(tile.substr(3) == low.substr(3));
    CHECK(line["lq_source"] == where / (a ? "LQ/sub/a.png" : "LQ/b.png"));
    CheckTile<uint8_t>(where / ("out/" + tile), x, y, 64, a ? 170 : 96, a ? 130 : 128, a ? 3 : 1);
    CheckTile<uint8_t>(where / ("out/" + low), x / scale, y / scale, 64 / scale, a ? 85 : 24, a ? 65 : 32,
                       a ? 3 : 1);
  }
  // A changed partner makes the pair anew; nothing else.
  Draw<uint8_t>(where / "LQ/b.png", 48, 64, 1);
  const ProcessResult again = Run(command);
  CHECK(again.exit_code == 0);
  CHECK(Json(again)["done"] == 1);
  CHECK(Load(where / "out/LQ/b_00000_00000.png").layout().width == 32);
}

TEST_CASE("pairs that do not match are listed, counted as failed, and never guessed") {
  const TestFolder where;
  Draw<uint8_t>(where / "HQ/good.png", 128, 128, 3);
  Draw<uint8_t>(where / "LQ/good.png", 64, 64, 3);
  Draw<uint8_t>(where / "HQ/odd.png", 128, 128, 3);
  Draw<uint8_t>(where / "LQ/odd.png", 63, 64, 3);
  Draw<uint8_t>(where / "HQ/stretched.png", 128, 128, 3);
  Draw<uint8_t>(where / "LQ/stretched.png", 64, 32, 3);
  Draw<uint8_t>(where / "HQ/third.png", 192, 192, 3);
  Draw<uint8_t>(where / "LQ/third.png", 64, 64, 3);
  Draw<uint8_t>(where / "HQ/alone.png", 128, 128, 3);
  Draw<uint8_t>(where / "LQ/orphan.png", 64, 64, 3);
  Draw<uint8_t>(where / "HQ/twice.png", 128, 128, 3);
  Draw<uint8_t>(where / "LQ/twice.png", 64, 64, 3);
  fs::copy_file(where / "LQ/twice.png", where / "LQ/twice.webp");
  Draw<uint8_t>(where / "HQ/broken.png", 128, 128, 3);
  where.Write("LQ/broken.png", "no picture");
  const std::vector<std::string> command = {"tile", where / "HQ", "--pair",      where / "LQ", "--size",
                                            "64",   "-o",         where / "out", "--json"};
  const ProcessResult result = Run(command);
  CHECK(result.exit_code == 1);
  const nlohmann::json json = Json(result);
  CHECK(json["listed"] == 8);  // seven and the orphan
  CHECK(json["done"] == 1);
  CHECK(json["failed"].size() == 7);
  CHECK(Reason(json, "HQ/odd.png").find("128x128 and its partner") != std::string::npos);
  CHECK(Reason(json, "HQ/stretched.png").find("not a whole-number scale") != std::string::npos);
  CHECK(Reason(json, "HQ/third.png").find("--size 63") != std::string::npos);
  CHECK(Reason(json, "HQ/alone.png").starts_with("not_found"));
  CHECK(Reason(json, "LQ/orphan.png").starts_with("not_found"));
  CHECK(Reason(json, "HQ/twice.png").starts_with("conflict"));
  CHECK(Reason(json, "HQ/broken.png").find("LQ/broken.png") != std::string::npos);
  CHECK(CountFiles(where / "out") == 2 * 4 + 1);

  std::vector<std::string> one =
      command;  // a choice among the images makes no orphans of the others' partners
  one[1] = where / "HQ/good.png";
  CHECK(Run(one).exit_code == 0);
}

TEST_CASE("the 16 pictures of each set of EXIF orientations give equal tiles, to rounding") {
  const char* assets = std::getenv("IMGMILL_TEST_ASSETS");
  if (assets == nullptr) {
    MESSAGE("SKIPPED: IMGMILL_TEST_ASSETS is not set");
    return;
  }
  const TestFolder where;
  const std::string folder = std::string(assets) + "/odd/recurser+exif-orientation-examples";
  REQUIRE(Run({"tile", folder, "--include", "*.jpg", "--size", "200", "-o", where / "out"}).exit_code == 0);
  for (const std::string shape : {"Landscape", "Portrait"}) {
    const auto lines = Manifest(where / "out/tiles.jsonl");
    size_t compared = 0;
    double total = 0;
    for (const auto& line : lines) {
      const std::string tile = line["tile"];
      const size_t at = tile.find(shape + "_");
      if (at == std::string::npos) continue;
      std::string first = tile;
      first[at + shape.size() + 1] = '1';
      const Image a = Load(where / ("out/" + first));
      const Image b = Load(where / ("out/" + tile));
      REQUIRE(a.layout() == b.layout());
      double sum = 0;
      for (int64_t y = 0; y < 200; ++y) {
        for (int64_t i = 0; i < 600; ++i) sum += std::abs(int{a.row(y)[i]} - int{b.row(y)[i]});
      }
      CAPTURE(tile);
      // The files were compressed after they were turned: Pillow's own worst tile of 200 differs by 19.4, its
      // mean over a picture by 3.7. A wrong turn makes the mean ten times as much.
      CHECK(sum / (200.0 * 600) < 25);
      total += sum / (200.0 * 600);
      ++compared;
    }
    CHECK(total / static_cast<double>(compared) < 4);
    CHECK(compared >= 9);
    CHECK(compared % 9 == 0);  // orientation 0 stands for none
  }
}

TEST_CASE("the best tiles are those with the highest signal") {
  const TestFolder where;
  // Flat but for one noisy corner: of nine tiles that one is the sharpest, and the one with noise.
  const Layout layout{192, 192, 1, Sample::kU8};
  Image image(layout);
  std::mt19937 random(1);
  for (int64_t y = 0; y < 192; ++y) {
    for (int64_t x = 0; x < 192; ++x)
      image.row(y)[x] = static_cast<uint8_t>(x >= 128 && y >= 64 && y < 128 ? 50 + random() % 150
                                                                            : static_cast<uint64_t>(x / 4));
  }
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(where / "photo.png", layout, {}, "");
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
  REQUIRE(Run({"tile", where / "photo.png", "--size", "64", "--best", "1", "-o", where / "out"}).exit_code ==
          0);
  CHECK(ReadFolder(where / "out").count("photo_00128_00064.png") == 1);
  CHECK(CountFiles(where / "out") == 2);
  REQUIRE(Run({"tile", where / "photo.png", "--size", "64", "--best", "8", "--by", "noise", "-o",
               where / "quiet"})
              .exit_code == 0);
  CHECK(ReadFolder(where / "quiet").count("photo_00128_00064.png") == 0);
  CHECK(CountFiles(where / "quiet") == 9);
}

TEST_CASE("the list says of each tile the values it was chosen by: those that filter measures of its file") {
  const TestFolder where;
  const auto check = [&](const std::string& out, std::vector<std::string> more, size_t tiles) {
    std::vector<std::string> command = {"tile", SampleData() + "/holiday", "--size", "96", "-o", where / out};
    command.insert(command.end(), more.begin(), more.end());
    REQUIRE(Run(command).exit_code == 0);
    const std::string list = ReadFolder(where / out).at("tiles.jsonl");
    const ProcessResult filtered =
        Run({"filter", where / out, "--keep", "sharpness>=1e9", "--keep", "entropy>=99", "--json"});
    std::map<std::string, std::map<std::string, double>> measured;
    const nlohmann::json told = Json(filtered);
    for (const auto& image : told.at("dropped_images")) {
      for (const auto& rule : image["rules"])
        measured[fs::path(image["path"].get<std::string>()).filename()][rule["signal"]] = rule["value"];
    }
    std::istringstream lines(list);
    size_t count = 0;
    for (std::string text; std::getline(lines, text); ++count) {
      const auto line = nlohmann::json::parse(text);
      CAPTURE(text);
      const auto& own = measured[line["tile"]];
      REQUIRE(line["signals"].size() == 2);
      CHECK(line["signals"]["sharpness"].get<double>() == doctest::Approx(own.at("sharpness")));
      CHECK(line["signals"]["entropy"].get<double>() == doctest::Approx(own.at("entropy")));
    }
    CHECK(count == tiles);
    REQUIRE(Run(command).exit_code == 0);  // nothing is measured again, and the list is the same
    CHECK(ReadFolder(where / out).at("tiles.jsonl") == list);
  };
  check("best", {"--keep", "entropy>=1", "--best", "3"}, 6);
  check("apart", {"--keep", "entropy>=1", "--best", "3", "--stride", "40", "--min-distance", "60"}, 6);
  // Without a choice there is nothing to say.
  REQUIRE(Run({"tile", SampleData() + "/holiday", "--best", "2", "--by", "random", "--size", "96", "-o",
               where / "any"})
              .exit_code == 0);
  CHECK(ReadFolder(where / "any").at("tiles.jsonl").find("signals") == std::string::npos);
}

TEST_CASE(
    "sources that differ in the extension only keep their tiles apart, and a set that lost a tile is made "
    "again") {
  const TestFolder where;
  Draw<uint8_t>(where / "in/a.png", 64, 128, 3);
  fs::copy_file(SampleData() + "/harbour.jpg", where / "in/a.jpg");
  const std::vector<std::string> command = {"tile", where / "in",  "--size", "64",
                                            "-o",   where / "out", "--json"};
  REQUIRE(Run(command).exit_code == 0);
  const FolderBytes expected = ReadFolder(where / "out");
  CHECK(expected.count("a.png_00000_00064.png") == 1);
  CHECK(expected.count("a.jpg_00000_00064.png") == 1);
  fs::remove(where / "out/a.png_00000_00064.png");
  const ProcessResult again = Run(command);
  CHECK(Json(again)["done"] == 1);
  CHECK(Json(again)["skipped"] == 1);
  CHECK(Difference(expected, ReadFolder(where / "out")) == "");
  // Somebody else's file is never replaced, and nothing of that set is left beside it.
  where.Write("other/a.png_00000_00064.png", "precious");
  std::vector<std::string> into = command;
  into[5] = where / "other";
  CHECK(Run(into).exit_code == 1);
  const FolderBytes other = ReadFolder(where / "other");
  CHECK(other.at("a.png_00000_00064.png") == "precious");
  CHECK(other.count("a.png_00000_00000.png") == 0);
  CHECK(other.count("a.jpg_00000_00064.png") == 1);
}

TEST_CASE("a pipeline hands tiles on, and its counts add up") {
  const TestFolder where;
  Draw<uint8_t>(where / "in/large.png", 128, 128, 3);
  Draw<uint8_t>(where / "in/small.png", 20, 20, 3);
  where.Write("in/broken.png", "no picture");
  const std::string file = where.Write("pipeline.yaml",
                                       "input: in\noutput: out\nsteps:\n"
                                       "  - tile:\n      size: 64\n"
                                       "  - upscale:\n      method: nearest\n      scale: 2\n");
  const ProcessResult result = Run({"run", file, "--json"});
  INFO(result.err);
  CHECK(result.exit_code == 1);
  const nlohmann::json steps = Json(result)["steps"];
  CHECK(steps[0]["listed"] == 3);
  CHECK(steps[0]["kept"] == 1);
  CHECK(steps[0]["dropped"] == 1);
  CHECK(steps[0]["failed"].size() == 1);
  CHECK(steps[0]["tiles"] == 4);
  CHECK(steps[1]["listed"] == 4);
  CHECK(steps[1]["kept"] == 4);
  CHECK(Load(where / "out/upscale/large_00064_00064.png").layout().width == 128);
}

}  // namespace imgmill::process_test
