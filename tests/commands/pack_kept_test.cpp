// filter and dedup with --pack: the shards are those that pack makes of a folder of the kept images alone,
// which is what the tests compare with; actions, archives, references, partners, kills, what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands/drawn_picture.h"
#include "kill_at_call.h"
#include "program.h"
#include "shard_members.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// Two that are large, one of them twice, and one that is small; captions beside some.
void MakeInput(const TestFolder& where) {
  PutSample(where, "clock.jpg", "in/a.clock.jpg");
  PutSample(where, "clock.jpg", "in/sub/again.jpg");
  PutSample(where, "meadow.jpg", "in/meadow.jpg");
  PutSample(where, "icon_tiny.png", "in/icon.png");
  where.Write("in/meadow.txt", "a meadow");
  where.Write("in/meadow.json", "{}");
  where.Write("in/icon.txt", "an icon");
}

Words Filter(const TestFolder& where, const Words& more = {}) {
  return With({"filter", where / "in", "--keep", "short_side>=100"}, more);
}

/// Shards, of which members.jsonl names the folder that they were made from.
FolderBytes ShardsIn(const std::string& folder) {
  FolderBytes files = ReadFolder(folder);
  files.erase("members.jsonl");
  return files;
}

/// Those that pack makes of the input without some of its files.
FolderBytes PackedWithout(const TestFolder& where, const Words& dropped, const Words& options = {}) {
  const TestFolder kept;
  fs::copy(where / "in", kept / "in", fs::copy_options::recursive);
  for (const std::string& file : dropped) REQUIRE(fs::remove(kept / ("in/" + file)));
  REQUIRE(Run(With({"pack", kept / "in", "-o", kept / "shards"}, options)).exit_code == 0);
  return ShardsIn(kept / "shards");
}

/// Of each step, and of the whole, all that was listed is kept, dropped or failed.
void CheckAllAccountedFor(const nlohmann::json& document) {
  for (const nlohmann::json& step : document["steps"])
    CHECK(step["listed"].get<size_t>() ==
          step["kept"].get<size_t>() + step["dropped"].get<size_t>() + step["failed"].size());
  CHECK(document["steps"][1]["listed"] == document["steps"][0]["kept"]);
  size_t dropped = 0;
  for (const nlohmann::json& step : document["steps"]) dropped += step["dropped"].get<size_t>();
  CHECK(document["listed"].get<size_t>() ==
        document["done"].get<size_t>() + dropped + document["failed"].size());
}

}  // namespace

TEST_CASE("what filter and dedup keep is packed as pack does it without the others") {
  const TestFolder where;
  MakeInput(where);
  for (const Words& options : {Words{}, Words{"--shard-samples", "1"}, Words{"--shard-size", "60KiB"}}) {
    CAPTURE(options.size());
    for (const auto& [command, dropped] : {std::pair{Filter(where), Words{"icon.png", "icon.txt"}},
                                           std::pair{Words{"dedup", where / "in"}, Words{"sub/again.jpg"}}}) {
      CAPTURE(command.front());
      const TestFolder out;
      const ProcessResult run = Run(With(With(command, {"--pack", out / "shards", "--json"}), options));
      INFO(run.err);
      CHECK(run.exit_code == 0);
      CheckAllAccountedFor(Json(run));
      const FolderBytes shards = ShardsIn(out / "shards");
      CHECK(Difference(PackedWithout(where, dropped, options), shards) == "");
      CHECK((shards.size() > 2) == !options.empty());  // index.json, one shard or more
      CHECK(CountFiles(where / "in") == 7);            // and nothing else was made or moved
    }
  }
}

TEST_CASE("--sidecars says which files are packed with what is kept") {
  const TestFolder where;
  MakeInput(where);
  for (const auto& [patterns, members] :
       {std::pair{"*.txt", Words{"meadow.jpg", "meadow.txt"}}, std::pair{"none", Words{"meadow.jpg"}},
        std::pair{"*.json", Words{"meadow.jpg", "meadow.json"}}}) {
    CAPTURE(patterns);
    const TestFolder out;
    REQUIRE(Run({"filter", where / "in/meadow.jpg", "--keep", "short_side>=100", "--pack", out / "s",
                 "--sidecars", patterns})
                .exit_code == 0);
    CHECK(MembersOf(out / "s/shard-000000.tar") == members);
  }
}

TEST_CASE("actions go along with --pack, and a rerun leaves the shards alone") {
  const TestFolder where;
  MakeInput(where);
  const FolderBytes expected = PackedWithout(where, {"icon.png", "icon.txt"});
  const auto in_turn = [&](const std::string& name, const Words& action) {
    CAPTURE(name);
    const Words words =
        With(Filter(where), With(action, {"--pack", where / name, "--sidecars", "*.txt,*.json"}));
    for (int times = 0; times < 2; ++times) {
      const ProcessResult run = Run(words);
      INFO(run.err);
      CHECK(run.exit_code == 0);
      CHECK(Difference(expected, ShardsIn(where / name)) == "");
      CHECK((run.err.find("1 was finished already") != std::string::npos) == (times == 1));
    }
  };
  in_turn("copied", {"--action", "copy", "--to", where / "kept"});
  REQUIRE(Run({"pack", where / "kept", "-o", where / "afterwards"}).exit_code == 0);
  CHECK(Difference(expected, ShardsIn(where / "afterwards")) == "");
  in_turn("linked", {"--action", "hardlink", "--to", where / "links"});
  in_turn("moved", {"--action", "move", "--to", where / "bad"});
  CHECK(TestFolder::Exists(where / "bad/icon.txt"));
}

TEST_CASE("dedup packs what its action has left") {
  const TestFolder where;
  MakeInput(where);
  const FolderBytes expected = PackedWithout(where, {"sub/again.jpg"});
  for (const std::string action : {"hardlink", "delete"}) {
    for (int times = 0; times < 2; ++times) {
      const ProcessResult run = Run({"dedup", where / "in", "--action", action, "--pack", where / action});
      INFO(run.err);
      CHECK(run.exit_code == 0);
      CHECK(Difference(expected, ShardsIn(where / action)) == "");
    }
  }
  CHECK_FALSE(TestFolder::Exists(where / "in/sub/again.jpg"));
}

TEST_CASE("archives are filtered into archives, from a file and from stdin") {
  const TestFolder where;
  MakeInput(where);
  REQUIRE(Run({"pack", where / "in", "-o", where / "tar"}).exit_code == 0);
  const std::string archive = where / "tar/shard-000000.tar";
  REQUIRE(Run({"filter", archive, "--keep", "short_side>=100", "--pack", where / "kept"}).exit_code == 0);
  // Its names are packed as names that they have: the percent sign of "a%2Eclock" is written out.
  CHECK(MembersOf(where / "kept/shard-000000.tar") ==
        Words{"a%252Eclock.jpg", "meadow.jpg", "meadow.json", "meadow.txt", "sub/again.jpg"});
  for (const Words& command : {Words{"filter", "-", "--keep", "short_side>=100"}, Words{"dedup", "-"}}) {
    CAPTURE(command.front());
    const Words words = With(command, {"--pack", where / command.front()});
    const ProcessResult run =
        Process(With({"/bin/sh", "-c", "cat " + archive + R"( | exec "$0" "$@")"}, Imgmill(words)),
                WithState({}))
            .Wait();
    INFO(run.err);
    CHECK(run.exit_code == 0);
    CHECK(MembersOf(where / (command.front() + "/shard-000000.tar")).size() ==
          (command.front() == "filter" ? 5 : 6));  // of which dedup keeps the small one and its caption
  }
  CHECK(Difference(ShardsIn(where / "kept"), ShardsIn(where / "filter")) == "");
}

TEST_CASE("a reference's own images are not packed") {
  const TestFolder where;
  MakeInput(where);
  PutSample(where, "clock.jpg", "have/clock.jpg");
  PutSample(where, "harbour.jpg", "have/harbour.jpg");
  const ProcessResult run =
      Run({"dedup", where / "in", "--reference", where / "have", "--pack", where / "s", "--json"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CheckAllAccountedFor(Json(run));
  CHECK(run.err.find("2 images of the reference are not passed on") != std::string::npos);
  CHECK(MembersOf(where / "s/shard-000000.tar") ==
        Words{"in/icon.png", "in/icon.txt", "in/meadow.jpg", "in/meadow.json", "in/meadow.txt"});
}

TEST_CASE("an image that dedup keeps and its partner are one sample") {
  const TestFolder where;
  MakeInput(where);
  for (const char* name : {"a.clock.jpg", "meadow.jpg", "icon.png", "sub/again.jpg"})
    PutSample(where, "marble.jpg", std::string("LQ/") + name);
  const Words words = {"dedup", where / "in", "--pair", where / "LQ", "--pack", where / "s"};
  REQUIRE(Run(words).exit_code == 0);
  CHECK(MembersOf(where / "s/shard-000000.tar") == Words{"a%2Eclock.LQ.jpg", "a%2Eclock.jpg", "icon.LQ.png",
                                                         "icon.png", "icon.txt", "meadow.LQ.jpg",
                                                         "meadow.jpg", "meadow.json", "meadow.txt"});
  fs::remove(where / "LQ/meadow.jpg");
  const ProcessResult without = Run(With(words, {"--json"}));
  CHECK(without.exit_code == 1);
  CheckAllAccountedFor(Json(without));
}

TEST_CASE("broken images fail, findings and limits end as without --pack") {
  const TestFolder where;
  MakeInput(where);
  const auto code = [&](const Words& more) {
    const int alone = Run(Filter(where, more)).exit_code;
    const ProcessResult packed = Run(Filter(where, With(more, {"--pack", where / "s"})));
    CAPTURE(packed.err);
    CHECK(packed.exit_code == alone);
    return alone;
  };
  CHECK(code({}) == 0);
  CHECK(code({"--check"}) == 4);
  fs::remove_all(where / "s");
  CHECK(code({"--max-drop", "0"}) == 3);
  CHECK_FALSE(TestFolder::Exists(where / "s/index.json"));  // the refused run packs nothing
  where.Write("in/broken.jpg", "no image");
  CHECK(code({}) == 1);
  CHECK(Difference(PackedWithout(where, {"icon.png", "icon.txt", "broken.jpg"}), ShardsIn(where / "s")) ==
        "");
}

TEST_CASE("a dry run of filter --pack says what would be packed, and writes nothing") {
  const TestFolder where;
  MakeInput(where);
  const ProcessResult dry = Run(Filter(where, {"--pack", where / "s", "--dry-run", "--json"}));
  CHECK(dry.exit_code == 0);
  CHECK(Json(dry)["steps"][1]["forecast"]["listed"] == 3);
  CHECK_FALSE(TestFolder::Exists(where / "s"));
}

TEST_CASE("killed at any call, filter and dedup end, run again, like those that were not") {
  const auto input = [](const TestFolder& where) {
    PutSample(where, "icon_tiny.png", "in/a.png");
    PutSample(where, "icon_tiny.png", "in/b.png");
    PutSample(where, "clock.jpg", "in/c.jpg");
  };
  for (const Words& command : {Words{"filter", "--keep", "short_side<100", "--action", "move", "--to"},
                               Words{"dedup", "--action", "move", "--move-to"}}) {
    CAPTURE(command.front());
    const auto words = [&](const TestFolder& where) {
      return With(command, {where / "aside", where / "in", "--pack", where / "s", "--shard-samples", "1"});
    };
    const TestFolder undisturbed;
    input(undisturbed);
    REQUIRE(Run(words(undisturbed)).exit_code == 0);
    const FolderBytes whole = ShardsIn(undisturbed / "s");
    CHECK(whole.size() == 3);
    int points = 0;
    for (KillOutcome outcome = KillOutcome::kKilled; outcome == KillOutcome::kKilled; ++points) {
      const TestFolder where;
      input(where);
      outcome = KillAtCall(Imgmill(words(where)), WithState({}).environment, NameCalls(), points + 1);
      if (outcome == KillOutcome::kCannotTrace) {
        MESSAGE("SKIPPED: this process may not trace others");
        return;
      }
      CAPTURE(points);
      CHECK(Run(words(where)).exit_code == 0);
      CHECK(Difference(whole, ShardsIn(where / "s")) == "");
    }
    MESSAGE(points << " points");
    CHECK(points > 8);
  }
}

TEST_CASE("what does not go with --pack is said before any work") {
  const TestFolder where;
  MakeInput(where);
  const auto refused = [&](const Words& words, const std::string& why) {
    const ProcessResult run = Run(words);
    CAPTURE(run.err);
    CHECK(run.exit_code == 2);
    CHECK(run.err.find(why) != std::string::npos);
    CHECK_FALSE(TestFolder::Exists(where / "s"));
    CHECK(CountFiles(where / "in") == 7);
  };
  const Words packed = {"--pack", where / "s"};
  refused(Filter(where, {"--shard-samples", "3"}), "--shard-samples goes with --pack DIR");
  refused(Filter(where, {"--sidecars", "*.txt"}), "--sidecars goes with an --action");
  refused(Filter(where, With(packed, {"--suggest"})), "--suggest only reports: leave out --pack");
  refused(Filter(where, With(packed, {"--explain", where / "in/icon.png"})), "--explain only reports");
  refused(Filter(where, With(packed, {"--sidecars", "*_mask.npz"})),
          "in a shard, only names that have a dot");
  refused(Filter(where, With(packed, {"--action", "copy", "--to", where / "s/"})), "puts images into");
  refused(Filter(where, With(packed, {"--action", "move", "--to", where / "t", "--act-on", "kept"})),
          "run imgmill pack " + (where / "t") + " afterwards");
  for (const std::string rule : {"sharpness>p10", "bytes_per_pixel>m0.5"})
    refused(Filter(where, With(packed, {"--action", "move", "--to", where / "t", "--keep", rule})),
            "takes no rule such as " + rule);
  refused(With({"dedup", where / "in", "--pair", where / "in/sub", "--pair-name", "{name}_x4"}, packed),
          "--pair-name and --own-name do not go with it");
  refused({"dedup", where / "in", "--pair", where / "in/sub"}, "--pair goes with --action move");
}

}  // namespace imgmill::process_test
