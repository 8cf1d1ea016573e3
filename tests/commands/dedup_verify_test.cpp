// What the second look of dedup makes of images that are near by hash.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "commands/drawn_picture.h"
#include "commands/moved_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

/// A part of it.
Image Part(const Image& picture, int64_t left, int64_t top, int64_t width, int64_t height) {
  return Draw(width, height, 3, [&](int64_t x, int64_t y, int band) {
    return static_cast<double>(picture.row(top + y)[(left + x) * 3 + band]);
  });
}

nlohmann::json Dedup(const std::string& folder, std::vector<std::string> more) {
  more.insert(more.begin(), {"dedup", folder, "--json"});
  const ProcessResult result = Run(more);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return Json(result);
}

/// The image objects of all that are duplicates of others, by path.
std::map<std::string, nlohmann::json> Duplicates(const nlohmann::json& document) {
  std::map<std::string, nlohmann::json> found;
  for (const nlohmann::json& group : document["groups"]) {
    for (size_t i = 1; i < group["images"].size(); ++i)
      found[group["images"][i]["path"]] = group["images"][i];
  }
  return found;
}

}  // namespace

TEST_CASE("copies are laid upon their keeper and evidence is told; a scene seen from elsewhere is none") {
  const TestFolder where;
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  WritePicture(where / "photos/original.png", harbour);
  WritePicture(where / "photos/low.jpg", harbour, 30);
  WritePicture(where / "photos/crop.png", Part(harbour, 20, 10, 440, 300));
  WritePicture(where / "photos/moved.png", Moved(harbour, 14));
  const nlohmann::json believed =
      Dedup(where / "photos", {"--no-catalog", "--no-verify", "--max-distance", "14"});
  REQUIRE(Duplicates(believed).size() == 3);  // the hash cannot tell
  CHECK_FALSE(Duplicates(believed).begin()->second.contains("aligned_difference"));

  for (const std::string method : {"phash", "dhash", "ahash", "whash", "pdq", "blockmean"}) {
    CAPTURE(method);
    const bool wide = method == "pdq" || method == "blockmean";
    const std::vector<std::string> options = {"--catalog", where / method,   "--method",
                                              method,      "--max-distance", wide ? "80" : "14"};
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.end(), options.begin(), options.end());
      return more;
    };
    const nlohmann::json looked = Dedup(where / "photos", with({"-j1"}));
    CHECK(looked["max_difference"] == 0.1);
    CHECK(looked["looked_at_again"] == 4);
    auto found = Duplicates(looked);
    REQUIRE(found.size() == 2);
    CHECK(found.count(where / "photos/moved.png") == 0);
    CHECK(found[where / "photos/low.jpg"]["aligned_difference"] < 0.05);
    const nlohmann::json crop = found[where / "photos/crop.png"]["crop"];
    // Cut at (20, 10) out of 480x320; a pixel or two of rounding at 192 pixels a side.
    CHECK(std::abs(crop["x"].get<int>() - 20) <= 3);
    CHECK(std::abs(crop["y"].get<int>() - 10) <= 3);
    CHECK(std::abs(crop["width"].get<int>() - 440) <= 4);
    CHECK(std::abs(crop["height"].get<int>() - 300) <= 4);

    // The same by other threads, with pictures and hashes recalled.
    CHECK(Dedup(where / "photos", with({"-j4"}))["groups"] == looked["groups"]);
    CHECK(Duplicates(Dedup(where / "photos", with({"--max-difference", "1", "--max-changed", "1"}))).size() ==
          3);
    CHECK(Duplicates(Dedup(where / "photos", with({"--max-difference", "0"}))).empty());
  }
}

TEST_CASE("groups by the built-in descriptor are verified, and what a keeper may not have can be a group") {
  const TestFolder where;
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  const Image moved = Moved(harbour, 14);
  WritePicture(where / "photos/a.png", harbour);
  WritePicture(where / "photos/b.jpg", harbour, 40);
  WritePicture(where / "photos/moved.png", moved);
  WritePicture(where / "photos/moved.jpg", moved, 40);
  const std::vector<std::string> options = {"--method", "embedding", "--catalog", where / "catalog"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), options.begin(), options.end());
    return Dedup(where / "photos", more);
  };
  const nlohmann::json believed = with({"--no-verify"});
  REQUIRE(believed["groups"].size() == 1);
  CHECK(believed["groups"][0]["images"].size() == 4);
  const nlohmann::json looked = with({"-j1"});
  CHECK(looked["min_similarity"] == 0.8);
  CHECK(looked["looked_at_again"] == 4);
  REQUIRE(looked["groups"].size() == 2);
  CHECK(looked["groups"][0]["keeper"] == where / "photos/a.png");
  CHECK(looked["groups"][1]["keeper"] == where / "photos/moved.png");
  for (const auto& [path, image] : Duplicates(looked)) {
    CHECK(image["aligned_difference"] < 0.1);
    CHECK(image["distance"] > 0);
    CHECK(image["distance"] < 0.2);
  }
  CHECK(with({"-j4"})["groups"] == looked["groups"]);
}

TEST_CASE("equal contents are not looked at again, and equal hashes are") {
  const TestFolder where;
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  WritePicture(where / "photos/a.png", harbour);
  WritePicture(where / "photos/b.png", harbour);
  const nlohmann::json copies = Dedup(where / "photos", {"--no-catalog"});
  CHECK(copies["looked_at_again"] == 0);
  CHECK(Duplicates(copies).size() == 1);
  WritePicture(where / "photos/c.png", harbour, 90);
  WritePicture(where / "photos/c.jpg", harbour, 95);
  const nlohmann::json more = Dedup(where / "photos", {"--no-catalog"});
  CHECK(more["looked_at_again"] == 4);
  CHECK(Duplicates(more).size() == 3);
}

TEST_CASE("with --invariant, turned and mirrored copies are duplicates, and how they were turned is told") {
  const TestFolder where;
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  const int64_t width = harbour.layout().width, height = harbour.layout().height;
  const auto from = [&](int64_t x, int64_t y, int band) {
    return static_cast<double>(harbour.row(y)[x * 3 + band]);
  };
  WritePicture(where / "photos/original.png",
               Draw(2 * width, 2 * height, 3,
                    [&](int64_t x, int64_t y, int band) { return from(x / 2, y / 2, band); }));
  // By hand: a picture turned by 90 degrees has its left column on top.
  struct Copy {
    std::string name;
    bool swaps;
    Drawing drawing;
  };
  const std::vector<Copy> copies = {
      {"flip", false, [&](int64_t x, int64_t y, int band) { return from(width - 1 - x, y, band); }},
      {"flip-vertical", false, [&](int64_t x, int64_t y, int band) { return from(x, height - 1 - y, band); }},
      {"rotate180", false,
       [&](int64_t x, int64_t y, int band) { return from(width - 1 - x, height - 1 - y, band); }},
      {"rotate90", true, [&](int64_t x, int64_t y, int band) { return from(y, height - 1 - x, band); }},
      {"rotate270", true, [&](int64_t x, int64_t y, int band) { return from(width - 1 - y, x, band); }},
      {"transpose", true, [&](int64_t x, int64_t y, int band) { return from(y, x, band); }},
      {"transverse", true,
       [&](int64_t x, int64_t y, int band) { return from(width - 1 - y, height - 1 - x, band); }}};
  for (const Copy& copy : copies)
    WritePicture(where / ("photos/" + copy.name + ".jpg"),
                 Draw(copy.swaps ? height : width, copy.swaps ? width : height, 3, copy.drawing), 85);
  CHECK(Duplicates(Dedup(where / "photos", {"--no-catalog"})).empty());
  for (const std::string method : {"phash", "dhash", "ahash", "whash", "pdq", "blockmean", "embedding"}) {
    CAPTURE(method);
    const std::vector<std::string> options = {"--method",    method,      "--invariant",
                                              "rotate,flip", "--catalog", where / "catalog"};
    const nlohmann::json document = Dedup(where / "photos", options);
    const auto found = Duplicates(document);
    CHECK(found.size() == copies.size());
    for (const auto& [path, image] : found) {
      CHECK(image["pose"] == std::filesystem::path(path).stem().string());
      CHECK(image["aligned_difference"] < 0.05);
      CHECK(image["crop"]["width"] == 2 * width);
      CHECK(image["crop"]["height"] == 2 * height);
    }
    CHECK(Dedup(where / "photos", options)["groups"] == document["groups"]);  // recalled
  }
  // The mirrored ones are turned copies of one another, too.
  const auto names = [&](const std::string& words) {
    std::string all;
    const nlohmann::json document = Dedup(where / "photos", {"--no-catalog", "--invariant", words});
    for (const nlohmann::json& group : document["groups"]) {
      if (group["keeper"] != where / "photos/original.png") continue;
      for (size_t i = 1; i < group["images"].size(); ++i)
        all += std::filesystem::path(std::string(group["images"][i]["path"])).stem().string() + " ";
    }
    return all;
  };
  CHECK(names("rotate") == "rotate180 rotate270 rotate90 ");
  CHECK(names("flip") == "flip-vertical flip rotate180 ");
}

TEST_CASE("PDQ alone says nothing of pictures of low quality, and which they are is told") {
  const TestFolder where;
  // Two soft waves, which have few edges but many shapes, and a copy of other bytes.
  const Drawing soft = [](int64_t x, int64_t y, int) {
    double level = 128;
    for (int wave = 1; wave <= 9; ++wave)
      level += 5 * std::cos(0.0061 * wave * static_cast<double>(x)) *
               std::cos(0.0083 * (10 - wave) * static_cast<double>(y));
    return level;
  };
  WritePicture(where / "photos/soft.png", Draw(480, 320, 3, soft));
  WritePicture(where / "photos/soft.jpg", Draw(480, 320, 3, soft), 90);
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  WritePicture(where / "photos/harbour.png", harbour);
  WritePicture(where / "photos/harbour.jpg", harbour, 90);
  const auto weak = [](const nlohmann::json& document) {
    std::string paths;
    for (const nlohmann::json& image : document["weak"]) {
      CHECK(image["quality"] < 50);
      paths += std::filesystem::path(std::string(image["path"])).filename().string() + " ";
    }
    return paths;
  };
  const std::vector<std::string> alone = {"--method", "pdq", "--no-verify", "--catalog", where / "catalog"};
  const nlohmann::json document = Dedup(where / "photos", alone);
  CHECK(weak(document) == "soft.jpg soft.png ");
  CHECK(document["max_distance"] == 31);
  REQUIRE(Duplicates(document).size() == 1);
  CHECK(Duplicates(document).begin()->first == where / "photos/harbour.jpg");
  const nlohmann::json again = Dedup(where / "photos", alone);
  CHECK(again["groups"] == document["groups"]);
  CHECK(again["weak"] == document["weak"]);
  // What pixels confirm is a duplicate.
  const nlohmann::json verified = Dedup(where / "photos", {"--method", "pdq", "--no-catalog"});
  CHECK(Duplicates(verified).size() == 2);
  CHECK(weak(verified) == "soft.jpg soft.png ");
  CHECK(Dedup(where / "photos", {"--method", "blockmean", "--no-catalog"}).contains("weak") == false);
}

TEST_CASE("what does not go with a second look is said") {
  const auto refused = [](std::vector<std::string> more, const std::string& words) {
    more.insert(more.begin(), {"dedup", SampleData(), "--no-catalog"});
    const ProcessResult result = Run(more);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.err.find(words) != std::string::npos);
  };
  refused({"--max-difference", "2"}, "--max-difference takes 0 to 1");
  refused({"--max-difference", "0.1", "--no-verify"}, "does not go with --no-verify");
  refused({"--max-colour-difference", "256"}, "--max-colour-difference takes 0 to 255");
  refused({"--max-changed", "1.1"}, "--max-changed takes 0 to 1");
  refused({"--max-changed", "0.3", "--no-verify"}, "--max-changed does not go with --no-verify");
  refused({"--max-colour-difference", "9", "--method", "exact"}, "does not go with --method exact");
  refused({"--max-difference", "0.1", "--method", "exact"}, "does not go with --method exact");
  refused({"--invariant", "flip", "--no-verify"}, "--invariant does not go with --no-verify");
  refused({"--invariant", "flip", "--method", "exact"}, "not with --method exact");
  refused({"--invariant", "flip", "--method", "embedding", "--index", "ivf"},
          "--invariant does not go with --index ivf");
  refused({"--invariant", "flip", "--method", "embedding", "--model-name", "x"},
          "--invariant does not go with --model-name");
  refused({"--invariant", "turn"}, "--invariant takes rotate, flip");
  refused({"--max-distance", "257", "--method", "pdq"}, "--max-distance takes 0 to 256 bits");
  refused({"--no-verify", "--method", "exact"}, "does not go with --method exact");
}

}  // namespace imgmill::process_test
