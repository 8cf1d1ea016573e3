// What the catalog gives of files that are asked for one after another, as a listing does, and facts that lie
// beside them.
#include <map>
#include <random>

#include "catalog/facts_beside.h"
#include "catalog/open_catalog.h"

using namespace imgmill;

namespace {

/// With one file and a fact beside it.
struct FileWithFact : CatalogOpenTwice {
  FileWithFact() {
    REQUIRE(catalog->PutFile("/in/a", {{1, 2, 3, 4}, Digest("a")}));
    REQUIRE(catalog->PutFact(Digest("a"), "f/1", "v", "/in/a"));
    REQUIRE(catalog->Flush());
  }
  /// What FindFile brings along is all there is then.
  void DropFacts() {
    REQUIRE(catalog->Flush());  // what it reads in one transaction is what was there before
    REQUIRE(other.Execute("DELETE FROM facts"));
  }
};

}  // namespace

TEST_CASE("files are found in whatever order they are asked for, and while others are put") {
  const auto catalog = OpenOrFail("");
  std::map<std::string, int> known;
  std::mt19937 random(3);
  const auto name = [&] {
    // Some are the begin of others, and bytes above 127 come last.
    return "/in/" + std::string(1 + random() % 3, "ab\xFF"[random() % 3]) + std::to_string(random() % 300);
  };
  const auto put = [&](const std::string& path) {
    const int size = known[path] = static_cast<int>(random() % 1000);
    REQUIRE(catalog->PutFile(path, {{size, 2, 3, 4}, Digest(path)}));
  };
  const auto check = [&](const std::string& path) {
    CAPTURE(path);
    const auto file = catalog->FindFile(path);
    const auto expected = known.find(path);
    REQUIRE(file.has_value() == (expected != known.end()));
    if (file) CHECK((file->stamp.size == expected->second && file->content == Digest(path)));
  };
  for (int i = 0; i < 1000; ++i) put(name());
  for (int round = 0; round < 20; ++round) {
    REQUIRE(catalog->Flush());  // from here on it reads, and is not in the midst of writing
    // In order, of all kinds of density, with unknown ones in between.
    std::map<std::string, int> asked;
    for (int i = 0; i < 1 << (round % 12); ++i) asked[name()];
    for (const auto& [path, unused] : known) {
      if (random() % (1 + static_cast<unsigned>(round)) == 0) asked[path];
    }
    for (const auto& [path, unused] : asked) {
      check(path);
      if (random() % 64 == 0) check(path);
      if (random() % 64 == 0) check(name());
      if (random() % 512 == 0) put(name());
    }
    check("/zz");
    check("");
  }
}

TEST_CASE_FIXTURE(FileWithFact, "a fact beside a file comes with it, without a look-up of its own") {
  DropFacts();
  CHECK(!catalog->FindFact(Digest("a"), "f/1"));
  REQUIRE(catalog->FindFile("/in/a"));
  CHECK(catalog->FindFact(Digest("a"), "f/1") == "v");
  CHECK(!catalog->FindFact(Digest("a"), "f/2"));
  CHECK(!catalog->FindFact(Digest("b"), "f/1"));
  CHECK(!catalog->FindFile("/in/b"));
}

TEST_CASE_FIXTURE(FileWithFact, "a fact stays beside a file that was touched, and goes with its content") {
  DropFacts();
  REQUIRE(catalog->PutFile("/in/a", {{1, 9, 9, 9}, Digest("a")}));
  REQUIRE(catalog->FindFile("/in/a"));
  CHECK(catalog->FindFact(Digest("a"), "f/1") == "v");
  REQUIRE(catalog->PutFile("/in/a", {{1, 9, 9, 9}, Digest("b")}));
  CHECK(catalog->FindFile("/in/a")->content == Digest("b"));
  CHECK(!catalog->FindFact(Digest("a"), "f/1"));
  CHECK(!catalog->FindFact(Digest("b"), "f/1"));
  REQUIRE(catalog->PutFile("/in/a", {{1, 9, 9, 9}, Digest("a")}));
  REQUIRE(catalog->FindFile("/in/a"));
  CHECK(!catalog->FindFact(Digest("a"), "f/1"));
}

TEST_CASE_FIXTURE(FileWithFact, "a fact that is put again is the new one at once, and beside the file, too") {
  REQUIRE(catalog->FindFile("/in/a"));
  REQUIRE(catalog->PutFact(Digest("a"), "f/1", "new", "/in/a"));
  CHECK(catalog->FindFact(Digest("a"), "f/1") == "new");
  REQUIRE(catalog->Flush());
  DropFacts();
  REQUIRE(catalog->FindFile("/in/a"));
  CHECK(catalog->FindFact(Digest("a"), "f/1") == "new");
  // Beside a file that is not known, or has another content, nothing can lie.
  CHECK(catalog->PutFact(Digest("a"), "f/2", "v", "/in/b"));
  CHECK(catalog->PutFact(Digest("b"), "f/2", "v", "/in/a"));
  CHECK(catalog->Flush());
  CHECK(catalog->FindFact(Digest("b"), "f/2") == "v");
  DropFacts();
  REQUIRE(catalog->FindFile("/in/a"));
  CHECK(!catalog->FindFact(Digest("a"), "f/2"));
  CHECK(!catalog->FindFile("/in/b"));
}

TEST_CASE_FIXTURE(FileWithFact,
                  "a catalog of version 3 is brought up to date, and facts come beside its files") {
  REQUIRE(other.Execute(
      "CREATE TABLE old (path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, "
      "content BLOB NOT NULL, ctime_ns INTEGER NOT NULL DEFAULT 0, inode INTEGER NOT NULL DEFAULT "
      "0) WITHOUT ROWID;"
      "INSERT INTO old SELECT path, size, mtime_ns, content, ctime_ns, inode FROM files;"
      "DROP TABLE files; ALTER TABLE old RENAME TO files; PRAGMA user_version = 3;"));
  std::filesystem::copy(folder / "c", folder / "old");
  const auto old = OpenOrFail(folder / "old");
  REQUIRE(old->FindFile("/in/a"));
  CHECK(old->FindFact(Digest("a"), "f/1") == "v");
  REQUIRE(old->PutFact(Digest("a"), "f/2", "w", "/in/a"));
  REQUIRE(old->Flush());
  Database tables;
  REQUIRE(tables.Open(folder / "old/catalog.sqlite"));
  REQUIRE(tables.Execute("DELETE FROM facts"));
  REQUIRE(old->FindFile("/in/a"));
  CHECK(!old->FindFact(Digest("a"), "f/1"));
  CHECK(old->FindFact(Digest("a"), "f/2") == "w");
}

TEST_CASE("facts beside a file are kept by name, up to 512 bytes, and damaged ones are like none") {
  std::string facts;
  CHECK(!FactBeside(facts, "a"));
  PutFactBeside(facts, "a", "1");
  PutFactBeside(facts, "b", "");
  PutFactBeside(facts, "c", std::string("\0\xFF", 2));
  PutFactBeside(facts, "a", "another");
  CHECK(FactBeside(facts, "a") == "another");
  CHECK(FactBeside(facts, "b") == "");
  CHECK(FactBeside(facts, "c") == std::string("\0\xFF", 2));
  PutFactBeside(facts, "b", std::string(500, 'x'));
  CHECK(!FactBeside(facts, "b"));
  CHECK(FactBeside(facts, "a") == "another");
  for (size_t length = 0; length < facts.size(); ++length) {
    const std::string cut = facts.substr(0, length);
    const auto found = FactBeside(cut, "a");
    CHECK((!found || *found == "another"));
  }
}
