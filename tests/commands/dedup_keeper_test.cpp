// Which copy dedup keeps, and why: the best of its group by what can be told of all, whatever their formats.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "commands/dedup/dedup_groups.h"
#include "commands/drawn_picture.h"
#include "memory/memory_fixture.h"
#include "program.h"
#include "signals/golden_csv.h"

namespace imgmill::process_test {
namespace {

const std::vector<std::string> kMethods = {"phash", "dhash",     "ahash",    "whash",
                                           "pdq",   "blockmean", "embedding"};

/// "keeper reason" of each group of two.
std::map<std::string, std::string> Keepers(const std::vector<std::string>& command) {
  const nlohmann::json result = Json(Run(command));
  std::map<std::string, std::string> keepers;
  for (const auto& group : result["groups"]) {
    CHECK(group["images"].size() == 2);
    keepers[std::filesystem::path(std::string(group["keeper"])).filename()] = group["reason"];
  }
  return keepers;
}

Image ReadSample(const std::string& name) {
  return ReadPicture(SampleData() + "/" + name);
}

}  // namespace

TEST_CASE("a PNG is kept before its own JPEG, by every method and however JPEG files are decoded") {
  const TestFolder where;
  std::map<std::string, std::string> expected;
  for (const std::string name : {"forest", "harbour", "meadow", "marble", "mountains", "citrus"}) {
    const Image picture = ReadSample(name + ".jpg");
    WritePicture(where / ("photos/" + name + ".png"), picture);
    WritePicture(where / ("photos/" + name + ".jpg"), picture, 80);
    expected[name + ".png"] = "compression";
  }
  for (const std::string& method : kMethods) {
    for (const std::string decode : {"scaled", "full"}) {
      CAPTURE(method);
      CAPTURE(decode);
      CHECK(Keepers({"dedup", where / "photos", "--no-catalog", "--json", "--method", method, "--decode",
                     decode}) == expected);
    }
  }
  // Twice with a catalog: what is recalled says the same.
  const std::vector<std::string> again = {"dedup", where / "photos", "--catalog", where / "c", "--json"};
  CHECK(Keepers(again) == expected);
  CHECK(Keepers(again) == expected);
}

TEST_CASE(
    "of two JPEG files the less quantised is kept, even if the other one is larger by what is no picture") {
  const TestFolder where;
  const Image picture = ReadSample("harbour.jpg");
  WritePicture(where / "photos/fine.jpg", picture, 90);
  WritePicture(where / "photos/coarse.jpg", picture, 60);
  // A comment (marker FE, ISO 10918-1, B.2.4.5) of 60,000 bytes behind the start of the file.
  std::string bytes = TestFolder::Read(where / "photos/coarse.jpg");
  bytes.insert(2, std::string("\xFF\xFE\xEA\x62", 4) + std::string(60000, ' '));
  where.Write("photos/coarse.jpg", bytes);
  REQUIRE(bytes.size() > TestFolder::Read(where / "photos/fine.jpg").size());
  CHECK(Keepers({"dedup", where / "photos", "--no-catalog", "--json"}) ==
        std::map<std::string, std::string>{{"fine.jpg", "compression"}});
}

TEST_CASE("lossless before JPEG, JPEG of quality 75 and more before lossy WebP, that before JPEG below") {
  const TestFolder where;
  const Image picture = ReadSample("harbour.jpg");
  // The best first, and for each why it is better than the next.
  const std::vector<std::array<std::string, 3>> copies = {
      {"a.tiff", "100", "compression"}, {"b.jpg", "100", "compression"}, {"c.jpg", "75", "compression"},
      {"d.webp", "90", "compression"},  {"e.jpg", "74", "compression"},  {"f.jpg", "30", ""}};
  for (size_t i = 0; i < copies.size(); ++i) {
    WritePicture(where / ("all/" + copies[i][0]), picture, std::stoi(copies[i][1]));
    if (i == 0) continue;
    const std::string two = "two" + std::to_string(i) + "/";
    for (const size_t one : {i - 1, i}) {
      where.Write(two + copies[one][0], TestFolder::Read(where / ("all/" + copies[one][0])));
    }
    CHECK(Keepers({"dedup", where / two, "--no-catalog", "--json"}) ==
          std::map<std::string, std::string>{{copies[i - 1][0], copies[i - 1][2]}});
  }
  CHECK(Json(Run({"dedup", where / "all", "--no-catalog", "--json"}))["groups"][0]["keeper"] ==
        where / "all/a.tiff");
}

TEST_CASE("of two copies the one nearer to the true picture is kept, of whatever kind they are") {
  // Names and PSNR in dB against the 24-bit picture, said by NumPy (tests/golden/make_keeper_golden.py).
  constexpr double kClear = 3;
  const auto rows = ReadGolden("keeper_psnr.csv");
  REQUIRE(rows.size() > 20);
  const std::string folder = std::string(IMGMILL_SOURCE_DIR) + "/tests/golden/keeper/";
  const auto picture_of = [](const std::string& name) { return name.substr(0, name.find('_')); };
  int pairs = 0;
  for (const auto& better : rows) {
    for (const auto& worse : rows) {
      if (picture_of(better[0]) != picture_of(worse[0])) continue;
      if (std::stod(better[1]) < std::stod(worse[1]) + kClear) continue;
      CAPTURE(better[0]);
      CAPTURE(worse[0]);
      ++pairs;
      const bool grey = worse[0] == "photo_grey.png" || better[0] == "photo_grey.png";
      CHECK(Keepers({"dedup", folder + better[0], folder + worse[0], "--no-catalog", "--json",
                     "--max-distance", "20"}) ==
            std::map<std::string, std::string>{{better[0], grey ? "colour" : "compression"}});
    }
  }
  CHECK(pairs > 50);
}

TEST_CASE("colour is looked for where a JPEG is decoded small and in grey, and remembered") {
  const TestFolder where;
  const Image picture = ReadSample("harbour.jpg");
  const Image grey = Draw(480, 320, 1, [&](int64_t x, int64_t y, int) {
    const uint8_t* at = picture.row(y) + 3 * x;
    return 0.299 * at[0] + 0.587 * at[1] + 0.114 * at[2];
  });
  const Image grey_in_rgb =
      Draw(480, 320, 3, [&](int64_t x, int64_t y, int) { return static_cast<double>(grey.row(y)[x]); });
  WritePicture(where / "colour/a.png", grey);
  WritePicture(where / "colour/b.jpg", picture, 30);
  WritePicture(where / "none/a.png", grey);
  WritePicture(where / "none/b.jpg", grey_in_rgb, 95);
  WritePicture(where / "jpeg/a.jpg", grey, 80);
  WritePicture(where / "jpeg/b.jpg", grey_in_rgb, 81);
  const std::vector<std::pair<std::string, std::map<std::string, std::string>>> expected = {
      {"colour", {{"b.jpg", "colour"}}},
      {"none", {{"a.png", "compression"}}},
      {"jpeg", {{"b.jpg", "compression"}}}};
  for (const auto& [folder, keeper] : expected) {
    CAPTURE(folder);
    for (const std::string method : {"phash", "embedding"}) {
      const std::vector<std::string> command = {
          "dedup", where / folder, "--catalog", where / ("c" + method), "--method", method, "--json"};
      CHECK(Keepers(command) == keeper);
      CHECK(Keepers(command) == keeper);  // recalled
    }
  }
}

TEST_CASE("the order of keepers has no cycles: the best of many is the best of each two, in any order") {
  const auto manager = memory_test::MustCreate(memory_test::WithRoom(64 << 20));
  const StopFlag stop;
  const auto keeper_of = [&](const std::vector<DedupEntry>& entries) {
    DedupTable table;
    for (const DedupEntry& entry : entries) table.Add(entry);
    auto found = FindDuplicates(table, {}, true, 10, 1, *manager, stop);
    REQUIRE(found.ok());
    REQUIRE(found->groups.size() == 1);
    CHECK(found->MembersOf(found->groups.front()).size() == entries.size() - 1);
    return entries[found->groups.front().keeper].file.path;
  };
  std::mt19937 random(7);
  const auto one_of = [&](std::initializer_list<int64_t> values) {
    return values.begin()[random() % values.size()];
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<DedupEntry> entries(6);
    for (size_t i = 0; i < entries.size(); ++i) {
      DedupEntry& entry = entries[i];
      entry.file.path = "/nowhere/" + std::to_string(i);
      entry.content.bytes[0] = static_cast<uint8_t>(i);
      entry.width = one_of({100, 200, 400});
      entry.height = one_of({100, 200, 400});
      // The last digit decides in place of the listing's order, which is another for each call.
      entry.bytes = one_of({1000, 2000, 3000}) + static_cast<int64_t>(i);
      entry.notes.shows_colour = static_cast<uint16_t>(one_of({0, 1}));
      entry.notes.fidelity = static_cast<uint32_t>(one_of({100, 149, 150, 1 << 24}));
      entry.notes.sharpness = static_cast<double>(one_of({0, 10, 11, 100, 150}));
      entry.notes.shapes = 50;
    }
    const std::string best = keeper_of(entries);
    for (const DedupEntry& other : entries) {
      const auto is_best = [&](const DedupEntry& e) { return e.file.path == best; };
      if (is_best(other)) continue;
      const DedupEntry& winner = *std::find_if(entries.begin(), entries.end(), is_best);
      CHECK(keeper_of({winner, other}) == best);
      CHECK(keeper_of({other, winner}) == best);
    }
    std::shuffle(entries.begin(), entries.end(), random);
    CHECK(keeper_of(entries) == best);
    for (DedupEntry& entry : entries) {
      const std::string path = entry.file.path;
      entry = entries.front();
      entry.file.path = path;
    }
    CHECK(keeper_of(entries) == entries.front().file.path);  // the first listed, where nothing else decides
  }
}

}  // namespace imgmill::process_test
