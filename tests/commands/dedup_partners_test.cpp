// Pairs stay pairs: what dedup moves or deletes takes its partner along, or stays with it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "decided_file.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// HQ with a keeper a, and b and sub/c that are copies of it; stranger d. LQ has a partner of each, of
/// another extension.
struct Pairs {
  TestFolder where;

  Pairs() {
    for (const char* name : {"a", "b", "sub/c"}) Put("harbour.jpg", "HQ/" + std::string(name) + ".jpg");
    Put("marble.jpg", "HQ/d.jpg");
    for (const char* name : {"a", "b", "sub/c", "d"}) {
      Put("icon_tiny.png", "LQ/" + std::string(name) + ".png");
      std::string bytes = TestFolder::Read(where / ("LQ/" + std::string(name) + ".png"));
      where.Write("LQ/" + std::string(name) + ".png", bytes + name);  // each its own content
    }
  }
  void Put(const std::string& sample, const std::string& to) const { PutSample(where, sample, to); }
  ProcessResult Dedup(const std::vector<std::string>& more) const {
    std::vector<std::string> command = {"dedup", where / "HQ", "--pair", where / "LQ", "--no-catalog"};
    command.insert(command.end(), more.begin(), more.end());
    return Run(command);
  }
};

}  // namespace

TEST_CASE("partners of moved duplicates are moved, and come back") {
  const Pairs pairs;
  const TestFolder& where = pairs.where;
  const FolderBytes hq = ReadFolder(where / "HQ"), lq = ReadFolder(where / "LQ");
  // A name that is taken at the target: both get the same number.
  where.Write("out/b.jpg", "somebody's");
  const std::vector<std::string> move = {"--action",       "move",           "--move-to",   where / "out",
                                         "--pair-move-to", where / "out_lq", "--undo-file", where / "undo"};
  std::vector<std::string> dry = move;
  dry.push_back("--dry-run");
  const ProcessResult rehearsed = pairs.Dedup(dry);
  CHECK(rehearsed.err.find("2 partners would go along") != std::string::npos);
  const ProcessResult moved = pairs.Dedup(move);
  INFO(moved.err);
  CHECK(moved.exit_code == 0);
  CHECK(moved.err.find("move: 2 done with 2 partners, 0 failed") != std::string::npos);
  CHECK(ReadFolder(where / "HQ").size() == 2);
  CHECK(ReadFolder(where / "LQ").size() == 2);
  CHECK(fs::exists(where / "LQ/a.png"));
  CHECK(TestFolder::Read(where / "out_lq/b-2.png") == lq.at("b.png"));
  CHECK(TestFolder::Read(where / "out/b-2.jpg") == hq.at("b.jpg"));
  CHECK(TestFolder::Read(where / "out_lq/sub/c.png") == lq.at("sub/c.png"));
  CHECK(Run({"undo", where / "undo"}).exit_code == 0);
  CHECK(Difference(hq, ReadFolder(where / "HQ")) == "");
  CHECK(Difference(lq, ReadFolder(where / "LQ")) == "");
  CHECK_FALSE(fs::exists(where / "out_lq"));
}

TEST_CASE("side-cars in the folder of the partners are counted as side-cars") {
  const TestFolder where;
  for (const char* name : {"a", "b"}) {
    const std::string path = "all/" + std::string(name);
    fs::create_directories(where / "all");
    fs::copy_file(SampleData() + "/harbour.jpg", where / (path + "_HR.jpg"));
    fs::copy_file(SampleData() + "/icon_tiny.png", where / (path + "_LR.png"));
    for (const char* ending : {"_HR.txt", "_HR.json"}) where.Write(path + ending, "{}");
  }
  const ProcessResult moved =
      Run({"dedup",      where / "all",  "--include",   "*_HR.jpg",     "--pair",         where / "all",
           "--own-name", "{name}_HR",    "--pair-name", "{name}_LR",    "--action",       "move",
           "--move-to",  where / "out",  "--sidecars",  "*.txt,*.json", "--pair-move-to", where / "out_lq",
           "--json",     "--no-catalog", "--undo-file", where / "undo"});
  INFO(moved.err);
  const nlohmann::json json = Json(moved);
  CHECK(json["acted"] == 1);
  CHECK(json["partners"] == 1);
  CHECK(json["sidecars"] == 2);
  CHECK(moved.err.find("move: 1 done with 1 partner and 2 side-cars") != std::string::npos);
}

TEST_CASE("partners of deleted duplicates are deleted, and what is no pair is left") {
  const Pairs pairs;
  const TestFolder& where = pairs.where;
  SUBCASE("all have one") {
    std::vector<std::string> command = {"--action", "delete", "--undo-file", where / "undo", "--json"};
    const nlohmann::json json = Json(pairs.Dedup(command));
    CHECK(json["acted"] == 2);
    CHECK(json["partners"] == 2);
    CHECK_FALSE(fs::exists(where / "HQ/b.jpg"));
    CHECK_FALSE(fs::exists(where / "LQ/b.png"));
    CHECK_FALSE(fs::exists(where / "LQ/sub/c.png"));
    CHECK(fs::exists(where / "LQ/d.png"));
    CHECK(TestFolder::Read(where / "undo").find("LQ/b.png") != std::string::npos);
  }
  SUBCASE("one has none") {
    fs::remove(where / "LQ/b.png");
    const ProcessResult result = pairs.Dedup({"--action", "delete", "--undo-file", where / "undo"});
    CHECK(result.exit_code == 1);
    CHECK(result.err.find("HQ/b.jpg") != std::string::npos);
    CHECK(result.err.find("it has no partner") != std::string::npos);
    CHECK(fs::exists(where / "HQ/b.jpg"));
    CHECK_FALSE(fs::exists(where / "HQ/sub/c.jpg"));
    CHECK_FALSE(fs::exists(where / "LQ/sub/c.png"));
  }
  SUBCASE("one has two") {
    pairs.Put("icon_tiny.png", "LQ/b.webp");
    const ProcessResult result = pairs.Dedup({"--action", "delete", "--undo-file", where / "undo"});
    CHECK(result.exit_code == 1);
    CHECK(result.err.find("it has several possible partners") != std::string::npos);
    CHECK(fs::exists(where / "HQ/b.jpg"));
    CHECK(fs::exists(where / "LQ/b.png"));
  }
  SUBCASE("the kept one has none") {
    fs::remove(where / "LQ/a.png");
    const ProcessResult result = pairs.Dedup({"--action", "delete", "--undo-file", where / "undo"});
    CHECK(result.exit_code == 1);
    CHECK(result.err.find("HQ/a.jpg, has no partner that would stay") != std::string::npos);
    CHECK(ReadFolder(where / "HQ").size() == 4);
    CHECK(ReadFolder(where / "LQ").size() == 3);
  }
  SUBCASE("of other names") {
    for (const char* name : {"a", "b", "sub/c", "d"})
      fs::rename(where / ("LQ/" + std::string(name) + ".png"),
                 where / ("LQ/" + std::string(name) + "x4.png"));
    CHECK(pairs.Dedup({"--pair-name", "{name}x4", "--action", "delete", "--undo-file", where / "undo"})
              .exit_code == 0);
    CHECK_FALSE(fs::exists(where / "LQ/bx4.png"));
    CHECK(fs::exists(where / "LQ/ax4.png"));
  }
}

TEST_CASE("what is wrong with --pair of dedup is said") {
  const Pairs pairs;
  const TestFolder& where = pairs.where;
  const auto refused = [&](const std::vector<std::string>& more, const std::string& words) {
    const ProcessResult result = pairs.Dedup(more);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.err.find(words) != std::string::npos);
  };
  refused({}, "--pair goes with --action move, trash or delete");
  refused({"--action", "hardlink"}, "--pair goes with --action move, trash or delete");
  refused({"--action", "move", "--move-to", where / "out"}, "--pair-move-to DIR");
  refused({"--action", "delete", "--pair-move-to", where / "out"}, "goes with --action move");
  refused({"--action", "move", "--move-to", where / "o", "--pair-move-to", where / "o"},
          "is the folder of --move-to");
  refused({"--action", "move", "--move-to", where / "o", "--pair-move-to", where / "./o/"},
          "is the folder of --move-to");
  refused({"--action", "move", "--move-to", where / "o", "--pair-move-to", where / "HQ/lq"},
          "lies in a folder of the input");
  const ProcessResult own =
      Run({"dedup", where / "HQ", "--pair", where / "HQ", "--action", "delete", "--no-catalog"});
  CHECK(own.exit_code == 2);
  CHECK(own.err.find("is the folder of the images themselves") != std::string::npos);
  CHECK(Run({"dedup", where / "HQ", "--pair", where / "none", "--action", "delete", "--no-catalog"})
            .exit_code == 2);
}

TEST_CASE("dedup leaves what a link leads to that stays since it has no partner") {
  const Pairs pairs;
  const TestFolder& where = pairs.where;
  fs::create_symlink("b.jpg", where / "HQ/linked.jpg");  // LQ has none
  const ProcessResult moved = pairs.Dedup({"--action", "move", "--move-to", where / "out", "--pair-move-to",
                                           where / "out_lq", "--undo-file", where / "undo"});
  INFO(moved.err);
  CHECK(moved.exit_code == 1);
  CHECK(fs::exists(where / "HQ/linked.jpg"));  // and what it leads to
  CHECK(fs::exists(where / "LQ/b.png"));
  CHECK(fs::exists(where / "out/sub/c.jpg"));
  CHECK(fs::exists(where / "out_lq/sub/c.png"));
}

TEST_CASE("partners in an archive are refused before anything is done") {
  const Pairs pairs;
  const TestFolder& where = pairs.where;
  const std::string pack = "tar -C '" + (where / "LQ") + "' -cf '" + (where / "LQ.tar") + "' .";
  REQUIRE(std::system(pack.c_str()) == 0);
  for (const char* how : {"--dry-run", "-q"}) {
    const ProcessResult result =
        Run({"dedup", where / "HQ", "--pair", where / "LQ.tar", "--action", "delete", "--no-catalog", how});
    CHECK(result.exit_code == 2);
    CHECK(result.err.find("leads into an archive") != std::string::npos);
  }
}

TEST_CASE("apply takes partners along, by where images lay below dedup's folder") {
  const Pairs pairs;
  const TestFolder& where = pairs.where;
  const FolderBytes hq = ReadFolder(where / "HQ"), lq = ReadFolder(where / "LQ");
  const auto file = [&](const std::string& below) { return DecidedHarbour(where, "HQ/" + below, below); };
  WriteDecisions(where, {{{"keep", file("a.jpg")}, {"duplicates", {file("b.jpg"), file("sub/c.jpg")}}}});
  const auto apply = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {
        "apply", where / "decisions.json", "--catalog", where / "cat", "--undo-file", where / "undo"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  };
  CHECK(apply({"--pair", where / "LQ"}).exit_code == 2);
  CHECK(apply({"--pair", where / "LQ", "--action", "move", "--move-to", where / "out"}).exit_code == 2);
  CHECK(apply({"--pair", where / "none", "--action", "delete"}).exit_code == 2);
  CHECK(apply({"--pair-move-to", where / "out_lq", "--action", "delete"}).exit_code == 2);
  const std::vector<std::string> move = {"--action", "move",       "--move-to",      where / "out",
                                         "--pair",   where / "LQ", "--pair-move-to", where / "out_lq"};
  SUBCASE("their folder lies in that of the images") {
    std::vector<std::string> within = move;
    within.back() = where / "HQ/sub/out_lq";
    const ProcessResult refused = apply(within);
    CHECK(refused.exit_code == 2);
    CHECK(refused.err.find("lies in a folder of the input") != std::string::npos);
    where.Write("undo", "");
    REQUIRE(apply(move).exit_code == 0);
  }
  SUBCASE("all have one") {
    const ProcessResult moved = apply(move);
    INFO(moved.err);
    CHECK(moved.exit_code == 0);
    CHECK(moved.err.find("move: 2 done with 2 partners, 0 failed") != std::string::npos);
    CHECK(TestFolder::Read(where / "out_lq/sub/c.png") == lq.at("sub/c.png"));
    CHECK(TestFolder::Read(where / "out/sub/c.jpg") == hq.at("sub/c.jpg"));
    CHECK(ReadFolder(where / "LQ").size() == 2);
  }
  SUBCASE("an image next to it has its name: both stay with the partner, whose it may be") {
    pairs.Put("marble.jpg", "HQ/b.jpeg");
    const ProcessResult moved = apply({"--action", "delete", "--pair", where / "LQ"});
    CHECK(moved.exit_code == 1);
    CHECK(moved.err.find("another image next to it differs only in the extension") != std::string::npos);
    CHECK(fs::exists(where / "HQ/b.jpg"));
    CHECK(TestFolder::Read(where / "LQ/b.png") == lq.at("b.png"));
    CHECK_FALSE(fs::exists(where / "LQ/sub/c.png"));
    return;
  }
  SUBCASE("the keeper differs from it in the extension alone") {
    fs::rename(where / "HQ/b.jpg", where / "HQ/a.jpeg");
    WriteDecisions(where, {{{"keep", file("a.jpg")}, {"duplicates", {file("a.jpeg")}}}});
    CHECK(apply({"--action", "delete", "--pair", where / "LQ"}).exit_code == 1);
    CHECK(TestFolder::Read(where / "HQ/a.jpeg") == hq.at("b.jpg"));
    CHECK(TestFolder::Read(where / "LQ/a.png") == lq.at("a.png"));
    return;
  }
  SUBCASE("one has none: it stays, and is named") {
    fs::remove(where / "LQ/b.png");
    const ProcessResult moved = apply(move);
    CHECK(moved.exit_code == 1);
    CHECK(moved.err.find("HQ/b.jpg: cannot") != std::string::npos);
    CHECK(fs::exists(where / "HQ/b.jpg"));
    CHECK(fs::exists(where / "out_lq/sub/c.png"));
    where.Write("LQ/b.png", lq.at("b.png"));
  }
  CHECK(Run({"undo", where / "undo"}).exit_code == 0);
  CHECK(Difference(hq, ReadFolder(where / "HQ")) == "");
  CHECK(Difference(lq, ReadFolder(where / "LQ")) == "");
}

}  // namespace imgmill::process_test
