// Files that took each other's names, with sizes and times that tell nothing: what is done is done to the
// bytes that are there. The expected results are those of runs that have never seen the folder before.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <random>

#include "imgmill/catalog/catalog.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// As tar leaves them: all of one time.
void SetTime(const std::string& path) {
  const timespec times[2] = {{1'500'000'000, 0}, {1'500'000'000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

/// A PPM of noise: pictures of different seeds are strangers to every method.
std::string Frame(unsigned seed) {
  std::string bytes = "P6\n48 48\n255\n";
  std::mt19937 random(seed);
  for (int i = 0; i < 48 * 48 * 3; ++i) bytes += static_cast<char>(random() % 256);
  return bytes;
}

/// f/0000 and f/0001 are equal, f/0002 and f/0003 are others.
void WriteFrames(const TestFolder& where) {
  const unsigned seeds[] = {1, 1, 2, 3};
  for (int i = 0; i < 4; ++i) SetTime(where.Write("f/000" + std::to_string(i) + ".ppm", Frame(seeds[i])));
}

/// 0001 goes, and those behind it move up, as somebody does who has taken a frame out by hand.
void CloseTheGap(const TestFolder& where) {
  fs::remove(where / "f/0001.ppm");
  fs::rename(where / "f/0002.ppm", where / "f/0001.ppm");
  fs::rename(where / "f/0003.ppm", where / "f/0002.ppm");
}

ProcessResult Succeed(const std::vector<std::string>& command) {
  ProcessResult result = Run(command);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return result;
}

}  // namespace

TEST_CASE("dedup does nothing to a file that took a duplicate's name") {
  for (const std::string action : {"delete", "move", "hardlink", "symlink"}) {
    CAPTURE(action);
    const TestFolder where;
    WriteFrames(where);
    std::vector<std::string> command = {"dedup", where / "f", "--catalog", where / "c", "--json"};
    CHECK(Json(Succeed(command))["duplicates"] == 1);
    CloseTheGap(where);
    const FolderBytes before = ReadFolder(where / "f");
    command.insert(command.end(), {"--action", action});
    if (action == "move") command.insert(command.end(), {"--move-to", where / "moved"});
    CHECK(Json(Succeed(command))["duplicates"] == 0);
    CHECK(Difference(before, ReadFolder(where / "f")) == "");
  }
}

TEST_CASE("bytes are read again before an act: a catalog that is wrong about them costs no picture") {
  const TestFolder where;
  WriteFrames(where);
  const FolderBytes before = ReadFolder(where / "f");
  std::string method = "exact";
  SUBCASE("an exact duplicate that is none") {}
  SUBCASE("a near-duplicate of other content") {
    method = "phash";
  }
  std::vector<std::string> command = {"dedup",     where / "f", "--method", method,
                                      "--catalog", where / "c", "--json"};
  if (method == "phash") command.push_back("--no-verify");  // it would see what the catalog does not know
  Succeed(command);
  {
    // 0002 is said to be 0000; and 0003, where looks count, to have a content whose hash is 0002's.
    auto catalog = Catalog::Open(where / "c");
    REQUIRE(catalog);
    const auto wrong = [&](const std::string& path, const std::string& content) {
      const KnownFile file{StampOf(where / path).value(), DigestOf(where / content).value()};
      REQUIRE((*catalog)->PutFile(fs::canonical(where / path).string(), file).ok());
    };
    if (method == "exact") {
      wrong("f/0002.ppm", "f/0000.ppm");
    } else {
      const ContentDigest nobody = DigestOfBytes("nobody's", 8);
      const ContentDigest first = DigestOf(where / "f/0000.ppm").value();
      for (const std::string fact : {"phash-scaled/1", "sharpness-scaled/1", "upright-size/1",
                                     "phash-scaled/2 with notes/3", "sharpness-scaled/2", "upright-size/3"}) {
        const auto value = (*catalog)->FindFact(first, fact);
        if (value) REQUIRE((*catalog)->PutFact(nobody, fact, *value).ok());
      }
      REQUIRE((*catalog)
                  ->PutFile(fs::canonical(where / "f/0002.ppm").string(),
                            {StampOf(where / "f/0002.ppm").value(), nobody})
                  .ok());
    }
  }
  command.insert(command.end(), {"--action", "delete"});
  const ProcessResult deleted = Run(command);
  INFO(deleted.err);
  const nlohmann::json json = Json(deleted);
  CHECK(json["duplicates"] == 2);
  CHECK(json["acted"] == 1);  // 0001
  CHECK(deleted.exit_code == 1);
  CHECK(deleted.err.find("run again with --force") != std::string::npos);
  CHECK(TestFolder::Read(where / "f/0002.ppm") == before.at("0002.ppm"));
  CHECK(!TestFolder::Exists(where / "f/0001.ppm"));
  // What the message advises helps.
  command.push_back("--force");
  CHECK(Json(Succeed(command))["duplicates"] == 0);
  CHECK(CountFiles(where / "f") == 3);
}

TEST_CASE("our own acts on hard links do not make the next act on the same file refuse it") {
  for (const std::string action : {"delete", "move", "hardlink", "symlink"}) {
    CAPTURE(action);
    const TestFolder where;
    SetTime(where.Write("f/a.ppm", Frame(7)));
    SetTime(where.Write("f/b1.ppm", Frame(7)));
    for (const char* name : {"f/b2.ppm", "f/b3.ppm"}) fs::create_hard_link(where / "f/b1.ppm", where / name);
    std::vector<std::string> command = {"dedup",     where / "f", "--action", action,
                                        "--catalog", where / "c", "--json"};
    if (action == "move") command.insert(command.end(), {"--move-to", where / "moved"});
    CHECK(Json(Succeed(command))["acted"] == 3);
  }
  const TestFolder where;
  SetTime(where.Write("f/b1.ppm", Frame(7)));
  fs::create_hard_link(where / "f/b1.ppm", where / "f/b2.ppm");
  CHECK(Json(Succeed({"filter", where / "f", "--keep", "width>100", "--action", "move", "--to", where / "bad",
                      "--catalog", where / "c", "--json"}))["acted"] == 2);
}

TEST_CASE("bytes to be won are those that a disk gets back") {
  const TestFolder where;
  const std::string picture = Frame(7);
  where.Write("f/a.ppm", picture);
  fs::create_hard_link(where / "f/a.ppm", where / "f/a2.ppm");  // of the keeper: nothing to win
  where.Write("f/b.ppm", picture);
  fs::create_hard_link(where / "f/b.ppm", where / "f/b2.ppm");  // both go: once
  where.Write("f/c.ppm", picture);
  fs::create_hard_link(where / "f/c.ppm", where / "elsewhere.ppm");  // one name stays
  where.Write("f/d.ppm", picture);                                   // alone
  fs::create_symlink("d.ppm", where / "f/e.ppm");                    // a link
  const nlohmann::json json = Json(Succeed({"dedup", where / "f", "--catalog", where / "c", "--json"}));
  CHECK(json["duplicates"] == 6);
  CHECK(json["duplicate_bytes"] == 2 * picture.size());
}

TEST_CASE("upscale, tile, filter and embed look at a replaced source anew") {
  const auto commands = [](const TestFolder& where, const std::string& out) {
    return std::vector<std::vector<std::string>>{
        {"upscale", where / "f", "--method", "lanczos3", "--scale", "2", "-o", where / (out + "/up")},
        {"tile", where / "f", "--size", "16", "--best", "2", "-o", where / (out + "/tiles")},
        {"filter", where / "f", "--keep", "sharpness>0", "--export", where / (out + "/signals.csv"),
         "--catalog", where / (out + "/.imgmill/filter")},
        {"embed", where / "f", "--export", where / (out + "/vectors.npy"), "--catalog",
         where / (out + "/.imgmill/embed")}};
  };
  const TestFolder where;
  WriteFrames(where);
  for (const auto& command : commands(where, "out")) Succeed(command);
  CloseTheGap(where);
  for (const std::string gone : {"out/up/0001.png", "out/up/0002.png", "out/up/0003.png"}) {
    CHECK(TestFolder::Exists(where / gone));
  }
  for (const auto& command : commands(where, "out")) Succeed(command);
  for (const auto& command : commands(where, "fresh")) Succeed(command);
  FolderBytes found = ReadFolder(where / "out");
  // 0003 has no source any more; its outputs stay, as those of every source that is gone.
  std::erase_if(found, [](const auto& file) { return file.first.find("/0003") != std::string::npos; });
  std::string& list = found.at("tiles/tiles.jsonl");  // tells of its tiles, in front
  const size_t theirs = list.rfind("{\"tile\":\"0003_");
  REQUIRE(theirs != std::string::npos);
  list.erase(0, list.find('\n', theirs) + 1);
  CHECK(Difference(ReadFolder(where / "fresh"), found) == "");
}

TEST_CASE("a file that was only linked, renamed to and fro or given rights is known by its content") {
  const TestFolder where;
  WriteFrames(where);
  const std::vector<std::string> command = {"upscale", where / "f", "--method",    "lanczos3", "--scale",
                                            "2",       "-o",        where / "out", "--json"};
  CHECK(Json(Succeed(command))["done"] == 4);
  fs::create_hard_link(where / "f/0000.ppm", where / "link");
  fs::rename(where / "f/0001.ppm", where / "x");
  fs::rename(where / "x", where / "f/0001.ppm");
  REQUIRE(::chmod((where / "f/0002.ppm").c_str(), 0600) == 0);
  CHECK(Json(Succeed(command))["skipped"] == 4);
}

}  // namespace imgmill::process_test
