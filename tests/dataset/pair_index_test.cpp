// Partners by path without extension, and what has none: over small folders, by hand.
#include "imgmill/dataset/pair_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "dataset/listed_files.h"
#include "dataset/test_folder.h"

using namespace imgmill;

TEST_CASE("partners have the same path below their folders, whatever the extension") {
  const TestFolder folder;
  // "a-b" stands before "a.png" in a listing and after "a" as a key.
  for (const char* name :
       {"hq/a.png", "hq/a-b.png", "hq/sub/a.png", "hq/c.v2.png", "hq/alone.png", "hq/two.png", "hq/clash.png",
        "hq/clash.jpg", "lq/a.jpg", "lq/a-b.webp", "lq/sub/a.png", "lq/c.v2.jpg", "lq/orphan.png",
        "lq/sub/orphan.png", "lq/two.jpg", "lq/two.webp", "lq/clash.png"})
    folder.Write(name);
  ListOptions options;
  options.paths = {folder / "lq"};
  auto index = PairIndex::Read(options);
  REQUIRE(index);
  std::map<std::string, std::string> partners;
  for (const ListedFile& file : List(folder / "hq")) {
    const Result<std::string> partner = index->Take(file);
    partners[file.relative] = partner ? *partner : std::string(ToString(partner.error().code));
  }
  CHECK(partners["a.png"] == folder / "lq/a.jpg");
  CHECK(partners["a-b.png"] == folder / "lq/a-b.webp");
  CHECK(partners["sub/a.png"] == folder / "lq/sub/a.png");
  CHECK(partners["c.v2.png"] == folder / "lq/c.v2.jpg");
  CHECK(partners["alone.png"] == "not_found");
  CHECK(partners["two.png"] == "conflict");
  CHECK(partners["clash.png"] == "conflict");
  CHECK(partners["clash.jpg"] == "conflict");
  std::vector<ListProblem> unpaired;
  index->AddUnpaired(unpaired);
  REQUIRE(unpaired.size() == 2);
  CHECK(unpaired[0].path == folder / "lq/orphan.png");
  CHECK(unpaired[1].path == folder / "lq/sub/orphan.png");
}

TEST_CASE(
    "partners of thousands of files, more than stay in memory, are found, and those left are in order") {
  const TestFolder folder;
  const std::string stem(60, 's');
  for (int i = 0; i < 3000; ++i) {
    folder.Write("lq/" + std::to_string(i) + stem + ".jpg");
    if (i % 3 != 0) folder.Write("hq/" + std::to_string(i) + stem + ".png");
  }
  // Names around the end of a key.
  for (const char* name : {"a", "a b", "a/b", "a-", "a.b"}) {
    folder.Write("lq/" + std::string(name) + "/x.jpg");
    folder.Write("hq/" + std::string(name) + "/x.png");
  }
  ListOptions options;
  options.paths = {folder / "lq"};
  auto index = PairIndex::Read(options);
  REQUIRE(index);
  uint64_t found = 0;
  for (const ListedFile& file : List(folder / "hq")) {
    const Result<std::string> partner = index->Take(file);
    REQUIRE(partner);
    const std::string same = file.relative.substr(0, file.relative.size() - 4);
    CHECK(*partner == folder / ("lq/" + same + ".jpg"));
    ++found;
  }
  CHECK(found == 2005);
  std::vector<ListProblem> unpaired = {{"before", Error{}}};
  index->AddUnpaired(unpaired);
  REQUIRE(unpaired.size() == 1001);
  CHECK(unpaired[0].path == "before");
  CHECK(std::is_sorted(unpaired.begin() + 1, unpaired.end(),
                       [](const ListProblem& a, const ListProblem& b) { return a.path < b.path; }));
}

TEST_CASE("partners of which not all were listed are none") {
  const TestFolder folder;
  folder.Write("lq/a.jpg");
  StopFlag stop;
  ListOptions options;
  options.paths = {folder / "lq"};
  options.stop = &stop;
  CHECK(PairIndex::Read(options));
  stop.RequestStop();
  const Result<PairIndex> stopped = PairIndex::Read(options);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == Code::kInterrupted);
}

TEST_CASE("partners named by a pattern, and names that do not follow it") {
  const TestFolder folder;
  for (const char* name : {"x/a_HR.png", "x/sub/b_HR.png", "x/c.png", "x/_HR.png", "x/a_LR_x4.jpg",
                           "x/sub/b_LR_x4.png", "x/d_LR_x4.png"})
    folder.Write(name);
  ListOptions options;
  options.paths = {folder / "x"};
  auto index = PairIndex::Read(
      options, {NamePattern::Parse("{name}_HR").value(), NamePattern::Parse("{name}_LR_x4").value()});
  REQUIRE(index);
  std::map<std::string, std::string> partners;
  for (const ListedFile& file : List(folder / "x")) {
    const Result<std::string> partner = index->Take(file);
    partners[file.relative] = partner ? *partner : std::string(ToString(partner.error().code));
  }
  CHECK(partners["a_HR.png"] == folder / "x/a_LR_x4.jpg");
  CHECK(partners["sub/b_HR.png"] == folder / "x/sub/b_LR_x4.png");
  CHECK(partners["c.png"] == "not_found");
  CHECK(partners["_HR.png"] == "not_found");  // nothing is shared
  CHECK(partners["d_LR_x4.png"] == "not_found");
  // Those that no image could ask for are not missed.
  CHECK(index->left_aside() == 4);
  std::vector<ListProblem> unpaired;
  index->AddUnpaired(unpaired);
  REQUIRE(unpaired.size() == 1);
  CHECK(unpaired[0].path == folder / "x/d_LR_x4.png");
  for (const char* wrong : {"", "x4", "{name}{name}", "LR/{name}", "{Name}"})
    CHECK(NamePattern::Parse(wrong).error().code == Code::kUsage);
}

TEST_CASE("where the folder around both is listed, the images' own folder does not count") {
  const TestFolder folder;
  for (const char* name : {"set/HQ/a.png", "set/HQ/sub/a.png", "set/LQ/a.jpg", "set/LQ/sub/a.png",
                           "set/LQ/HQ/a.png", "other/HQ/a.png"})
    folder.Write(name);
  ListOptions options;
  options.paths = {folder / "set/LQ"};
  auto index = PairIndex::Read(options);
  REQUIRE(index);
  std::map<std::string, std::string> partners;
  for (const ListedFile& file : List(folder / "set")) {
    const Result<std::string> partner = index->Take(file);
    partners[file.relative] = partner ? *partner : std::string(ToString(partner.error().code));
  }
  CHECK(partners["HQ/a.png"] == folder / "set/LQ/a.jpg");
  CHECK(partners["HQ/sub/a.png"] == folder / "set/LQ/sub/a.png");
  // What another folder beside it has under that name would have the same partner.
  folder.Write("set/other/a.png");
  for (const ListedFile& file : List(folder / "set")) {
    if (file.relative == "other/a.png") CHECK(index->Take(file).error().code == Code::kConflict);
  }
  // Mirrored folders, too, and elsewhere the paths are taken as they are.
  folder.Write("set/train/b.png");
  folder.Write("set/LQ/train/b.png");
  auto mirrored = PairIndex::Read(options);
  REQUIRE(mirrored);
  for (const ListedFile& file : List(folder / "set")) {
    if (file.relative == "train/b.png") CHECK(*mirrored->Take(file) == folder / "set/LQ/train/b.png");
  }
  CHECK(*index->Take(List(folder / "other").front()) == folder / "set/LQ/HQ/a.png");
}
