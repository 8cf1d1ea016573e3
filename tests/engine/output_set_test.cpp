// A set of files is published whole, found whole, adopted whole, or taken away: each end of a killed run is
// made by hand, row by row and file by file.
#include "imgmill/engine/output_set.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace imgmill;
namespace fs = std::filesystem;

namespace {

struct Place {
  Place() {
    std::string name = (fs::temp_directory_path() / "imgmill-set-XXXXXX").string();
    root = ::mkdtemp(name.data());
    auto opened = Catalog::Open("");
    REQUIRE(opened);
    catalog = *std::move(opened);
    folder = std::make_unique<OutputFolder>(root + "/out", "test/1", *catalog, false);
    std::ofstream(root + "/source.png") << "source";
    item.file.path = item.main.path = item.main.absolute = root + "/source.png";
    item.main.content = DigestOfBytes("source", 6);
  }
  ~Place() {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(root + "/out")) {
      if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), root + "/out").string());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  std::optional<std::vector<std::string>> Find() {
    auto found = FindFinishedSet(*folder, item, prefixes);
    REQUIRE(found);
    return *found;
  }
  void Row(const std::string& output, const std::string& bytes, WorkRow::State state) {
    const ContentDigest digest =
        output.ends_with('/') ? ContentDigest{} : DigestOfBytes(bytes.data(), bytes.size());
    const auto size = output.ends_with('/') ? std::stoll(bytes) : static_cast<long long>(bytes.size());
    REQUIRE(catalog->PutWork(folder->KeyOf(item, output), WorkRow{state, size, digest}));
  }
  void File(const std::string& relative, const std::string& bytes) {
    fs::create_directories(fs::path(root + "/out/" + relative).parent_path());
    std::ofstream(root + "/out/" + relative) << bytes;
  }

  std::string root;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<OutputFolder> folder;
  Item item;
  SetPrefixes prefixes = {"HQ/p_", "LQ/p_"};
};

Status Add(OutputSet& set, const std::string& name, const std::string& bytes) {
  return set.Add(name, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a name that is given back is free only when all of its holders have") {
  Place place;
  OutputFolder folder(place.root + "/out", "test/1", *place.catalog, /*overwrite=*/true);
  Item twin = place.item, other = place.item;
  twin.file.path = twin.main.path = twin.main.absolute = place.root + "/twin.png";
  other.file.path = other.main.path = other.main.absolute = place.root + "/other.png";
  other.main.content = DigestOfBytes("other", 5);
  REQUIRE(folder.Claim(place.item, "p.png"));
  REQUIRE(folder.Claim(twin, "p.png"));
  folder.GiveBack("p.png");
  CHECK(folder.Claim(other, "p.png").error().code == Code::kConflict);
  folder.GiveBack("p.png");
  CHECK(folder.Claim(other, "p.png"));
}

TEST_CASE("of two sources at one time only one gets the name of a set, whatever its files are called") {
  Place place;
  Item other = place.item;
  other.file.path = other.main.path = other.main.absolute = place.root + "/other.png";
  other.main.content = DigestOfBytes("other", 5);
  std::ofstream(place.root + "/other.png") << "other";
  OutputSet first(*place.folder, place.item, place.prefixes);
  OutputSet second(*place.folder, other, place.prefixes);
  REQUIRE(Add(first, "HQ/p_1.png", "one"));
  REQUIRE(Add(second, "HQ/p_2.png", "two"));
  REQUIRE(first.Commit());
  const Status refused = second.Commit();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kConflict);
  CHECK(place.Files() == Names{"HQ/p_1.png"});
}

TEST_CASE("a set appears when it is committed, without what was taken back, and is found then") {
  Place place;
  CHECK_FALSE(place.Find());
  {
    OutputSet set(*place.folder, place.item, place.prefixes);
    REQUIRE(Add(set, "HQ/p_2.png", "two"));
    REQUIRE(Add(set, "HQ/p_1.png", "one"));
    REQUIRE(Add(set, "LQ/p_1.png", "low"));
    REQUIRE(Add(set, "HQ/p_3.png", "three"));
    set.Remove("HQ/p_3.png");
    for (const std::string& file : place.Files()) CHECK(fs::path(file).filename().string()[0] == '.');
    REQUIRE(set.Commit());
    CHECK(set.names() == Names{"HQ/p_1.png", "HQ/p_2.png", "LQ/p_1.png"});
  }
  CHECK(place.Files() == Names{"HQ/p_1.png", "HQ/p_2.png", "LQ/p_1.png"});
  CHECK(place.Find() == Names{"HQ/p_1.png", "HQ/p_2.png", "LQ/p_1.png"});
  place.item.main.content = DigestOfBytes("other", 5);
  CHECK_FALSE(place.Find());
}

TEST_CASE("a set that is not committed leaves nothing") {
  Place place;
  {
    OutputSet set(*place.folder, place.item, place.prefixes);
    REQUIRE(Add(set, "HQ/p_1.png", "one"));
  }
  CHECK(place.Files().empty());
}

TEST_CASE("a second file of one name is refused, and the first stays the set's") {
  Place place;
  {
    OutputSet set(*place.folder, place.item, place.prefixes);
    REQUIRE(Add(set, "HQ/p_1.png", "one"));
    const Status again = Add(set, "HQ/p_1.png", "other");
    REQUIRE_FALSE(again);
    CHECK(again.error().code == Code::kConflict);
    set.Remove("HQ/p_1.png");
    REQUIRE(Add(set, "HQ/p_1.png", "third"));  // taken back, it is free
    REQUIRE(set.Commit());
  }
  CHECK(place.Files() == Names{"HQ/p_1.png"});
}

TEST_CASE("an empty set is a finished one, too") {
  Place place;
  OutputSet set(*place.folder, place.item, place.prefixes);
  REQUIRE(set.Commit());
  CHECK(place.Find() == Names{});
}

TEST_CASE("a finished set that lost a file, or whose file was changed, is not whole; what is left stays") {
  for (const bool changed : {false, true}) {
    Place place;
    OutputSet set(*place.folder, place.item, place.prefixes);
    REQUIRE(Add(set, "HQ/p_1.png", "one"));
    REQUIRE(Add(set, "HQ/p_2.png", "two"));
    REQUIRE(set.Commit());
    if (changed) place.File("HQ/p_2.png", "owt");
    if (!changed) fs::remove(place.root + "/out/HQ/p_2.png");
    CHECK_FALSE(place.Find());
    CHECK(fs::exists(place.root + "/out/HQ/p_1.png"));
  }
}

TEST_CASE("killed after the last rename: the set is adopted") {
  Place place;
  for (const char* name : {"HQ/p_1.png", "LQ/p_1.png"}) {
    place.Row(name, "bytes", WorkRow::State::kIntent);
    place.File(name, "bytes");
  }
  place.Row("HQ/p_/", "2", WorkRow::State::kIntent);
  CHECK(place.Find() == Names{"HQ/p_1.png", "LQ/p_1.png"});
  const auto row = place.catalog->FindWork(place.folder->KeyOf(place.item, "HQ/p_/"));
  REQUIRE(row);
  CHECK(row->state == WorkRow::State::kDone);
}

TEST_CASE("a file that was forgotten and is there again is of its set again") {
  Place place;
  {
    OutputSet set(*place.folder, place.item, place.prefixes);
    REQUIRE(Add(set, "HQ/p_1.png", "one"));
    REQUIRE(Add(set, "HQ/p_2.png", "two"));
    REQUIRE(set.Commit());
  }
  place.Row("HQ/p_2.png", "two", WorkRow::State::kIntent);
  CHECK(place.Find() == Names{"HQ/p_1.png", "HQ/p_2.png"});
  const auto row = place.catalog->FindWork(place.folder->KeyOf(place.item, "HQ/p_2.png"));
  REQUIRE(row);
  CHECK(row->state == WorkRow::State::kDone);
}

TEST_CASE("killed between two renames: the half that is there goes, but no file that is not ours") {
  Place place;
  for (const char* name : {"HQ/p_1.png", "HQ/p_2.png", "HQ/p_3.png"})
    place.Row(name, "bytes", WorkRow::State::kIntent);
  place.Row("HQ/p_/", "3", WorkRow::State::kIntent);
  place.File("HQ/p_1.png", "bytes");
  place.File("HQ/p_2.png", "somebody's");
  CHECK_FALSE(place.Find());
  CHECK(place.Files() == Names{"HQ/p_2.png"});
}

TEST_CASE("rows of another stem of the same source do not count") {
  Place place;
  OutputSet set(*place.folder, place.item, place.prefixes);
  REQUIRE(Add(set, "HQ/p_1.png", "one"));
  REQUIRE(set.Commit());
  const SetPrefixes renamed = {"HQ/p.jpg_", "LQ/p.jpg_"};  // since another p.* came beside it
  auto found = FindFinishedSet(*place.folder, place.item, renamed);
  REQUIRE(found);
  CHECK_FALSE(*found);
}

TEST_CASE("a set is not begun where a file of somebody else has one of its names") {
  Place place;
  place.File("HQ/p_2.png", "somebody's");
  OutputSet set(*place.folder, place.item, place.prefixes);
  REQUIRE(Add(set, "HQ/p_1.png", "one"));
  const Status refused = Add(set, "HQ/p_2.png", "two");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kConflict);
}

TEST_CASE("of two sources that give the same names at once, the first to be published has them") {
  Place place;
  Item other = place.item;
  other.file.path = other.main.path = other.main.absolute = place.root + "/other.png";
  other.main.content = DigestOfBytes("other", 5);
  std::ofstream(other.main.path) << "other";
  {
    OutputSet first(*place.folder, place.item, place.prefixes);
    OutputSet second(*place.folder, other, place.prefixes);
    REQUIRE(Add(first, "HQ/p_1.png", "one"));
    REQUIRE(Add(second, "HQ/p_1.png", "another"));
    REQUIRE(first.Commit());
    const Status refused = second.Commit();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::kConflict);
    CHECK(refused.error().message.find("is the output of another source, " + place.item.main.path) !=
          std::string::npos);
  }
  CHECK(place.Files() == Names{"HQ/p_1.png"});
  CHECK(place.Find() == Names{"HQ/p_1.png"});
}

TEST_CASE("a publishing that fails leaves none of the set") {
  Place place;
  OutputSet set(*place.folder, place.item, place.prefixes);
  REQUIRE(Add(set, "HQ/p_1.png", "one"));
  REQUIRE(Add(set, "HQ/p_2.png", "two"));
  fs::create_directories(place.root + "/out/HQ/p_2.png/in_the_way");  // no file can be renamed to it
  CHECK_FALSE(set.Commit());
  CHECK(place.Files().empty());
  CHECK_FALSE(place.Find());
}

TEST_CASE(
    "files that the caller writes are published with the others, and a set that lacks some is never whole") {
  Place place;
  for (int run = 0; run < 2; ++run) {
    OutputSet set(*place.folder, place.item, place.prefixes);
    const Result<std::string> temporary = set.Begin("HQ/p_1.png");
    REQUIRE(temporary);
    std::ofstream(*temporary) << "one";
    REQUIRE(set.End("HQ/p_1.png"));
    const Result<std::string> given_up = set.Begin("HQ/p_2.png");
    REQUIRE(given_up);
    std::ofstream(*given_up) << "tw";
    set.Remove("HQ/p_2.png");
    REQUIRE(set.Commit(/*missing=*/1));
    CHECK(place.Files() == Names{"HQ/p_1.png"});
    CHECK_FALSE(place.Find());
    CHECK(place.Files() == Names{"HQ/p_1.png"});
  }
  OutputSet set(*place.folder, place.item, place.prefixes);
  REQUIRE(Add(set, "HQ/p_1.png", "one"));
  REQUIRE(Add(set, "HQ/p_2.png", "two"));
  REQUIRE(set.Commit());
  CHECK(place.Find() == Names{"HQ/p_1.png", "HQ/p_2.png"});
}
