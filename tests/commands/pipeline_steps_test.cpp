// What a step of a pipeline is given by a step that has moved files, and what the document says of both.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "commands/drawn_picture.h"
#include "imgmill/catalog/catalog.h"
#include "program.h"

namespace imgmill::process_test {

TEST_CASE("a step after a move is given the files where they are, under the names that were free") {
  const TestFolder where;
  const auto draw = [](int shade) {
    return Draw(64, 64, 1, [shade](int64_t x, int64_t y, int) {
      return static_cast<double>((x / 8 * 31 + y / 8 * 57 + shade * 91) % 256);
    });
  };
  for (int i = 1; i <= 3; ++i) WritePicture(where / ("photos/" + std::to_string(i) + ".png"), draw(i));
  WritePicture(where / "photos/small.png", Draw(8, 8, 1, [](int64_t, int64_t, int) { return 7; }));
  WritePicture(where / "kept/2.png", draw(9));  // is there already, and stays
  std::ofstream(where / "steps.yaml")
      << "input: photos\noutput: out\nsteps:\n"
         "  - filter: {keep: [\"width>=64\"], action: move, to: kept, act-on: kept}\n"
         "  - embed: {export: vectors.jsonl}\n";
  const ProcessResult ran =
      Run({"run", where / "steps.yaml", "--json", "--report-page", where / "page.html"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  const nlohmann::json steps = Json(ran)["steps"];
  CHECK(steps[0]["acted"] == 3);
  CHECK(steps[0]["kept"] == 3);
  CHECK(steps[0]["dropped"] == 1);
  CHECK(steps[1]["listed"] == 3);
  std::vector<std::string> names;
  std::ifstream vectors(steps[1]["exported"][0].get<std::string>());
  for (std::string line; std::getline(vectors, line);)
    names.push_back(std::filesystem::path(nlohmann::json::parse(line)["path"].get<std::string>()).filename());
  CHECK(names == std::vector<std::string>{"1.png", "2-2.png", "3.png"});
  // The page follows the files: all three went through both steps, and are shown and linked where they are.
  std::ifstream page_file(where / "page.html");
  const std::string page{std::istreambuf_iterator<char>(page_file), {}};
  const auto count = [&](const std::string& text) {
    size_t found = 0;
    for (size_t at = page.find(text); at != std::string::npos; at = page.find(text, at + 1)) ++found;
    return found;
  };
  CHECK(count("embed: <b>kept</b>") == 3);
  CHECK(count("href=\"kept/2-2.png\"") == 1);
  CHECK(count("no thumbnail") == 0);
  // Each field once, though step and command both have it.
  const size_t filter = ran.out.find("\"step\": \"filter\"");
  const size_t embed = ran.out.find("\"step\": \"embed\"");
  REQUIRE(filter < embed);
  const std::string first = ran.out.substr(filter, embed - filter);
  CHECK(first.find("\"kept\": ") == first.rfind("\"kept\": "));
}

TEST_CASE("verify looks for the files of each export where they were written") {
  const TestFolder where;
  WritePicture(where / "photos/1.png",
               Draw(16, 16, 1, [](int64_t x, int64_t, int) { return static_cast<double>(x % 7 * 20); }));
  for (const std::string folder : {"elsewhere", "out/deep/er"})
    std::filesystem::create_directories(where / folder);
  std::ofstream(where / "steps.yaml") << "input: photos\noutput: out\nsteps:\n"
                                         "  - embed: {export: "
                                      << where / "elsewhere/e.npy"
                                      << "}\n"
                                         "  - embed: {export: "
                                      << where / "out/deep/er/e.npy"
                                      << "}\n";
  const ProcessResult ran = Run({"run", where / "steps.yaml"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(Run({"verify", where / "out"}).exit_code == 0);
  const auto finds = [&](const std::string& folder) {
    const ProcessResult verified = Run({"verify", where / folder});
    CHECK(verified.exit_code == 4);
    return verified.out;
  };
  std::ofstream(where / "elsewhere/e.npy", std::ios::app) << "more";
  CHECK(finds("out") == "changed  " + (where / "elsewhere/e.npy") + "\n");
  std::filesystem::remove(where / "elsewhere/e.npy");
  CHECK(finds("out") == "missing  " + (where / "elsewhere/e.npy") + "\n");
  // What lies in the output folder moves with it.
  std::filesystem::rename(where / "out", where / "moved");
  std::ofstream(where / "moved/deep/er/e.npy", std::ios::app) << "more";
  CHECK(finds("moved") ==
        "missing  " + (where / "elsewhere/e.npy") + "\nchanged  " + (where / "moved/deep/er/e.npy") + "\n");
}

TEST_CASE("verify tells steps with the same options apart, also in a folder that was moved") {
  const TestFolder where;
  WritePicture(where / "photos/1.png", Draw(16, 16, 1, [](int64_t x, int64_t y, int) {
                 return static_cast<double>((x * 5 + y * 7) % 256);
               }));
  std::ofstream(where / "steps.yaml") << "input: photos\noutput: out\nsteps:\n"
                                         "  - upscale: {method: linear}\n"
                                         "  - upscale: {method: linear, output: out/more}\n"
                                         "  - upscale: {method: linear, output: out/a}\n";
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  std::string out = "out";
  const auto finds = [&] { return Run({"verify", where / out}).out; };
  for (const std::string moved : {"out", "moved"}) {
    std::filesystem::rename(where / out, where / moved);
    out = moved;
    CHECK(finds() == "");
    for (const std::string step : {"upscale", "more", "a"}) {
      CAPTURE(step);
      const std::string file = where / (out + "/" + step + "/1.png");
      std::filesystem::rename(file, where / "kept.png");
      CHECK(finds() == "missing  " + file + "\n");
      if (step == "more") {  // which no later step's file is
        std::filesystem::copy_file(where / (out + "/a/1.png"), file);
        CHECK(finds() == "changed  " + file + "\n");
      }
      std::filesystem::rename(where / "kept.png", file);
    }
  }
  std::string all;
  for (const std::string step : {"a", "more", "upscale"}) {
    std::filesystem::remove(where / (out + "/" + step + "/1.png"));
    all += "missing  " + (where / (out + "/" + step + "/1.png")) + "\n";
  }
  CHECK(finds() == all);
}

TEST_CASE("verify misses no file in the folder of a step that its image did not come to") {
  const TestFolder where;
  for (const int size : {8, 64})
    WritePicture(where / ("photos/" + std::to_string(size) + ".png"),
                 Draw(size, size, 1,
                      [](int64_t x, int64_t y, int) { return static_cast<double>((x * 5 + y * 7) % 256); }));
  std::ofstream(where / "steps.yaml") << "input: photos\noutput: out\nsteps:\n"
                                         "  - upscale: {method: linear, output: out/a}\n"
                                         "  - filter: {keep: [\"width>=64\"]}\n"
                                         "  - upscale: {method: linear, output: out/b}\n";
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  REQUIRE(CountFiles(where / "out/b") == 1);
  const auto missing = [&](const std::string& name) {
    return "missing  " + (where / ("out/" + name)) + "\n";
  };
  std::filesystem::remove(where / "out/a/8.png");
  CHECK(Run({"verify", where / "out"}).out == missing("a/8.png"));
  std::filesystem::remove(where / "out/a/64.png");
  CHECK(Run({"verify", where / "out"}).out == missing("a/64.png") + missing("a/8.png"));
  std::filesystem::remove(where / "out/b/64.png");
  CHECK(Run({"verify", where / "out"}).out == missing("a/64.png") + missing("b/64.png") + missing("a/8.png"));
}

TEST_CASE("verify forgets what is missing when told to, until it is there again") {
  const TestFolder where;
  for (const std::string name : {"1", "2"})
    WritePicture(where / ("photos/" + name + ".png"), Draw(64, 32, 1, [&](int64_t x, int64_t, int) {
                   return static_cast<double>(x * (name == "1" ? 3 : 2));
                 }));
  where.Write("photos/1.txt", "of 1");
  const std::vector<std::string> tile = {"tile", where / "photos", "-o",   where / "out", "--size",
                                         "32",   "--sidecars",     "*.txt"};
  REQUIRE(Run(tile).exit_code == 0);
  const auto verify = [&](std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"verify", where / "out"});
    return Run(more);
  };
  const std::string lost = where / "out/1_00000_00000.png", caption = where / "out/1_00032_00000.txt";
  std::filesystem::rename(lost, where / "kept.png");
  std::filesystem::remove(caption);
  std::filesystem::rename(where / "photos/1.png", where / "1.png");
  REQUIRE(Run(tile).exit_code == 0);
  const std::string missing = "missing  " + lost + "\nmissing  " + caption + "\n";
  const ProcessResult told = verify();
  CHECK(told.out == missing);
  CHECK(told.err.find("--forget") != std::string::npos);
  const ProcessResult last = verify({"--forget"});
  CHECK(last.out == missing);
  CHECK(last.exit_code == 4);
  const ProcessResult after = verify();
  CHECK(after.out == "");
  CHECK(after.exit_code == 0);
  CHECK(after.err.find("4 as written, 0 changed, 0 missing, 0 unknown") != std::string::npos);
  // The image is there again: its tiles are made again, and looked for again.
  std::filesystem::rename(where / "1.png", where / "photos/1.png");
  REQUIRE(Run(tile).exit_code == 0);
  CHECK(verify().exit_code == 0);
  CHECK(TestFolder::Read(lost) == TestFolder::Read(where / "kept.png"));
  std::filesystem::remove(lost);
  CHECK(verify().out == "missing  " + lost + "\n");
  // A tile that is put back as it was is unknown until a run takes its set for finished.
  CHECK(verify({"--forget"}).exit_code == 4);
  std::filesystem::rename(where / "kept.png", lost);
  CHECK(verify().out == "unknown  " + lost + "\n");
  REQUIRE(Run(tile).exit_code == 0);
  CHECK(verify().out == "");
}

TEST_CASE("verify forgets a missing file, and none that has the end of its name") {
  const TestFolder where;
  const std::vector<std::string> names = {"1.png", "a/1.png"};
  for (const std::string& name : names)
    WritePicture(where / ("photos/" + name), Draw(16, 16, 1, [&](int64_t x, int64_t y, int) {
                   return static_cast<double>(x * 3 + y * static_cast<int64_t>(name.size()));
                 }));
  REQUIRE(Run({"upscale", where / "photos", "-o", where / "out", "--method", "nearest"}).exit_code == 0);
  {  // all but the folders, which catalogs of old do not note
    const auto from = Catalog::Open(where / "out/.imgmill"), to = Catalog::Open(where / "old");
    for (const std::string& name : names) {
      for (const FoundWork& work : (*from)->FindOutputs(name)) REQUIRE((*to)->PutWork(work.key, work.row));
    }
  }
  std::filesystem::remove_all(where / "out/.imgmill");
  std::filesystem::rename(where / "old", where / "out/.imgmill");
  CHECK(Run({"verify", where / "out"}).exit_code == 0);
  std::filesystem::remove(where / "out/a/1.png");
  CHECK(Run({"verify", where / "out", "--forget"}).out == "missing  " + (where / "out/a/1.png") + "\n");
  const ProcessResult after = Run({"verify", where / "out"});
  CHECK(after.out == "");
  CHECK(after.err.find("1 as written, 0 changed, 0 missing, 0 unknown") != std::string::npos);
}

TEST_CASE("verify knows in which step's folder a file was written, wherever that lies") {
  const TestFolder where;
  for (int i = 1; i <= 2; ++i) {
    WritePicture(where / ("photos/" + std::to_string(i) + ".png"),
                 Draw(64, 64, 1, [i](int64_t x, int64_t y, int) {
                   return static_cast<double>((x * (3 + i) + y * 7) % 256);
                 }));
  }
  std::ofstream(where / "steps.yaml") << "input: photos\noutput: out\nsteps:\n"
                                         "  - tile: {size: 32}\n"  // named as what is made of them
                                         "  - upscale: {method: nearest}\n"
                                         "  - upscale: {method: linear, output: out/deep/er}\n"
                                         "  - upscale: {method: cubic, output: elsewhere}\n";
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  const auto finds = [&](const std::string& folder) { return Run({"verify", where / folder}); };
  const ProcessResult whole = finds("out");
  CHECK(whole.exit_code == 0);
  CHECK(whole.err.find("32 as written, 0 changed, 0 missing, 0 unknown") != std::string::npos);

  for (const std::string step : {"out/deep/er", "out/tile", "out/upscale"}) {
    for (const auto& [name, bytes] : ReadFolder(where / step)) {
      if (!name.ends_with("_00000_00000.png")) continue;
      std::filesystem::remove(where / (step + "/" + name));
    }
  }
  const ProcessResult lost = finds("out");
  CHECK(lost.exit_code == 4);
  for (const std::string step : {"out/deep/er", "out/tile", "out/upscale"}) {
    for (const std::string picture : {"1", "2"}) {
      CHECK(lost.out.find("missing  " + (where / (step + "/" + picture + "_00000_00000.png")) + "\n") !=
            std::string::npos);
    }
  }
  CHECK(lost.err.find("26 as written, 0 changed, 6 missing, 0 unknown") != std::string::npos);
  // Another step's file of this name is not this step's.
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  const std::string copied = where / "out/upscale/1_00000_00000.png";
  std::filesystem::copy_file(where / "out/tile/1_00000_00000.png", copied,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(finds("out").out == "changed  " + copied + "\n");
  std::filesystem::remove(where / "elsewhere/2_00032_00032.png");
  std::filesystem::rename(where / "out", where / "moved");
  const std::string moved = finds("moved").out;
  CHECK(moved.find("missing  " + (where / "elsewhere/2_00032_00032.png")) != std::string::npos);
  CHECK(moved.find("changed  " + (where / "moved/upscale/1_00000_00000.png")) != std::string::npos);
  CHECK(std::count(moved.begin(), moved.end(), '\n') == 2);
}

TEST_CASE("a step after a move of links and files is given all of them where they are") {
  const TestFolder where;
  const auto draw = [](int shade) {
    return Draw(64, 64, 1, [shade](int64_t x, int64_t y, int) {
      return static_cast<double>((x / 8 * 31 + y / 8 * 57 + shade * 91) % 256);
    });
  };
  for (const auto& [name, shade] : {std::pair{"a", 1}, {"c", 2}, {"d", 3}})
    WritePicture(where / ("photos/" + std::string(name) + ".png"), draw(shade));
  WritePicture(where / "elsewhere/b.png", draw(4));
  // Moved before the files around it.
  std::filesystem::create_symlink("../elsewhere/b.png", where / "photos/b.png");
  std::ofstream(where / "steps.yaml")
      << "input: photos\noutput: out\nsteps:\n"
         "  - filter: {keep: [\"width>=64\"], action: move, to: good, act-on: kept}\n"
         "  - tile: {size: 32}\n";
  const ProcessResult ran = Run({"run", where / "steps.yaml", "--json"});
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  const nlohmann::json steps = Json(ran)["steps"];
  CHECK(steps[0]["kept"] == 4);
  CHECK(steps[1]["listed"] == 4);
  CHECK(steps[1]["done"] == 4);
}

TEST_CASE(
    "an export of a step whose images were all dropped before is one of none, also over an earlier one") {
  for (const std::string rule : {"width>9000", "width>p50"}) {  // decided at once, and behind all images
    CAPTURE(rule);
    const TestFolder where;
    std::filesystem::create_directories(where / "photos");
    std::filesystem::copy_file(SampleData() + "/harbour.jpg", where / "photos/harbour.jpg");
    const auto run = [&](const std::string& keep, int exit_code) {
      where.Write("steps.yaml", "input: photos\noutput: out\nsteps:\n  - filter: {keep: [\"" + keep +
                                    "\"]}\n  - embed: {export: v.npy}\n  - embed: {export: v.jsonl}\n");
      const ProcessResult ran = Run({"run", where / "steps.yaml"});
      INFO(ran.err);
      CHECK(ran.exit_code == exit_code);
    };
    run("width>1", 0);
    CHECK(TestFolder::Read(where / "v.paths.txt").ends_with("harbour.jpg\n"));
    run(rule, 0);
    CHECK(TestFolder::Read(where / "v.npy").find("'shape': (0, 0)") != std::string::npos);
    CHECK(TestFolder::Read(where / "v.paths.txt").empty());
    CHECK(TestFolder::Read(where / "v.jsonl").empty());
    run(rule, 0);
    run("width>1", 0);
    CHECK_FALSE(TestFolder::Read(where / "v.jsonl").empty());
    // A drive that is not mounted.
    std::filesystem::rename(where / "photos", where / "unmounted");
    run(rule, 1);
    CHECK_FALSE(TestFolder::Read(where / "v.jsonl").empty());
  }
}

TEST_CASE("a dry run of a pipeline counts the files that options name") {
  const TestFolder where;
  std::filesystem::create_directories(where / "photos");
  std::filesystem::copy_file(SampleData() + "/harbour.jpg", where / "photos/harbour.jpg");
  where.Write("steps.yaml",
              "input: photos\noutput: out\nsteps:\n"
              "  - filter: {keep: [\"width>1\"], export: s.csv}\n"
              "  - embed: {export: v.npy}\n  - dedup:\n");
  const auto to_write = [&](size_t step) {
    const nlohmann::json forecast =
        Json(Run({"run", where / "steps.yaml", "--dry-run", "--json"}))["steps"][step]["forecast"];
    const nlohmann::json& at_most = forecast["at_most"];
    return std::pair(forecast["to_write"].get<int>(), std::ranges::count(at_most, "to_write") > 0);
  };
  CHECK(to_write(0) == std::pair(1, false));
  CHECK(to_write(1) == std::pair(2, false));
  CHECK(to_write(2) == std::pair(0, false));
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  CHECK(to_write(0) == std::pair(1, true));
  CHECK(to_write(1) == std::pair(2, true));
}

}  // namespace imgmill::process_test
