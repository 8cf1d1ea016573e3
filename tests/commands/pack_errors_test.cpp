// What is wrong with a command is the same with --pack: its exit code, and what it says.
#include <doctest/doctest.h>

#include <sstream>

#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// Two photos, and what is in the way.
void MakeInput(const TestFolder& where) {
  fs::create_directories(where / "in");
  for (const std::string name : {"clock.jpg", "meadow.jpg"})
    fs::copy_file(SampleData() + "/" + name, where / ("in/" + name));
  where.Write("text.npy", "no weights");
  where.Write("file", "no folder");
  for (const std::string list : {"tiles.jsonl", "frames.jsonl", "index.json"})
    where.Write("theirs/" + list, "no list");
}

/// The last error, without the test's own folder.
std::string ErrorIn(const std::string& text, const TestFolder& where) {
  std::istringstream lines(text);
  std::string error;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("imgmill: error: ")) error = line;
  }
  for (size_t at = error.find(where.path()); at != std::string::npos; at = error.find(where.path()))
    error.erase(at, where.path().size());
  return error;
}

struct Wrong {
  Words words;
  int exit_code;
};

void CheckAlike(const Wrong& wrong) {
  std::string said[2], all;
  for (const bool packs : {false, true}) {
    const TestFolder where;
    MakeInput(where);
    Words words;
    for (const std::string& word : wrong.words) {
      words.push_back(word.starts_with("@") ? where / word.substr(1) : word);
      if (!packs) all += word + " ";
    }
    if (packs) words.insert(words.end(), {"--pack", where / "s"});
    const ProcessResult run = Run(words);
    CAPTURE(all);
    CAPTURE(packs);
    CAPTURE(run.err);
    CHECK(run.exit_code == wrong.exit_code);
    said[packs ? 1 : 0] = ErrorIn(run.err, where);
    CHECK_FALSE(TestFolder::Exists(where / "s/shard-000000.tar"));
  }
  CAPTURE(all);
  CHECK(said[0] != "");
  CHECK(said[0] == said[1]);
}

}  // namespace

TEST_CASE("what is missing or in the way ends a command with --pack as it does without") {
  const Words tile = {"tile", "@in", "--size", "64", "-o"}, upscale = {"upscale", "@in", "-o", "@out"},
              filter = {"filter", "@in", "--keep", "width>0"}, dedup = {"dedup", "@in"};
  const auto with = [](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  for (const Wrong& wrong :
       std::vector<Wrong>{// no such input
                          {{"tile", "@nosuch", "--size", "64", "-o", "@out"}, 1},
                          {{"frames", "@nosuch", "-o", "@out"}, 1},
                          {{"filter", "@nosuch", "--keep", "width>0"}, 1},
                          {{"dedup", "@nosuch"}, 1},
                          {{"dedup", "--files-from", "@nosuch"}, 2},
                          // no output can be there
                          {with(tile, {"@file"}), 3},
                          {with(tile, {"@file/x"}), 3},
                          {with(tile, {"@out", "--catalog", "@file"}), 3},
                          {with(filter, {"--action", "copy", "--to", "@file"}), 3},
                          {with(dedup, {"--action", "move", "--move-to", "@file"}), 3},
                          {with(filter, {"--export", "@nodir/x.csv"}), 3},
                          {with(dedup, {"--html", "@nodir/x.html"}), 3},
                          // what is there is somebody else's
                          {with(tile, {"@theirs"}), 3},
                          {{"frames", "@in", "-o", "@theirs"}, 3},
                          {with(filter, {"--html", "@file"}), 2},
                          {with(filter, {"--action", "copy", "--to", "@t", "--undo-file", "@text.npy"}), 2},
                          // weights
                          {with(upscale, {"--model", "@nosuch.pth"}), 2},
                          {with(filter, {"--scorer", "@nosuch.pth"}), 2},
                          {with(dedup, {"--method", "lpips", "--model", "@nosuch.pth"}), 2},
                          // values
                          {with(tile, {"@out", "--stride", "-1"}), 2},
                          {with(tile, {"@out", "--pair", "@nosuch"}), 2},
                          {with(upscale, {"--method", "nearest", "--sidecars", "*.jpg"}), 2},
                          {with(filter, {"--keep", "sharpnes>1"}), 2},
                          {with(dedup, {"--keep-by", "folder:@nosuch"}), 2},
                          {with(dedup, {"--reference", "@nosuch"}), 2},
                          {with(dedup, {"--pair", "@nosuch", "--action", "delete"}), 2}})
    CheckAlike(wrong);
}

TEST_CASE("what is given for weights and is none is refused with and without --pack") {
  for (const std::string weights : {"text.npy", "in", "in/clock.jpg"}) {
    for (const bool packs : {false, true}) {
      const TestFolder where;
      MakeInput(where);
      Words words = {"upscale", where / "in", "-o", where / "out", "--model", where / weights};
      if (packs) words.insert(words.end(), {"--pack", where / "s"});
      const ProcessResult run = Run(words);
      CAPTURE(run.err);
      CHECK(run.exit_code == 3);
      CHECK(run.err.find("imgmill: error: " + (where / weights) + ": ") != std::string::npos);
    }
  }
}

TEST_CASE("what is in the way of the shards ends it as pack by itself") {
  const auto both = [](const std::string& output) {
    std::string said[2];
    int codes[2];
    for (const bool packs : {false, true}) {
      const TestFolder where;
      MakeInput(where);
      const ProcessResult run =
          Run(packs ? Words{"filter", where / "in", "--keep", "width>0", "--pack", where / output}
                    : Words{"pack", where / "in", "-o", where / output});
      CAPTURE(run.err);
      codes[packs] = run.exit_code;
      said[packs] = ErrorIn(run.err, where);
      const std::string flag = "--pack: ";
      if (const size_t at = said[packs].find(flag); at != std::string::npos)
        said[packs].erase(at, flag.size());
    }
    CHECK(said[0] != "");
    CHECK(said[0] == said[1]);
    CHECK(codes[0] == codes[1]);
    return codes[1];
  };
  CHECK(both("file") == 3);
  CHECK(both("theirs") == 3);
  CHECK(both("s.tar") == 2);
  CHECK(both("in") == 2);
}

}  // namespace imgmill::process_test
