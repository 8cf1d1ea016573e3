// Several runs of tile into one folder: the list tells of all tiles that are there. The lists of runs into
// folders of their own are the oracle.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <nlohmann/json.hpp>

#include "drawn_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;
namespace {

void Add(const std::string& path, int64_t width, int64_t height, double level) {
  WritePicture(path, Draw(width, height, 3, [&](int64_t x, int64_t y, int band) {
                 return level + static_cast<double>((x + 2 * y + 3 * band) % 100);
               }));
}

ProcessResult Tile(const TestFolder& where, const std::string& from, const std::string& to,
                   const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {"tile", where / from, "--size", "64", "-o", where / to, "--json"};
  words.insert(words.end(), more.begin(), more.end());
  return Run(words);
}

size_t Lines(const std::string& path) {
  const std::string text = TestFolder::Read(path);
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// A folder whose path is longer than the system takes, so that it cannot be read, by whomever.
void MakeUnreadable(const std::string& folder) {
  const std::string name(250, 'd');
  fs::create_directory(folder);
  int at = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  for (size_t length = folder.size(); length <= PATH_MAX; length += name.size() + 1) {
    REQUIRE(::mkdirat(at, name.c_str(), 0755) == 0);
    const int inner = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = inner;
  }
  ::close(at);
}

}  // namespace

TEST_CASE("the list keeps the tiles of other sources, as long as they are there") {
  const TestFolder where;
  Add(where / "first/a.png", 130, 70, 10);
  Add(where / "first/b.png", 64, 64, 20);
  Add(where / "second/c.png", 70, 64, 30);
  const std::string list = where / "out/tiles.jsonl";
  REQUIRE(Tile(where, "first", "out").exit_code == 0);
  const std::string first = TestFolder::Read(list);
  REQUIRE(Lines(list) == 7);  // 130x70: 3 columns of 2; 64x64: 1
  REQUIRE(Tile(where, "second", "alone").exit_code == 0);
  const std::string second = TestFolder::Read(where / "alone/tiles.jsonl");

  for (int round = 0; round < 2; ++round) {
    const ProcessResult both = Tile(where, "second", "out");
    CHECK(both.exit_code == 0);
    CHECK(both.err.find("7 tiles of 2 other sources kept in the list") != std::string::npos);
    CHECK(Json(both)["tiles"] == 2);
    CHECK(Json(both)["tiles_of_other_sources"] == 7);
    CHECK(Json(both)["other_sources"] == 2);
    CHECK(TestFolder::Read(list) == first + second);
  }
  CHECK(Tile(where, "first", "out").exit_code == 0);
  CHECK(TestFolder::Read(list) == second + first);
  CHECK(CountFiles(where / "out") == 9 + 1);  // no temporaries, either: they begin with a dot
  CHECK(ReadFolder(where / "out").size() == 9 + 1);

  fs::remove(where / "out/a_00000_00000.png");  // a tile that somebody took away is none
  CHECK(Tile(where, "second", "out").exit_code == 0);
  CHECK(Lines(list) == 8);
  CHECK(TestFolder::Read(list).find("a_00000_00000") == std::string::npos);

  // Refused, as its names are taken: the list still tells of who has them.
  Add(where / "third/a.png", 64, 64, 40);
  Add(where / "third/d.png", 64, 64, 50);
  const ProcessResult some = Tile(where, "third", "out");
  CHECK(some.exit_code == 1);
  CHECK(Json(some)["failed"].size() == 1);
  CHECK(Lines(list) == 9);
  CHECK(TestFolder::Read(list).find("third/d.png") != std::string::npos);
  CHECK(TestFolder::Read(list).find("third/a.png") == std::string::npos);

  // A source that is worked on again has its new lines only.
  Add(where / "first/a.png", 64, 64, 60);
  CHECK(Tile(where, "first", "out").exit_code == 0);
  const std::string last = TestFolder::Read(list);
  CHECK(Lines(list) == 5);  // c has two, d, a and b one each
  CHECK(last.find("a_00066") == std::string::npos);
}

TEST_CASE("tiles of an image that fails are told as its own, not as another source's") {
  const TestFolder where;
  Add(where / "first/a.png", 130, 70, 10);
  Add(where / "first/b.png", 64, 64, 20);
  Add(where / "second/c.png", 70, 64, 30);
  Add(where / "x2/a.png", 65, 35, 10);
  Add(where / "x2/b.png", 32, 32, 10);
  for (const bool paired : {false, true}) {
    CAPTURE(paired);
    const std::string out = paired ? "pairs" : "out";
    const auto tile = [&] {
      return Tile(where, "first", out,
                  paired ? std::vector<std::string>{"--pair", where / "x2"} : std::vector<std::string>());
    };
    REQUIRE(tile().exit_code == 0);
    if (!paired) REQUIRE(Tile(where, "second", out).exit_code == 0);
    const std::string tiles = out + (paired ? "/HQ" : "");
    where.Write(tiles + "/a_00000_00000.png", "somebody's");
    fs::remove(where / (tiles + "/a_00064_00000.png"));
    fs::remove(where / (tiles + "/a_00066_00006.png"));
    const ProcessResult again = tile();
    INFO(again.err);
    CHECK(again.exit_code == 1);
    const nlohmann::json told = Json(again);
    CHECK(told["failed"].size() == 1);
    // By hand: 130x70 gives six, of which those are there that were not removed.
    CHECK(told["tiles_of_failed"] == 4);
    CHECK(told.contains("other_sources") == !paired);
    CHECK(Lines(where / (out + "/tiles.jsonl")) == (paired ? 5 : 7));  // b's one, and c's two
    CHECK(again.err.find(std::string(paired ? "4 pairs" : "4 tiles") +
                         " of 1 failed source still there and kept in the list") != std::string::npos);
  }
}

TEST_CASE("a list that is damaged or none stops tile before it works") {
  const TestFolder where;
  Add(where / "first/a.png", 130, 64, 10);
  Add(where / "second/b.png", 64, 64, 20);
  const std::string list = where / "out/tiles.jsonl";
  REQUIRE(Tile(where, "first", "out").exit_code == 0);
  const std::string whole = TestFolder::Read(list);
  const std::pair<std::string, std::string> broken[] = {
      {whole.substr(0, whole.size() - 5), "damaged at line 3"},
      {whole + "hello\n", "damaged at line 4"},
      {whole + whole.substr(0, 30) + "\n", "damaged at line 4"},
      {"{\"tile\":\"" + std::string(300'000, 'x'), "damaged at line 1"},
      {"my notes\n", "is not a list of tiles"}};
  for (const auto& [text, why] : broken) {
    CAPTURE(why);
    where.Write("out/tiles.jsonl", text);
    for (const bool dry : {true, false}) {
      const ProcessResult refused = Tile(
          where, "second", "out", dry ? std::vector<std::string>{"--dry-run"} : std::vector<std::string>());
      CHECK(refused.exit_code > 1);
      CHECK(refused.err.find(list) != std::string::npos);
      CHECK(refused.err.find(why) != std::string::npos);
      CHECK(refused.err.find("--force") != std::string::npos);
    }
    CHECK(!fs::exists(where / "out/b_00000_00000.png"));
    CHECK(TestFolder::Read(list) == text);
  }
  CHECK(Tile(where, "second", "out", {"--force"}).exit_code == 0);
  CHECK(Lines(list) == 1);
}

TEST_CASE("a folder among the tiles that cannot be read is named and left out, and the list is written") {
  const TestFolder where;
  Add(where / "in/a.png", 130, 70, 10);
  Add(where / "in/b.png", 64, 64, 20);
  REQUIRE(Tile(where, "in", "alone").exit_code == 0);
  fs::create_directory(where / "out");
  MakeUnreadable(where / "out/lost");
  const ProcessResult first = Tile(where, "in", "out");
  INFO(first.err);
  CHECK(first.exit_code == 0);
  CHECK(first.err.find("cannot look for files of earlier runs in " + where.path() + "/out/lost/ddd") !=
        std::string::npos);
  CHECK(TestFolder::Read(where / "out/tiles.jsonl") == TestFolder::Read(where / "alone/tiles.jsonl"));
  // What can be read is still looked at.
  fs::remove(where / "in/b.png");
  CHECK(Json(Tile(where, "in", "out", {"--prune"}))["stale_removed"] == 1);
  CHECK(Lines(where / "out/tiles.jsonl") == 6);
}

TEST_CASE(
    "images of one content whose partners differ keep the values of their own tiles in every later list") {
  const TestFolder where;
  Add(where / "hq/1.png", 500, 436, 10);
  fs::copy_file(where / "hq/1.png", where / "hq/2.png");
  Add(where / "lq/1.png", 250, 218, 20);
  Add(where / "lq/2.png", 166, 145, 20);  // a third: two pixels are cut off
  const std::vector<std::string> tile = {
      "tile",   where / "hq", "--pair", where / "lq", "--crop-pairs", "--size",      "120",
      "--best", "6",          "--by",   "contrast",   "-o",           where / "out", "--json"};
  REQUIRE(Run(tile).exit_code == 0);
  const std::string first = TestFolder::Read(where / "out/tiles.jsonl");
  const auto count = [](const std::string& text, const std::string& part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  REQUIRE(count(first, "contrast") == 12);
  const ProcessResult again = Run(tile);
  CHECK(Json(again)["skipped"] == 2);
  CHECK(TestFolder::Read(where / "out/tiles.jsonl") == first);
}

}  // namespace imgmill::process_test
