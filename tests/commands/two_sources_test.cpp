// Two runs from different folders into one output folder: what one source gave, another one never replaces
// unasked. The expected bytes are those of runs into folders of their own.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

std::string Picture(unsigned seed, int side = 48) {
  std::string bytes = "P6\n" + std::to_string(side) + " " + std::to_string(side) + "\n255\n";
  std::mt19937 random(seed);
  for (int i = 0; i < side * side * 3; ++i) bytes += static_cast<char>(random() % 256);
  return bytes;
}

using Command = std::vector<std::string>;

Command Upscale(const std::string& input, const std::string& output) {
  return {"upscale", input, "--method", "lanczos3", "--scale", "2", "-o", output, "--json"};
}
Command Tile(const std::string& input, const std::string& output) {
  return {"tile", input, "--size", "16", "--best", "2", "-o", output, "--json"};
}

/// All that is in the folder, by GNU tar.
void Pack(const std::string& archive, const std::string& folder) {
  REQUIRE(Process({"/bin/tar", "--sort=name", "-C", folder, "-cf", archive, "."}, {}).Wait().exit_code == 0);
}

FolderBytes Images(const std::string& folder) {
  FolderBytes files = ReadFolder(folder);
  for (const char* list : {"tiles.jsonl", "frames.jsonl"}) files.erase(list);  // name their sources
  return files;
}

}  // namespace

TEST_CASE("an output of another source is refused as foreign, naming both, and --force replaces it whole") {
  for (const auto& command : {&Upscale, &Tile}) {
    const TestFolder where;
    where.Write("p1/y.ppm", Picture(1));
    where.Write("p2/y.ppm", Picture(2));
    where.Write("p2/z.ppm", Picture(3));
    REQUIRE(Run(command(where / "p1", where / "out")).exit_code == 0);
    const FolderBytes first = Images(where / "out");

    Command plan = command(where / "p2", where / "out");
    plan.push_back("--dry-run");
    const ProcessResult planned = Run(plan);
    CHECK(planned.err.find("the output of another source, " + where.path() + "/p1/y.ppm") !=
          std::string::npos);

    const ProcessResult second = Run(command(where / "p2", where / "out"));
    INFO(second.err);
    CHECK(second.exit_code == 1);
    const nlohmann::json json = Json(second);
    CHECK(json["done"] == 1);  // z
    REQUIRE(json["failed"].size() == 1);
    CHECK(json["failed"][0]["path"].get<std::string>().ends_with("p2/y.ppm"));
    CHECK(json["failed"][0]["code"] == "conflict");
    const std::string message = json["failed"][0]["message"];
    CHECK(message.find(where.path() + "/p1/y.ppm") != std::string::npos);
    CHECK(message.find("--force") != std::string::npos);
    const FolderBytes both = Images(where / "out");
    for (const auto& [name, bytes] : first) CHECK(both.at(name) == bytes);

    // The first source is still at home there.
    const ProcessResult again = Run(command(where / "p1", where / "out"));
    CHECK(again.exit_code == 0);
    CHECK(Json(again)["skipped"] == 1);

    Command force = command(where / "p2", where / "out");
    force.push_back("--force");
    CHECK(Run(force).exit_code == 0);
    REQUIRE(Run(command(where / "p2", where / "alone")).exit_code == 0);
    CHECK(Difference(Images(where / "alone"), Images(where / "out")) == "");
  }
}

TEST_CASE("a renamed or copied input folder takes over what was made of the same contents") {
  for (const auto& command : {&Upscale, &Tile}) {
    const TestFolder where;
    where.Write("p1/x.ppm", Picture(1));
    where.Write("p1/y.ppm", Picture(2));
    REQUIRE(Run(command(where / "p1", where / "out")).exit_code == 0);
    const FolderBytes before = Images(where / "out");
    SUBCASE("renamed") {
      fs::rename(where / "p1", where / "p2");
    }
    SUBCASE("copied") {
      fs::copy(where / "p1", where / "p2");
    }
    for (int round = 0; round < 2; ++round) {
      const ProcessResult again = Run(command(where / "p2", where / "out"));
      INFO(again.err);
      CHECK(again.exit_code == 0);
      CHECK(Json(again)["skipped"] == 2);
      CHECK(Difference(before, Images(where / "out")) == "");
    }
    // Where only one source is left that wants the output, it may change it; where both are there, neither
    // may.
    where.Write("p2/y.ppm", Picture(4));
    const ProcessResult changed = Run(command(where / "p2", where / "out"));
    INFO(changed.err);
    if (fs::exists(where / "p1")) {
      CHECK(changed.exit_code == 1);
      CHECK(Difference(before, Images(where / "out")) == "");
    } else {
      CHECK(changed.exit_code == 0);
      REQUIRE(Run(command(where / "p2", where / "alone")).exit_code == 0);
      CHECK(Difference(Images(where / "alone"), Images(where / "out")) == "");
    }
  }
}

TEST_CASE("a picture that takes another's place in its folder takes its output's place, too") {
  for (const auto& command : {&Upscale, &Tile}) {
    const TestFolder where;
    where.Write("p/y.ppm", Picture(1));
    REQUIRE(Run(command(where / "p", where / "out")).exit_code == 0);
    fs::remove(where / "p/y.ppm");
    where.Write("p/y.pnm", Picture(2, 32));
    CHECK(Run(command(where / "p", where / "out")).exit_code == 0);
    REQUIRE(Run(command(where / "p", where / "alone")).exit_code == 0);
    CHECK(Difference(Images(where / "alone"), Images(where / "out")) == "");
  }
}

TEST_CASE(
    "two arguments of one run that meet in one name: the second is refused, not written over the first") {
  for (const auto& command : {&Upscale, &Tile}) {
    const TestFolder where;
    where.Write("p1/y.ppm", Picture(1));
    where.Write("p2/y.ppm", Picture(2));
    Command both = command(where / "p1", where / "out");
    both.insert(both.begin() + 2, {where / "p2/y.ppm", "-j1"});
    const ProcessResult run = Run(both);
    INFO(run.err);
    CHECK(run.exit_code == 1);
    CHECK(Json(run)["failed"].size() == 1);
    REQUIRE(Run(command(where / "p1", where / "alone")).exit_code == 0);
    CHECK(Difference(Images(where / "alone"), Images(where / "out")) == "");
  }
}

TEST_CASE(
    "--force replaces what an earlier run has made of another source, and nothing that this run has made") {
  for (const auto& command : {&Upscale, &Tile}) {
    const TestFolder where;
    where.Write("p1/y.ppm", Picture(1));
    where.Write("p2/y.ppm", Picture(2));
    REQUIRE(Run(command(where / "p2", where / "out")).exit_code == 0);
    Command both = command(where / "p1", where / "out");
    both.insert(both.begin() + 2, {where / "p2/y.ppm", "-j1", "--force"});
    for (int time = 0; time < 2; ++time) {
      const ProcessResult run = Run(both);
      INFO(run.err);
      CHECK(run.exit_code == 1);
      const nlohmann::json json = Json(run);
      CHECK(json["done"] == 1);
      REQUIRE(json["failed"].size() == 1);
      CHECK(json["failed"][0]["code"] == "conflict");
      CHECK(json["failed"][0]["path"] == where / "p2/y.ppm");
      CHECK(json["failed"][0]["message"].get<std::string>().find(
                "is what this run has made of another source, " + where.path() + "/p1/y.ppm") !=
            std::string::npos);
      REQUIRE(Run(command(where / "p1", where / "alone")).exit_code == 0);
      CHECK(Difference(Images(where / "alone"), Images(where / "out")) == "");
    }
    // Of one content there is one output.
    fs::copy_file(where / "p1/y.ppm", where / "p2/y.ppm", fs::copy_options::overwrite_existing);
    CHECK(Run(both).exit_code == 0);
    CHECK(Difference(Images(where / "alone"), Images(where / "out")) == "");
  }
}

TEST_CASE("the outputs of two folders that were swapped are made again, each in its place") {
  const TestFolder where;
  where.Write("p1/x.ppm", Picture(1));
  where.Write("p2/x.ppm", Picture(2));
  const auto upscale = [&](const std::string& output) {
    Command command = Upscale(where / "p1", where / output);
    command.insert(command.begin() + 2, where / "p2");
    return Run(command);
  };
  REQUIRE(upscale("out").exit_code == 0);
  std::filesystem::rename(where / "p1", where / "aside");
  std::filesystem::rename(where / "p2", where / "p1");
  std::filesystem::rename(where / "aside", where / "p2");
  const ProcessResult swapped = upscale("out");
  INFO(swapped.err);
  CHECK(swapped.exit_code == 0);
  REQUIRE(upscale("anew").exit_code == 0);
  CHECK(Images(where / "out") == Images(where / "anew"));
  CHECK(Json(upscale("out"))["done"] == 0);
}

TEST_CASE("a file and a folder's file of one name in one run: one is made, the other refused and named") {
  const Command ends[] = {{"upscale", "--method", "nearest", "--scale", "1"},
                          {"tile", "--size", "16"},
                          {"tile", "--size", "16", "--best", "1", "--by", "random"},
                          {"frames"}};
  for (const Command& end : ends) {
    CAPTURE(end[0]);
    const TestFolder where;
    where.Write("a/x.ppm", Picture(1));
    where.Write("folder/x.ppm", Picture(2));
    Command words = {end[0], where / "a/x.ppm", where / "folder", "-o", where / "out", "--json"};
    words.insert(words.end(), end.begin() + 1, end.end());
    FolderBytes first;
    for (int round = 0; round < 3; ++round) {  // the second one and the third find what the first has made
      CAPTURE(round);
      const ProcessResult run = Run(words);
      INFO(run.err);
      CHECK(run.exit_code == 1);
      const nlohmann::json json = Json(run);
      CHECK(json["done"].get<int>() + json["skipped"].get<int>() == 1);
      REQUIRE(json["failed"].size() == 1);
      CHECK(json["failed"][0]["code"] == "conflict");
      const bool second = json["failed"][0]["path"] == where / "folder/x.ppm";
      CHECK(run.err.find(where / (second ? "a/x.ppm" : "folder/x.ppm")) != std::string::npos);
      if (round == 0) first = ReadFolder(where / "out");
      CHECK(Difference(first, ReadFolder(where / "out")) == "");
    }
  }
}

TEST_CASE("copies of one name in one run get names of their own, and so do those of folders of one name") {
  const TestFolder where;
  where.Write("a/x.ppm", Picture(1));
  where.Write("folder/x.ppm", Picture(2));
  where.Write("other/folder/x.ppm", Picture(3));
  const auto copy = [&](Command from, const std::string& to) {
    Command words = {"filter", "--keep", "width>=1", "--action", "copy", "--to", where / to};
    words.insert(words.begin() + 1, from.begin(), from.end());
    CHECK(Run(words).exit_code == 0);
    std::set<std::string> bytes;
    for (const auto& [name, text] : ReadFolder(where / to)) bytes.insert(text);
    return bytes;
  };
  CHECK(copy({where / "a/x.ppm", where / "folder"}, "one") == std::set{Picture(1), Picture(2)});
  CHECK(copy({where / "folder", where / "other/folder"}, "two") == std::set{Picture(2), Picture(3)});
  REQUIRE(Run({"upscale", where / "folder", where / "other/folder", "--method", "nearest", "--scale", "1",
               "-o", where / "three"})
              .exit_code == 0);
  CHECK(CountFiles(where / "three") == 2);
}

TEST_CASE("members of archives own their outputs as files do: no other one of their names replaces them") {
  const Command ends[] = {{"upscale", "--method", "nearest", "--scale", "1", "--format", "png"},
                          {"tile", "--size", "16", "--format", "png"},
                          {"frames", "--format", "png"}};
  for (const Command& end : ends) {
    CAPTURE(end[0]);
    const TestFolder where;
    where.Write("in/x.ppm", Picture(1));
    where.Write("in/x.pnm", Picture(2));
    Pack(where / "in.tar", where / "in");
    const auto run = [&](const std::string& only, const std::string& to) {
      Command words = {end[0], where / "in.tar", "--include", only, "-o", where / to, "--json"};
      words.insert(words.end(), end.begin() + 1, end.end());
      return Run(words);
    };
    REQUIRE(run("*.ppm", "out").exit_code == 0);
    const FolderBytes first = ReadFolder(where / "out");
    const ProcessResult second = run("*.pnm", "out");
    INFO(second.err);
    CHECK(second.exit_code == 1);
    CHECK(second.err.find("the output of another source, " + where.path() + "/in.tar/x.ppm") !=
          std::string::npos);
    for (const auto& [name, bytes] : first) CHECK(ReadFolder(where / "out")[name] == bytes);
    // One that is gone from the archive is no owner any more.
    fs::remove(where / "in/x.ppm");
    Pack(where / "in.tar", where / "in");
    CHECK(run("*.pnm", "out").exit_code == 0);
    REQUIRE(run("*.pnm", "alone").exit_code == 0);
    CHECK(Difference(Images(where / "alone"), Images(where / "out")) == "");
  }
}

TEST_CASE("--prune leaves tiles that another archive's image of the same content has for its own, too") {
  const TestFolder where;
  where.Write("in/x.ppm", Picture(1));
  Pack(where / "1.tar", where / "in");
  fs::copy_file(where / "1.tar", where / "2.tar");
  const auto tile = [&](const std::string& from, const Command& more) {
    Command words = {"tile", where / from, "-o", where / "out", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const ProcessResult result = Run(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return result;
  };
  tile("1.tar", {"--size", "16"});
  tile("2.tar", {"--size", "16"});
  const FolderBytes shared = Images(where / "out");
  CHECK(shared.size() == 9);
  tile("1.tar", {"--size", "16", "--format", "jpg", "--prune", "--force"});
  FolderBytes left = Images(where / "out");
  CHECK(left.size() == 18);
  std::erase_if(left, [](const auto& file) { return file.first.ends_with(".jpg"); });
  CHECK(Difference(shared, left) == "");
  CHECK(Json(tile("2.tar", {"--size", "16"}))["done"] == 0);
}

}  // namespace imgmill::process_test
