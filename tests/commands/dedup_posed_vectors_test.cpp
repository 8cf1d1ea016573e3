// dedup by a network's vectors of turned and mirrored photos. What was done to a photo is the oracle.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "commands/drawn_picture.h"
#include "program.h"
#include "signals/posed_picture.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;
namespace {

/// By the bits of Posed.
const std::map<int, std::string> kNames = {{1, "flip"},      {2, "flip-vertical"}, {3, "rotate180"},
                                           {4, "transpose"}, {5, "rotate270"},     {6, "rotate90"},
                                           {7, "transverse"}};

/// Seven photos, each also brought into another pose, without loss.
class Album {
 public:
  Album() : parts(FindModel()) {
    if (!parts.missing.empty()) return;
    const std::string assets = std::getenv("IMGMILL_TEST_ASSETS");
    parts.weights = assets + "/weights/torchscript/mobilenet_v1_0.25_224_embed256_f32.pt";
    const std::string photos = assets + "/photos/bsds500-val/";
    for (const std::string& each : {parts.weights, photos}) {
      if (!fs::exists(each)) parts.missing = "no " + each;
    }
    if (!parts.missing.empty()) return;
    const char* const files[] = {"101085", "101087", "102061", "103070", "105025", "106024", "108005"};
    for (const auto& [pose, name] : kNames) {
      const Image photo = ReadPicture(photos + files[pose - 1] + ".jpg");
      WritePicture(where / ("photos/" + name + "/0.png"), photo);
      WritePicture(where / ("photos/" + name + "/posed.png"), Posed(photo, pose));
    }
  }
  ProcessResult Run(std::vector<std::string> words) const {
    const std::vector<std::string> input = {"--model", parts.weights, "--scale",  "1/127.5",
                                            "--shift", "-1",          "--device", "cpu"};
    words.insert(words.end(), input.begin(), input.end());
    return process_test::Run(words, parts.options);
  }
  ProcessResult Dedup(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"dedup",     where / "photos", "--method",
                                      "embedding", "--json",         "--min-similarity",
                                      "0.999",     "--keep-by",      "path"};
    words.insert(words.end(), more.begin(), more.end());
    ProcessResult result = Run(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return result;
  }
  ModelParts parts;
  TestFolder where;
};

}  // namespace

TEST_CASE("by a network's vectors, turned and mirrored photos are found in every pose, and it is told") {
  const Album album;
  if (!album.parts.missing.empty()) {
    MESSAGE("SKIPPED: " << album.parts.missing);
    return;
  }
  const TestFolder& where = album.where;
  CHECK(Json(album.Dedup({"--no-catalog"}))["groups"].empty());
  const std::vector<std::string> both = {"--invariant", "rotate,flip", "--catalog", where / "catalog"};
  const ProcessResult first = album.Dedup(both);
  const nlohmann::json document = Json(first);
  CHECK(first.err.find("vectors of 256") != std::string::npos);
  CHECK(document["invariant"] == nlohmann::json{"rotate", "flip"});
  CHECK(document["groups"].size() == kNames.size());
  for (const nlohmann::json& group : document["groups"]) {
    REQUIRE(group["images"].size() == 2);
    const nlohmann::json& image = group["images"][1];
    const fs::path path = image["path"].get<std::string>();
    CHECK(path.filename() == "posed.png");
    CHECK(image["pose"] == path.parent_path().filename().string());
    CHECK(image["distance"] < 1e-3);
  }
  // Recalled, by other threads, and in less memory.
  const ProcessResult again =
      album.Dedup({"--invariant", "rotate,flip", "--catalog", where / "catalog", "-j4"});
  CHECK(again.err.find("vectors of 256") == std::string::npos);
  CHECK(Json(again)["groups"] == document["groups"]);
  CHECK(Json(album.Dedup({"--invariant", "rotate,flip", "--no-catalog", "-j1"}))["groups"] ==
        document["groups"]);
  for (const char* grouping : {"clique", "component"})
    CHECK(Json(album.Dedup({"--invariant", "rotate,flip", "--catalog", where / "catalog", "--group-by",
                            grouping}))["duplicates"] == kNames.size());
  const auto found = [&](const std::string& words) {
    std::string poses;
    const nlohmann::json told = Json(album.Dedup({"--invariant", words, "--catalog", where / "catalog"}));
    for (const nlohmann::json& group : told["groups"])
      poses += group["images"][1]["pose"].get<std::string>() + " ";
    return poses;
  };
  CHECK(found("rotate") == "rotate180 rotate270 rotate90 ");
  CHECK(found("flip") == "flip-vertical flip rotate180 ");  // by their folders
}

TEST_CASE("of another set of poses only those are embedded that the catalog does not have") {
  const Album album;
  if (!album.parts.missing.empty()) {
    MESSAGE("SKIPPED: " << album.parts.missing);
    return;
  }
  const TestFolder& where = album.where;
  struct Ran {
    uint64_t embedded = 0;  ///< images in poses that the network was given
    nlohmann::json groups;
  };
  const auto dedup = [&](const std::string& words, const std::string& catalog) {
    const std::string report = where / "report.json";
    Ran ran;
    ran.groups =
        Json(album.Dedup({"--invariant", words, "--catalog", where / catalog, "--report", report}))["groups"];
    const nlohmann::json told = JsonFile(report);
    for (const nlohmann::json& batch : told["history"]["batches"])
      if (batch["device"] != "host") ran.embedded += batch["n"].get<uint64_t>();
    return ran;
  };
  const Ran turned = dedup("rotate", "catalog");
  CHECK(turned.embedded == 14 * 4);
  const Ran fresh = dedup("rotate,flip", "alone");
  CHECK(fresh.embedded == 14 * 8);
  const Ran both = dedup("rotate,flip", "catalog");
  CHECK(both.embedded == 14 * 4);  // mirrored ones, and those that are turned as well
  CHECK(both.groups == fresh.groups);
  // Of "flip" one pose is a half turn: all are in the files of the other sets.
  const Ran mirrored = dedup("flip", "catalog");
  CHECK(mirrored.embedded == 0);
  CHECK(mirrored.groups == dedup("flip", "another").groups);
  CHECK(dedup("rotate", "alone").embedded == 0);
  CHECK(dedup("rotate", "alone").groups == turned.groups);
}

TEST_CASE("an image's own vector is the same whether its poses are embedded beside it or not") {
  const Album album;
  if (!album.parts.missing.empty()) {
    MESSAGE("SKIPPED: " << album.parts.missing);
    return;
  }
  const TestFolder& where = album.where;
  const auto vectors = [&](const std::string& catalog) {
    const std::string file = where / "vectors.csv";
    fs::remove(file);
    const ProcessResult embedded =
        album.Run({"embed", where / "photos", "--catalog", where / catalog, "--export", file});
    INFO(embedded.err);
    CHECK(embedded.exit_code == 0);
    return std::pair(TestFolder::Read(file), embedded.err);
  };
  album.Dedup({"--invariant", "rotate,flip", "--catalog", where / "posed"});
  const auto [beside, told] = vectors("posed");
  CHECK(told.find("14 known before") != std::string::npos);
  const auto [alone, first] = vectors("alone");
  CHECK(first.find("known before") == std::string::npos);
  CHECK(beside == alone);
  // And the other way round: what embed has made is not made again, but its poses are.
  album.Dedup({"--invariant", "flip", "--catalog", where / "alone"});
  CHECK(vectors("alone").first == alone);
}

}  // namespace imgmill::process_test
