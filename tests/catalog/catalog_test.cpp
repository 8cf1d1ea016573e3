// The catalog on real databases: what was put is found, also after a kill, a full disk, and by many threads
// at once.
#include "imgmill/catalog/catalog.h"

#include <signal.h>
#include <sys/mount.h>

#include <atomic>
#include <ctime>
#include <map>
#include <random>
#include <thread>

#include "catalog/open_catalog.h"
#include "imgmill/catalog/finished_work.h"

using namespace imgmill;

namespace {

WorkKey Key(int i) {
  return {"/in/" + std::to_string(i) + ".jpg", Digest(std::to_string(i)), "upscale/1 x4",
          std::to_string(i) + ".png"};
}

/// With one fact in it.
struct SharedCatalog : CatalogOpenTwice {
  SharedCatalog() {
    REQUIRE(catalog->PutFact(Digest("a"), "f/1", "v"));
    REQUIRE(catalog->Flush());
  }
};

/// SQLite's own verdict on the file.
std::string Integrity(const std::string& folder) {
  Database database;
  REQUIRE(database.Open(folder + "/catalog.sqlite"));
  return database.QueryText("PRAGMA integrity_check").value();
}

}  // namespace

TEST_CASE("what is put is found, in a folder and in a private database") {
  const TestFolder folder;
  for (const std::string& where : {folder / "a/catalog", std::string()}) {
    const auto catalog = OpenOrFail(where);
    CHECK(catalog->folder() == where);
    const std::string path = "/in/caf\xE9\n.jpg";
    CHECK(!catalog->FindFile(path));
    REQUIRE(catalog->PutFile(path, {{123, -5, -6, ~uint64_t{0}}, Digest("one")}));
    CHECK(catalog->FindFile(path)->stamp == FileStamp{123, -5, -6, ~uint64_t{0}});
    REQUIRE(
        catalog->PutFile(path, {{456, 1'700'000'000'123'456'789}, Digest("two")}));  // the later one counts
    const auto file = catalog->FindFile(path);
    REQUIRE(file);
    CHECK(file->stamp == FileStamp{456, 1'700'000'000'123'456'789});
    CHECK(file->content == Digest("two"));

    const std::string value("\0\xFFvalue", 7);
    CHECK(!catalog->FindFact(Digest("one"), "phash/1"));
    REQUIRE(catalog->PutFact(Digest("one"), "phash/1", value));
    REQUIRE(catalog->PutFact(Digest("one"), "dhash/1", ""));
    CHECK(catalog->FindFact(Digest("one"), "phash/1") == value);
    CHECK(catalog->FindFact(Digest("one"), "dhash/1") == "");
    CHECK(!catalog->FindFact(Digest("one"), "phash/2"));
    CHECK(!catalog->FindFact(Digest("two"), "phash/1"));

    CHECK(!catalog->FindWork(Key(1)));
    REQUIRE(catalog->PutWork(Key(1), {WorkRow::State::kIntent, 77, Digest("out")}));
    CHECK(catalog->FindWork(Key(1))->state == WorkRow::State::kIntent);
    REQUIRE(catalog->PutWork(Key(1), {WorkRow::State::kDone, 78, Digest("out2")}));
    const auto work = catalog->FindWork(Key(1));
    REQUIRE(work);
    CHECK(work->state == WorkRow::State::kDone);
    CHECK(work->size == 78);
    CHECK(work->digest == Digest("out2"));
    const std::vector<FoundWork> outputs = catalog->FindOutputs("1.png");
    REQUIRE(outputs.size() == 1);
    CHECK(outputs[0].key.source == "/in/1.jpg");
    CHECK(outputs[0].key.content == Key(1).content);
    CHECK(outputs[0].key.fingerprint == "upscale/1 x4");
    CHECK(outputs[0].key.output == "1.png");
    CHECK(outputs[0].row.digest == Digest("out2"));
    CHECK(catalog->FindOutputs("2.png").empty());
    CHECK(catalog->Flush());
  }
  const auto again = OpenOrFail(folder / "a/catalog");
  CHECK(again->FindFact(Digest("one"), "phash/1") == std::string("\0\xFFvalue", 7));
  CHECK(!OpenOrFail("")->FindWork(Key(1)));
}

TEST_CASE("facts are given in order of digest, once each, and the callback may use the catalog") {
  const auto catalog = OpenOrFail("");
  std::map<ContentDigest, std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string value = std::to_string(i);
    REQUIRE(catalog->PutFact(Digest(value), "phash/1", value));
    REQUIRE(catalog->PutFact(Digest(value), "other/1", "x"));
    expected[Digest(value)] = value;
  }
  auto next = expected.begin();
  REQUIRE(catalog->ForEachFact("phash/1", [&](const ContentDigest& content, std::string_view value) {
    REQUIRE(next != expected.end());
    CHECK((content == next->first && value == next->second));
    if (next == expected.begin()) CHECK(catalog->FindFact(content, "other/1") == "x");
    ++next;
    return true;
  }));
  CHECK(next == expected.end());
  int seen = 0;
  REQUIRE(
      catalog->ForEachFact("phash/1", [&](const ContentDigest&, std::string_view) { return ++seen < 3; }));
  CHECK(seen == 3);
  REQUIRE(catalog->ForEachFact("none/1", [&](const ContentDigest&, std::string_view) { return ++seen > 0; }));
  CHECK(seen == 3);
}

TEST_CASE("the outputs of one source are given together") {
  const auto catalog = OpenOrFail("");
  for (int i = 0; i < 3000; ++i) {
    WorkKey key = Key(1);
    key.output = "tile" + std::to_string(i);
    REQUIRE(catalog->PutWork(key, {WorkRow::State::kDone, i, {}}));
  }
  REQUIRE(catalog->PutWork(Key(2), {}));
  int64_t count = 0;
  int64_t sum = 0;
  REQUIRE(catalog->ForEachWork(Key(1).source, Key(1).content, Key(1).fingerprint,
                               [&](const std::string& output, const WorkRow& row) {
                                 CHECK(output == "tile" + std::to_string(row.size));
                                 sum += row.size;
                                 return ++count > 0;
                               }));
  CHECK(count == 3000);
  CHECK(sum == 3000 * 2999 / 2);
}

TEST_CASE("puts are committed within half a second though nobody asks") {
  const TestFolder folder;
  const pid_t child = Fork([&] {
    auto catalog = Catalog::Open(folder / "c");
    if (!catalog || !(*catalog)->PutFact(Digest("a"), "f/1", "v")) ::_exit(1);
    std::ofstream(folder / "put") << "yes";
    ::pause();
  });
  while (TestFolder::Read(folder / "put").empty()) ::usleep(1000);
  // As somebody else sees it. Half a second is what it takes; a busy machine may take longer to get there.
  Database looking;
  REQUIRE(looking.Open(folder / "c/catalog.sqlite"));
  const auto facts = [&] { return looking.QueryInteger("SELECT COUNT(*) FROM facts").value(); };
  for (int i = 0; i < 3000 && facts() == 0; ++i) ::usleep(10'000);
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(OpenOrFail(folder / "c")->FindFact(Digest("a"), "f/1") == "v");
}

TEST_CASE_FIXTURE(SharedCatalog,
                  "look-ups stand in nobody's way: others write between them, and we after them") {
  for (int i = 0; i < 3; ++i) {
    CHECK(catalog->FindFact(Digest("a"), "f/1") == "v");
    // Whoever read before this, and goes on to write in the same transaction, is refused by SQLite.
    const std::string name = "x'" + std::string(8, static_cast<char>('0' + i)) + "'";
    REQUIRE(other.Execute(("INSERT INTO names (name) VALUES (" + name + ")").c_str()));
    CHECK(catalog->PutFact(Digest("b"), "f/" + std::to_string(2 + i), "w"));
    CHECK(catalog->Flush());
    CHECK(catalog->FindFact(Digest("b"), "f/" + std::to_string(2 + i)) == "w");
  }
}

TEST_CASE_FIXTURE(SharedCatalog,
                  "what others write is seen soon, and the log is cut back, however much is looked up") {
  CHECK(!catalog->FindFile("/in/a"));
  REQUIRE(
      other.Execute("INSERT INTO files (path, size, mtime_ns, content) VALUES (x'2F696E2F61', 1, 2, x'00')"));
  int looks = 0;
  while (!catalog->FindFile("/in/a") && looks < 1000) ++looks;
  CHECK(looks < 1000);
  // The last look-up's transaction ends though no other follows.
  const auto cut_back = [&] { return other.QueryInteger("PRAGMA wal_checkpoint(TRUNCATE)").value() == 0; };
  bool ended = false;
  for (int i = 0; i < 1000 && !(ended = cut_back()); ++i) ::usleep(10'000);
  CHECK(ended);
  CHECK(std::filesystem::file_size(folder / "c/catalog.sqlite-wal") == 0);
}

TEST_CASE("work that was acknowledged is there after kill -9 at any point") {
  std::mt19937 random(11);
  int acknowledged_in_all = 0;
  for (int round = 0; round < 20; ++round) {
    const TestFolder folder;
    int acks[2];
    REQUIRE(::pipe(acks) == 0);
    const pid_t child = Fork([&] {
      auto catalog = Catalog::Open(folder / "c");
      if (!catalog) ::_exit(1);
      for (int i = 0;; ++i) {
        if (!(*catalog)->PutFact(Digest(std::to_string(i)), "f/1", "v")) ::_exit(2);
        if (!(*catalog)->PutWork(Key(i), {WorkRow::State::kDone, i, Digest("o")})) ::_exit(3);
        if (::write(acks[1], &i, sizeof(i)) != sizeof(i)) ::_exit(4);
      }
    });
    ::close(acks[1]);
    int last = -1;
    int value = 0;
    // Some rounds die while the database is made, most among the rows: after so many, not after some time.
    if (round < 4) ::usleep(static_cast<useconds_t>(random() % 4000));
    const int rows = round < 4 ? 0 : 1 + static_cast<int>(random() % 500);
    while (last + 1 < rows && ::read(acks[0], &value, sizeof(value)) == sizeof(value)) last = value;
    REQUIRE(::kill(child, SIGKILL) == 0);
    while (::read(acks[0], &value, sizeof(value)) == sizeof(value)) last = value;
    ::close(acks[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const auto catalog = OpenOrFail(folder / "c");
    for (int i = 0; i <= last; ++i) {
      const auto work = catalog->FindWork(Key(i));
      REQUIRE(work);
      CHECK(work->size == i);
      CHECK(catalog->FindFact(Digest(std::to_string(i)), "f/1") == "v");
    }
    acknowledged_in_all += last + 1;
    CHECK(Integrity(folder / "c") == "ok");
  }
  MESSAGE("rows acknowledged before the kills: " << acknowledged_in_all);
  CHECK(acknowledged_in_all > 100);
}

TEST_CASE("a full disk is said, leaves the database whole, and a later run continues") {
  const TestFolder folder;
  if (::mount("imgmill-test", folder.path().c_str(), "tmpfs", 0, "size=1M") != 0) {
    MESSAGE("SKIPPED: mounting a small tmpfs needs root");
    return;
  }
  int done = 0;
  Code code = Code::kInternal;
  {
    const auto catalog = OpenOrFail(folder / "c");
    for (;; ++done) {
      REQUIRE(done < 100'000);
      const Status put = catalog->PutWork(Key(done), {WorkRow::State::kDone, done, Digest("o")});
      if (put) continue;
      code = put.error().code;
      break;
    }
    // Every later put says so too, until Flush has.
    CHECK(catalog->PutFact(Digest("a"), "f/1", "v").error().code == Code::kDiskFull);
    CHECK(catalog->Flush().error().code == Code::kDiskFull);
    CHECK(catalog->FindWork(Key(0)));  // and what is known can still be asked
  }
  CHECK(code == Code::kDiskFull);
  CHECK(done > 100);
  REQUIRE(::mount("imgmill-test", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=16M") == 0);
  CHECK(Integrity(folder / "c") == "ok");
  {
    const auto catalog = OpenOrFail(folder / "c");
    for (int i = 0; i < done; ++i) CHECK(catalog->FindWork(Key(i)));
    CHECK(catalog->PutWork(Key(done), {WorkRow::State::kDone, done, Digest("o")}));
  }
  ::umount(folder.path().c_str());
}

TEST_CASE("facts that meet a full disk are reported though they are collected") {
  const TestFolder folder;
  if (::mount("imgmill-test", folder.path().c_str(), "tmpfs", 0, "size=1M") != 0) {
    MESSAGE("SKIPPED: mounting a small tmpfs needs root");
    return;
  }
  {
    const auto catalog = OpenOrFail(folder / "c");
    Status status;
    for (int i = 0; status && i < 10'000; ++i)
      status = catalog->PutFact(Digest(std::to_string(i)), "f/1", std::string(200, 'v'));
    if (status) status = catalog->Flush();
    REQUIRE(!status);
    CHECK(status.error().code == Code::kDiskFull);
  }
  CHECK(Integrity(folder / "c") == "ok");
  ::umount(folder.path().c_str());
}

TEST_CASE("what is no catalog of this version is refused by name and left as it is") {
  const TestFolder folder;
  const auto refuse = [&](const std::string& name, Code code) {
    const std::string before = TestFolder::Read(folder / name + "/catalog.sqlite");
    const auto catalog = Catalog::Open(folder / name);
    REQUIRE(!catalog);
    CHECK(catalog.error().stage == Stage::kCatalog);
    CHECK(catalog.error().code == code);
    CAPTURE(catalog.error().message);
    CHECK(catalog.error().message.find(name + "/catalog.sqlite") != std::string::npos);
    CHECK(catalog.error().message.find("--catalog") != std::string::npos);
    CHECK(TestFolder::Read(folder / name + "/catalog.sqlite") == before);
  };
  folder.Write("garbage/catalog.sqlite", std::string(5000, 'g'));
  refuse("garbage", Code::kMalformed);

  std::filesystem::create_directory(folder / "foreign");
  {
    Database other;
    REQUIRE(other.Open(folder / "foreign/catalog.sqlite"));
    REQUIRE(other.Execute("CREATE TABLE bookmarks (url TEXT)"));
  }
  refuse("foreign", Code::kMalformed);

  { const auto catalog = OpenOrFail(folder / "newer"); }
  {
    Database newer;
    REQUIRE(newer.Open(folder / "newer/catalog.sqlite"));
    REQUIRE(newer.Execute("PRAGMA user_version = 99"));
  }
  refuse("newer", Code::kUnsupported);

  {
    const auto catalog = OpenOrFail(folder / "damaged");
    for (int i = 0; i < 2000; ++i) REQUIRE(catalog->PutFact(Digest(std::to_string(i)), "f/1", "v"));
    REQUIRE(catalog->Flush());
  }
  std::filesystem::resize_file(folder / "damaged/catalog.sqlite",
                               5000);  // the first page, which holds the schema, stays
  const auto damaged = Catalog::Open(folder / "damaged");
  if (damaged) {
    for (int i = 0; i < 2000; ++i) CHECK(!(*damaged)->FindFact(Digest(std::to_string(i)), "f/1"));
    CHECK((*damaged)->Flush().error().code == Code::kMalformed);
  } else {
    CHECK(damaged.error().code == Code::kMalformed);
  }

  folder.Write("file");
  CHECK(Catalog::Open(folder / "file").error().stage == Stage::kCatalog);
}

TEST_CASE("a catalog of version 1 is brought up to date: contents stay known, files are looked at again") {
  const TestFolder folder;
  std::filesystem::create_directory(folder / "old");
  const ContentDigest content = Digest("one");
  {
    // The tables as version 1 made them (its schema.cpp), with a file, a fact and a finished work.
    Database old;
    REQUIRE(old.Open(folder / "old/catalog.sqlite"));
    REQUIRE(
        old.Execute("CREATE TABLE files (path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT "
                    "NULL, content BLOB "
                    "NOT NULL) WITHOUT ROWID;"
                    "CREATE TABLE names (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);"
                    "CREATE TABLE facts (name INTEGER NOT NULL REFERENCES names(id), content BLOB NOT NULL, "
                    "value BLOB NOT NULL, "
                    "PRIMARY KEY (name, content)) WITHOUT ROWID;"
                    "CREATE TABLE work (fingerprint INTEGER NOT NULL REFERENCES names(id), source BLOB NOT "
                    "NULL, content BLOB NOT "
                    "NULL, output BLOB NOT NULL, state INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB "
                    "NOT NULL, PRIMARY KEY "
                    "(fingerprint, source, content, output)) WITHOUT ROWID;"
                    "CREATE INDEX work_by_output ON work (output, fingerprint, source);"
                    "PRAGMA application_id = 1768777581; PRAGMA user_version = 1;"));
    const std::string hex = content.Hex();
    REQUIRE(old.Execute(("INSERT INTO files VALUES (CAST('/in/a' AS BLOB), 3, 4, x'" + hex + "');" +
                         "INSERT INTO names VALUES (1, CAST('f/1' AS BLOB));" +
                         "INSERT INTO facts VALUES (1, x'" + hex + "', CAST('v' AS BLOB));" +
                         "INSERT INTO work VALUES (1, CAST('/in/a' AS BLOB), x'" + hex +
                         "', CAST('a.png' AS BLOB), 1, 5, x'" + hex + "');")
                            .c_str()));
  }
  for (int round = 0; round < 2; ++round) {
    const auto catalog = OpenOrFail(folder / "old");
    const auto file = catalog->FindFile("/in/a");
    REQUIRE(file);
    if (round == 0) CHECK(file->stamp == FileStamp{3, 4, 0, 0});  // like no file's: none has inode 0
    CHECK(file->content == content);
    CHECK(catalog->FindFact(content, "f/1") == "v");
    CHECK(catalog->FindWork({"/in/a", content, "f/1", "a.png"}));
    REQUIRE(catalog->PutFile("/in/a", {{3, 4, 5, 6}, content}));
    CHECK(catalog->FindFile("/in/a")->stamp == FileStamp{3, 4, 5, 6});
  }
  CHECK(Integrity(folder / "old") == "ok");
}

TEST_CASE("a folder that was moved takes what is known of its files along, and nothing else") {
  const TestFolder folder;
  const ContentDigest content = Digest("one");
  const KnownFile file{{3, 4, 5, 6}, content};
  const FolderIdentity photos{7, 8}, others{9, 8};
  const WorkKey work{"/a/sub/\xff.jpg", content, "f/1", "a.png"};
  const auto catalog = OpenOrFail(folder / "c");
  REQUIRE(catalog->KnowFolder("/a", photos));
  REQUIRE(catalog->KnowFolder("/a0", others));
  for (const char* path : {"/a/x.jpg", "/a/sub/\xff.jpg", "/a0/x.jpg", "/a.jpg", "/b/x.jpg"})
    REQUIRE(catalog->PutFile(path, file));
  REQUIRE(catalog->PutWork(work, {}));

  REQUIRE(catalog->KnowFolder("/a", photos));  // still there
  CHECK(catalog->FindFile("/a/x.jpg"));
  REQUIRE(catalog->KnowFolder("/mnt/b", photos));
  CHECK(catalog->FindFile("/mnt/b/x.jpg")->stamp == file.stamp);
  CHECK(catalog->FindFile("/mnt/b/sub/\xff.jpg"));
  CHECK_FALSE(catalog->FindFile("/a/x.jpg"));
  for (const char* path : {"/a0/x.jpg", "/a.jpg", "/b/x.jpg"}) CHECK(catalog->FindFile(path));
  CHECK(catalog->FindWork({"/mnt/b/sub/\xff.jpg", content, "f/1", "a.png"}));
  CHECK_FALSE(catalog->FindWork(work));

  // Another folder in the old place is another one, and the way back is one more move.
  REQUIRE(catalog->KnowFolder("/a", FolderIdentity{10, 11}));
  CHECK(catalog->FindFile("/mnt/b/x.jpg"));
  REQUIRE(catalog->PutFile("/a/x.jpg", {{1, 2, 3, 4}, Digest("two")}));
  REQUIRE(catalog->PutWork({"/a/x.jpg", Digest("two"), "f/1", "a.png"}, {}));
  REQUIRE(catalog->KnowFolder("/a", photos));
  CHECK(catalog->FindFile("/a/x.jpg")->content == content);
  // It displaces one: the outputs are of whatever is in their place.
  CHECK(catalog->FindWork({"/a/x.jpg", Digest("two"), "f/1", "a.png"}));
  CHECK(catalog->FindWork({"/mnt/b/sub/\xff.jpg", content, "f/1", "a.png"}));
  CHECK(Integrity(folder / "c") == "ok");
}

TEST_CASE("many threads find and put at once") {
  const TestFolder folder;
  const auto catalog = OpenOrFail(folder / "c");
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) {
        const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
        if (!catalog->PutFile(path, {{i, t}, Digest(path)})) ++wrong;
        if (!catalog->PutFact(Digest(path), "f/" + std::to_string(i % 7), path)) ++wrong;
        const auto file = catalog->FindFile(path);
        if (!file || file->content != Digest(path)) ++wrong;
        if (catalog->FindFact(Digest(path), "f/" + std::to_string(i % 7)) != path) ++wrong;
        if (i % 100 == 0 && !catalog->PutWork(Key(t * 1000 + i), {})) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(catalog->Flush());
}

TEST_CASE("a second run's questions take microseconds") {
  const TestFolder folder;
  constexpr int kFiles = 50'000;
  const auto path = [](int i) { return "/data/photos/of/some/depth/IMG_" + std::to_string(i) + ".jpg"; };
  {
    const auto catalog = OpenOrFail(folder / "c");
    for (int i = 0; i < kFiles; ++i) {
      REQUIRE(catalog->PutFile(path(i), {{i, i}, Digest(path(i))}));
      REQUIRE(catalog->PutFact(Digest(path(i)), "phash/1", "12345678"));
    }
    REQUIRE(catalog->Flush());
  }
  const auto catalog = OpenOrFail(folder / "c");
  const auto seconds_for = [&](auto find) {
    const std::clock_t start = std::clock();  // of the processor: others' work does not count
    for (int i = 0; i < kFiles; ++i) CHECK(find(i));
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  const double files = seconds_for([&](int i) { return catalog->FindFile(path(i)).has_value(); });
  const double facts =
      seconds_for([&](int i) { return catalog->FindFact(Digest(path(i)), "phash/1").has_value(); });
  MESSAGE("FindFile: " << kFiles / files << " a second; FindFact: " << kFiles / facts << " a second");
  // 100,000 a second are wanted, eight times as many are usual; a slow machine gets room.
  CHECK(files < kFiles / 20'000.0);
  CHECK(facts < kFiles / 20'000.0);
}

TEST_CASE("the default folder is below the output, else in the state folder of the user") {
  const TestFolder folder;
  const pid_t child = Fork([&] {  // the environment belongs to the whole process
    int wrong = 0;
    const auto expect = [&](bool fine) { wrong += fine ? 0 : 1; };
    expect(DefaultCatalogFolder("out", {"in"}).value() == "out/.imgmill");
    ::setenv("XDG_STATE_HOME", "/state", 1);
    const std::string here = DefaultCatalogFolder("", {folder.path()}).value();
    expect(here.starts_with("/state/imgmill/") && here.size() == 15 + 16);
    expect(DefaultCatalogFolder("", {"/"}).value() != here);
    expect(DefaultCatalogFolder("", {"/", folder.path()}).value() != here);
    ::setenv("XDG_STATE_HOME", "relative", 1);
    ::setenv("HOME", "/home/me", 1);
    expect(DefaultCatalogFolder("", {"/"}).value().starts_with("/home/me/.local/state/imgmill/"));
    ::unsetenv("HOME");
    const auto homeless = DefaultCatalogFolder("", {"/"});
    expect(!homeless && homeless.error().code == Code::kUsage &&
           homeless.error().message.find("--no-catalog") != std::string::npos);
    ::_exit(wrong);
  });
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("what was finished is told of a folder in which nothing can be written, and nothing is") {
  const TestFolder folder;
  const std::string output = folder / "a 100%?#";
  const std::string file = output + "/.imgmill/catalog.sqlite";
  {
    auto catalog = Catalog::Open(output + "/.imgmill");
    REQUIRE(catalog.ok());
    REQUIRE((*catalog)->PutWork(Key(1), {WorkRow::State::kDone, 78, Digest("out")}));
    REQUIRE((*catalog)->Flush());
  }
  const auto names_of = [&] {
    const auto work = FinishedWork::Open(output);
    if (!work) return work.error().message;
    std::string names;
    const Status all = (*work)->ForEachName([&](const std::string& name) {
      names += name + ";";
      return Status();
    });
    return all ? names : all.error().message;
  };
  REQUIRE(names_of() == "1.png;");
  for (const std::string& each : {folder.path(), output, output + "/.imgmill"})
    REQUIRE(::chmod(each.c_str(), 0755) == 0);
  REQUIRE(::chmod(file.c_str(), 0444) == 0);
  // A child gives up that it may write; root by becoming another user, others by the modes of their files.
  constexpr int kOutOfReach = 8;
  const auto exit_of = [&](const std::string& expected) {
    REQUIRE(::chmod((output + "/.imgmill").c_str(), 0555) == 0);
    const pid_t child = Fork([&] {
      if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(9);
      if (::access(file.c_str(), R_OK) != 0) ::_exit(kOutOfReach);
      ::_exit(names_of().find(expected) != std::string::npos ? 0 : 1);
    });
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(::chmod((output + "/.imgmill").c_str(), 0755) == 0);
    return WEXITSTATUS(status);
  };
  const int told = exit_of("1.png;");
  if (told == kOutOfReach) {
    MESSAGE("SKIPPED: another user cannot reach " << output);
    return;
  }
  CHECK(told == 0);
  const std::string log = file + "-wal";
  std::ofstream(log) << "rows that are in no table yet";
  REQUIRE(::chmod(log.c_str(), 0644) == 0);
  CHECK(exit_of("its catalog was not closed") == 0);
}
