// What the user says about duplicates: what a keeper is chosen by, and which pairs count.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "commands/drawn_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

nlohmann::json Dedup(std::vector<std::string> command) {
  command.insert(command.begin(), {"dedup", "--json", "--no-catalog"});
  const ProcessResult result = Run(command);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return Json(result);
}

/// "name reason" of the keeper of the only group.
std::string Kept(const std::string& folder, std::vector<std::string> more) {
  more.insert(more.begin(), folder);
  const nlohmann::json groups = Dedup(more)["groups"];
  REQUIRE(groups.size() == 1);
  const std::string keeper = groups[0]["keeper"], reason = groups[0]["reason"];
  return fs::path(keeper).filename().string() + " " + reason;
}

/// Paths of duplicates.
std::set<std::string> Duplicates(const nlohmann::json& document) {
  std::set<std::string> found;
  for (const nlohmann::json& group : document["groups"]) {
    for (size_t i = 1; i < group["images"].size(); ++i) found.insert(group["images"][i]["path"]);
  }
  return found;
}

const std::vector<std::vector<std::string>> kMethods = {
    {"--method", "exact"}, {}, {"--no-verify"}, {"--method", "embedding"}};

}  // namespace

TEST_CASE("the keeper is chosen by what the user names first, and the reason is told") {
  const TestFolder where;
  const std::string photos = where / "photos";
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  WritePicture(photos + "/large.jpg", harbour, 60);
  // Saved well after it was saved badly: less compressed to all appearances, and full of blocks.
  WritePicture(where / "blocks.jpg", harbour, 12);
  WritePicture(photos + "/resaved.jpg", ReadPicture(where / "blocks.jpg"), 95);
  WritePicture(photos + "/kept/clean.jpg", harbour, 50);
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(photos + "/large.jpg", now - std::chrono::hours(2));
  fs::last_write_time(photos + "/kept/clean.jpg", now - std::chrono::hours(9));
  fs::last_write_time(photos + "/resaved.jpg", now - std::chrono::hours(1));

  CHECK(Kept(photos, {}) == "resaved.jpg compression");
  CHECK(Kept(photos, {"--keep-by", "oldest"}) == "clean.jpg oldest");
  CHECK(Kept(photos, {"--keep-by", "folder:" + photos + "/kept"}) == "clean.jpg folder");
  CHECK(Kept(photos, {"--keep-by", "resolution,folder:" + photos + "/kept/,bytes"}) == "clean.jpg folder");
  CHECK(Kept(photos, {"--keep-by", "path"}) == "clean.jpg path");
  CHECK(Kept(photos, {"--keep-by", "bytes"}) == "resaved.jpg size");
  CHECK(Kept(photos, {"--keep-by", "format"}) == "resaved.jpg compression");
  CHECK(Kept(photos, {"--method", "embedding", "--keep-by", "oldest"}) == "clean.jpg oldest");
  CHECK(Kept(photos, {"--keep-by", "blockiness", "--decode", "full", "--exclude", "clean.jpg"}) ==
        "large.jpg blockiness");
  // Recalled from a catalog, the same.
  const std::vector<std::string> again = {"dedup",     photos,      "--json",   "--keep-by", "blockiness",
                                          "--catalog", where / "c", "--decode", "full"};
  CHECK(Json(Run(again))["groups"] == Json(Run(again))["groups"]);

  // What a word leaves open is decided as ever.
  WritePicture(photos + "/kept/small.jpg", ReadPicture(SampleData() + "/holiday/harbour.jpg"), 90);
  CHECK(Kept(photos, {"--keep-by", "folder:" + photos + "/kept"}) == "clean.jpg resolution");
}

TEST_CASE("only what is also in the reference is a duplicate, and the reference is never touched") {
  const TestFolder where;
  const auto sample = [&](const std::string& name, const std::string& to) {
    fs::create_directories(fs::path(where / to).parent_path());
    fs::copy_file(SampleData() + "/" + name, where / to);
  };
  sample("harbour.jpg", "ref/a/one.jpg");
  sample("harbour.jpg", "ref/two.jpg");
  sample("harbour.jpg", "photos/copy.jpg");
  sample("harbour.jpg", "photos/b/copy.jpg");
  sample("marble.jpg", "photos/stranger.jpg");
  sample("marble.jpg", "photos/twin.jpg");  // a duplicate of none that is in the reference
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  WritePicture(where / "photos/large.png", Draw(960, 640, 3, [&](int64_t x, int64_t y, int band) {
                 return static_cast<double>(harbour.row(y / 2)[x / 2 * 3 + band]);
               }));
  for (const std::vector<std::string>& method : kMethods) {
    CAPTURE(method.size());
    std::vector<std::string> command = {where / "photos", "--reference", where / "ref"};
    command.insert(command.end(), method.begin(), method.end());
    const nlohmann::json found = Dedup(command);
    std::set<std::string> expected = {where / "photos/copy.jpg", where / "photos/b/copy.jpg"};
    // Better than the copy in the reference, and nevertheless its duplicate.
    if (method != kMethods[0]) expected.insert(where / "photos/large.png");
    CHECK(Duplicates(found) == expected);
    REQUIRE(found["groups"].size() == 1);
    CHECK(found["groups"][0]["keeper"] == where / "ref/a/one.jpg");
    CHECK(found["groups"][0]["reason"] == "reference");
  }
  const nlohmann::json deleted = Dedup({where / "photos", "--reference", where / "ref", "--action", "delete",
                                        "--undo-file", where / "undo.tsv"});
  CHECK(deleted["acted"] == 3);
  CHECK(fs::exists(where / "ref/a/one.jpg"));
  CHECK(fs::exists(where / "ref/two.jpg"));
  CHECK(fs::exists(where / "photos/twin.jpg"));
  CHECK_FALSE(fs::exists(where / "photos/large.png"));
}

TEST_CASE("pairs across folders, and within one") {
  const TestFolder where;
  const auto sample = [&](const std::string& name, const std::string& to) {
    fs::create_directories(fs::path(where / to).parent_path());
    fs::copy_file(SampleData() + "/" + name, where / to);
  };
  sample("harbour.jpg", "data/train/a/1.jpg");
  sample("harbour.jpg", "data/train/b/2.jpg");
  sample("harbour.jpg", "data/test/3.jpg");
  sample("marble.jpg", "data/test/4.jpg");
  sample("marble.jpg", "data/test/5.jpg");
  for (const std::vector<std::string>& method : kMethods) {
    CAPTURE(method.size());
    const auto found = [&](std::vector<std::string> command) {
      command.insert(command.end(), method.begin(), method.end());
      return Duplicates(Dedup(command));
    };
    const std::string data = where / "data";
    const std::set<std::string> across = {data + "/train/a/1.jpg", data + "/train/b/2.jpg"};
    const std::set<std::string> within = {data + "/test/5.jpg", data + "/train/b/2.jpg"};
    CHECK(found({data, "--pairs", "across"}) == across);
    CHECK(found({data, "--pairs", "within"}) == within);
    // Folders that are given count as sub-folders of one do.
    CHECK(found({data + "/train", data + "/test", "--pairs", "across"}) == across);
    CHECK(found({data + "/train", data + "/test", "--pairs", "within"}) == within);
    CHECK(found({data}).size() == 3);
  }
}

TEST_CASE("what is wrong with rules is said") {
  const TestFolder where;
  const auto refused = [&](std::vector<std::string> more, const std::string& words) {
    more.insert(more.begin(), {"dedup", SampleData(), "--no-catalog"});
    const ProcessResult result = Run(more);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.err.find(words) != std::string::npos);
  };
  refused({"--keep-by", "beauty"}, "not \"beauty\"");
  refused({"--keep-by", "path,bytes"}, "nothing can follow it");
  refused({"--keep-by", "folder:"}, "folder: needs a folder");
  refused({"--keep-by", "folder:" + (where / "none")}, "is not an existing folder");
  refused({"--keep-by", "blockiness"}, "needs a hash and --decode full");
  refused({"--reference", where / "none"}, "is not an existing folder");
  refused({"--reference", SampleData(), "--pairs", "across"}, "--reference does not go with --pairs");
  refused({"--pairs", "some"}, "--pairs");
}

}  // namespace imgmill::process_test
