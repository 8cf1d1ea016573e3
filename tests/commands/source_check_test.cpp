// verify --sources: captions and images that changed or went away after they were copied or packed.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

void CopyPhotos(const TestFolder& where) {
  fs::create_directories(where / "photos");
  for (const std::string name : {"harbour", "marble", "mountains"}) {
    fs::copy_file(SampleData() + "/" + name + ".jpg", where / ("photos/" + name + ".jpg"));
    where.Write("photos/" + name + ".txt", "caption of " + name);
  }
  where.Write("photos/marble.jpg.json", "{}");
}

std::vector<std::string> Findings(const std::string& folder) {
  const ProcessResult verified = Run({"verify", folder, "--sources", "--json"});
  const nlohmann::json document = Json(verified);
  std::vector<std::string> found;
  for (const auto& each : document["findings"]) {
    const std::string source = each.value("source", "");
    found.push_back(each["finding"].get<std::string>() + " " +
                    fs::path(each["path"].get<std::string>()).filename().string() + " " +
                    fs::path(source).filename().string());
  }
  CHECK(verified.exit_code == (found.empty() ? 0 : 4));
  std::ranges::sort(found);
  return found;
}

using Found = std::vector<std::string>;

}  // namespace

TEST_CASE("a source that a later step has moved is where that has put it") {
  const TestFolder where;
  CopyPhotos(where);
  where.Write("steps.yaml",
              "input: photos\noutput: out\nsteps:\n"
              "  - tile: {size: 256, best: 1}\n"
              "  - filter: {keep: [\"width>0\"], action: copy, to: copies}\n"
              "  - filter: {keep: [\"width>0\"], action: move, act-on: kept, to: moved}\n");
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  const std::vector<std::string> tiles = [&] {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(where / "moved")) {
      if (entry.path().extension() == ".png") names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }();
  REQUIRE_FALSE(tiles.empty());
  CHECK(Findings(where / "out").empty());
  where.Write("moved/" + tiles.front(), "another picture");
  CHECK(Findings(where / "out") ==
        Found{"changed " + tiles.front() + " ", "source_gone " + tiles.front() + " " + tiles.front()});
}

TEST_CASE("captions that change or go after they were copied beside tiles are told, each with its copies") {
  const TestFolder where;
  CopyPhotos(where);
  const std::vector<std::string> tile = {"tile", where / "photos", "-o",           where / "out", "--size",
                                         "200",  "--sidecars",     "*.txt,*.json", "--best",      "2"};
  REQUIRE(Run(tile).exit_code == 0);
  CHECK(Findings(where / "out").empty());
  where.Write("photos/harbour.txt", "another caption");
  fs::remove(where / "photos/marble.jpg.json");
  const Found found = Findings(where / "out");
  REQUIRE(found.size() == 4);  // two copies of each
  for (const size_t i : {0, 1}) {
    CHECK(found[i].starts_with("source_changed harbour_"));
    CHECK(found[i].ends_with(".txt harbour.txt"));
    CHECK(found[i + 2].starts_with("source_gone marble_"));
    CHECK(found[i + 2].ends_with(".png.json marble.jpg.json"));
  }
  REQUIRE(Run(tile).exit_code == 0);  // takes the new caption, and leaves out what is gone
  CHECK(Findings(where / "out").empty());
}

TEST_CASE("captions and images that change or go after they were packed are told, each with its shard") {
  for (const std::string format : {"tar", "lmdb"}) {
    CAPTURE(format);
    const TestFolder where;
    CopyPhotos(where);
    const std::vector<std::string> pack = {"pack", where / "photos", "-o", where / "out", "--format", format};
    REQUIRE(Run(pack).exit_code == 0);
    CHECK(Findings(where / "out").empty());
    where.Write("photos/harbour.txt", "another caption");
    fs::remove(where / "photos/marble.jpg.json");
    fs::copy_file(SampleData() + "/marble.jpg", where / "photos/mountains.jpg",
                  fs::copy_options::overwrite_existing);
    const std::string made = format == "tar" ? "shard-000000.tar" : "data.mdb";
    CHECK(Findings(where / "out") == Found{"source_changed " + made + " harbour.txt",
                                           "source_changed " + made + " mountains.jpg",
                                           "source_gone " + made + " marble.jpg.json"});
    REQUIRE(Run(pack).exit_code == 0);
    CHECK(Findings(where / "out").empty());
  }
}

TEST_CASE("what was packed by a relative path is found from any folder") {
  const TestFolder where;
  CopyPhotos(where);
  const fs::path before = fs::current_path();
  fs::current_path(where.path());
  REQUIRE(Run({"pack", "photos", "-o", "out"}).exit_code == 0);
  fs::current_path(before);
  CHECK(Findings(where / "out").empty());
  where.Write("photos/harbour.txt", "another caption");
  CHECK(Findings(where / "out") == Found{"source_changed shard-000000.tar harbour.txt"});
}

TEST_CASE("a source that cannot be read fails by name, and the rest is looked at") {
  const TestFolder where;
  CopyPhotos(where);
  REQUIRE(Run({"tile", where / "photos", "-o", where / "out", "--size", "200"}).exit_code == 0);
  fs::remove(where / "photos/harbour.jpg");
  fs::create_directory(where / "photos/harbour.jpg");
  fs::remove(where / "photos/marble.jpg");
  fs::create_symlink("marble.jpg", where / "photos/marble.jpg");
  where.Write("photos/mountains.jpg", "another");
  const ProcessResult verified = Run({"verify", where / "out", "--sources", "--json"});
  INFO(verified.err);
  CHECK(verified.exit_code == 1);
  CHECK(verified.err.find("photos/harbour.jpg: cannot decode: it is a folder") != std::string::npos);
  CHECK(verified.err.find("photos/marble.jpg: ") != std::string::npos);
  const nlohmann::json counts = Json(verified)["counts"];
  CHECK(counts["failed"] > 1);
  CHECK(counts["source_changed"] > 0);
  CHECK(counts["as_written"].get<int>() == counts["failed"].get<int>() + counts["source_changed"].get<int>());
}

TEST_CASE(
    "a manifest is written over neither an image nor a list of the folder, but over an older manifest") {
  const TestFolder where;
  CopyPhotos(where);
  REQUIRE(Run({"tile", where / "photos", "-o", where / "out", "--size", "200"}).exit_code == 0);
  const auto manifest = [&](const std::string& file) {
    return Run({"verify", where / "out", "--manifest", file});
  };
  where.Write("out/note.txt", "cat\n");
  where.Write("out/frames.jsonl", "{\"output\":\"a_0.png\",\"source\":\"a.mp4\",\"frame\":0}\n");
  for (const std::string file :
       {"photos/harbour.jpg", "out/tiles.jsonl", "out/note.txt", "out/frames.jsonl"}) {
    const std::string before = TestFolder::Read(where / file);
    REQUIRE(!before.empty());
    const ProcessResult refused = manifest(where / file);
    CHECK(refused.exit_code == 2);
    const char* why = file.ends_with(".jpg") ? " would overwrite an image" : " exists already, and is not a";
    CHECK(refused.err.find(file + why) != std::string::npos);
    CHECK(TestFolder::Read(where / file) == before);
  }
  for (int run = 0; run < 2; ++run) CHECK(manifest(where / "out/manifest.jsonl").exit_code == 0);
}

}  // namespace imgmill::process_test
