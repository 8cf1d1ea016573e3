// What dedup tells of pairs that are near and that its second look refuses.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "commands/moved_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

ProcessResult Dedup(const std::string& folder, std::vector<std::string> more) {
  more.insert(more.begin(), {"dedup", folder});
  const ProcessResult result = Run(more);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return result;
}

/// Two shots of a scene, and a copy of one.
void WriteBurst(const std::string& folder) {
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  WritePicture(folder + "/a.png", harbour);
  WritePicture(folder + "/a_copy.jpg", harbour, 50);
  WritePicture(folder + "/b.jpg", Moved(harbour, 14), 95);
}

}  // namespace

TEST_CASE("a refused pair is counted, listed, and let through by the option that its line names") {
  const TestFolder where;
  const std::string photos = where / "photos";
  WriteBurst(photos);
  for (const std::string method : {"phash", "embedding"}) {
    CAPTURE(method);
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.end(), {"--method", method, "--catalog", where / method});
      return Dedup(photos, more);
    };
    const nlohmann::json found = Json(with({"--json", "-j1"}));
    CHECK(found["groups"].size() == 1);
    CHECK(found["refused_pairs"] == 1);
    REQUIRE(found["refused"].size() == 1);
    const nlohmann::json& refused = found["refused"][0];
    CHECK(refused["keeper"] == where / "photos/a.png");
    CHECK(refused["path"] == where / "photos/b.jpg");
    const double difference = refused["aligned_difference"];
    CHECK(difference > 0.1);
    CHECK(refused["crop"]["width"] > 400);
    CHECK(Json(with({"--json", "-j4"}))["refused"] == found["refused"]);
    CHECK(Json(with({"--json", "--refused", "0"}))["refused"].empty());

    const ProcessResult quiet = with({});
    CHECK(quiet.out.find("near ") == std::string::npos);
    CHECK(quiet.err.find("1 near pair refused (least difference ") != std::string::npos);
    CHECK(quiet.err.find("see --refused") != std::string::npos);
    const ProcessResult told = with({"--refused", "5"});
    CHECK(told.out.find("near " + photos + "/a.png  (480x320)\n  not " + photos + "/b.jpg  (480x320, ") !=
          std::string::npos);
    CHECK(told.err.find("see --refused") == std::string::npos);
    const std::string name = "--max-difference ";
    const size_t at = told.out.find(name) + name.size();
    REQUIRE(at != std::string::npos + name.size());
    const std::string limit = told.out.substr(at, told.out.find(' ', at) - at);
    // Near things moved further, so that some places show other ones.
    CHECK(told.out.find(" --max-changed ") != std::string::npos);
    const nlohmann::json taken = Json(with({"--json", "--max-difference", limit, "--max-changed", "1"}));
    CHECK(taken["refused_pairs"] == 0);
    CHECK(taken["groups"][0]["images"].size() == 3);
    const std::string less = std::to_string(std::stod(limit) - 0.0015);
    CHECK(Json(with({"--json", "--max-difference", less, "--max-changed", "1"}))["refused_pairs"] == 1);
  }
}

TEST_CASE("pairs that cannot be laid upon each other are told of without a difference") {
  const TestFolder where;
  const std::string photos = where / "photos";
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  const int64_t width = harbour.layout().width;
  WritePicture(photos + "/a.png", harbour);
  // The left side is the same, the right side another's: half of it can be laid nowhere.
  const Image other = ReadPicture(SampleData() + "/citrus.jpg");
  WritePicture(photos + "/b.png",
               Draw(width, harbour.layout().height, 3, [&](int64_t x, int64_t y, int band) {
                 return static_cast<double>(other.row(y)[x % other.layout().width * 3 + band]);
               }));
  const ProcessResult told = Dedup(photos, {"--no-catalog", "--max-distance", "64", "--refused", "5"});
  CHECK(told.out.find("cannot be laid upon it)") != std::string::npos);
  CHECK(told.out.find("--max-difference") == std::string::npos);
  CHECK(told.err.find("1 near pair refused (see --refused)") == std::string::npos);
  CHECK(told.err.find("1 near pair refused") != std::string::npos);
  const nlohmann::json found = Json(Dedup(photos, {"--no-catalog", "--max-distance", "64", "--json"}));
  REQUIRE(found["refused"].size() == 1);
  CHECK_FALSE(found["refused"][0].contains("aligned_difference"));
  CHECK(found["refused"][0]["distance"] > 14);
}

TEST_CASE(
    "other colours and another thing are refused, and the options named take them; a cast is a duplicate") {
  const TestFolder where;
  const std::string photos = where / "photos";
  const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
  const int64_t width = harbour.layout().width, height = harbour.layout().height;
  const auto from = [&](int64_t x, int64_t y, int band) {
    return static_cast<double>(harbour.row(y)[x * 3 + band]);
  };
  const auto luma = [&](int64_t x, int64_t y) {
    return 0.299 * from(x, y, 0) + 0.587 * from(x, y, 1) + 0.114 * from(x, y, 2);
  };
  WritePicture(photos + "/a.png", harbour);
  WritePicture(photos + "/cast.jpg", Draw(width, height, 3, [&](int64_t x, int64_t y, int band) {
                 const double gains[] = {1.05, 1, 0.9};
                 return from(x, y, band) * gains[band];
               }));
  WritePicture(photos + "/grey.jpg",
               Draw(width, height, 3, [&](int64_t x, int64_t y, int) { return luma(x, y); }));
  // Colours on the other side of grey, at the same luma.
  WritePicture(photos + "/hue.jpg", Draw(width, height, 3, [&](int64_t x, int64_t y, int band) {
                 return 2 * luma(x, y) - from(x, y, band);
               }));
  // Two squares, dark on bright and the other way round, of a tenth of the width.
  WritePicture(photos + "/thing.jpg", Draw(width, height, 3, [&](int64_t x, int64_t y, int band) {
                 const bool inside = y > 140 && y < 188 && ((x > 100 && x < 148) || (x > 300 && x < 348));
                 return inside ? (luma(x, y) > 128 ? 10.0 : 245.0) : from(x, y, band);
               }));
  const nlohmann::json found = Json(Dedup(photos, {"--json", "--catalog", where / "catalog"}));
  CHECK(found["max_colour_difference"] == 8);
  CHECK(found["max_changed"] == 0.2);
  std::string taken, refused;
  for (const nlohmann::json& image : found["groups"][0]["images"]) {
    taken += std::filesystem::path(std::string(image["path"])).filename().string() + " ";
    if (image["identical"] == false) CHECK(image["colour_difference"] < 8);
  }
  CHECK(taken == "a.png cast.jpg grey.jpg ");
  for (const nlohmann::json& pair : found["refused"]) {
    if (pair["keeper"] != photos + "/a.png") continue;
    const std::string name = std::filesystem::path(std::string(pair["path"])).filename();
    refused += name + " ";
    CHECK(pair["aligned_difference"] < 0.1);
    CHECK((pair["colour_difference"] > 8) == (name == "hue.jpg"));
    CHECK((pair["changed"] > 0.2) == (name == "thing.jpg"));
  }
  CHECK(refused.find("hue.jpg") != std::string::npos);
  CHECK(refused.find("thing.jpg") != std::string::npos);
  const ProcessResult told = Dedup(photos, {"--refused", "9", "--catalog", where / "catalog"});
  CHECK(told.out.find(": --max-colour-difference ") != std::string::npos);
  CHECK(told.out.find(": --max-changed ") != std::string::npos);
  const nlohmann::json all = Json(Dedup(photos, {"--json", "--max-colour-difference", "255", "--max-changed",
                                                 "1", "--catalog", where / "catalog"}));
  CHECK(all["groups"][0]["images"].size() == 5);
}

TEST_CASE("the page shows refused pairs, and nothing there can be decided on") {
  const TestFolder where;
  WriteBurst(where / "photos");
  const auto page_with = [&](const std::string& refused) {
    Dedup(where / "photos", {"--no-catalog", "--html", where / "page.html", "--refused", refused});
    std::ifstream file(where / "page.html");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string page = page_with("3");
  const size_t group = page.find("{\"why\":\"refused: near, but not the same\",\"refused\":true}");
  REQUIRE(group != std::string::npos);
  const std::string block = page.substr(group, page.find("</script>", group) - group);
  CHECK(block.find("photos/a.png") != std::string::npos);
  CHECK(block.find("photos/b.jpg") != std::string::npos);
  CHECK(block.find("--max-difference ") != std::string::npos);
  CHECK(block.find("identity") != std::string::npos);  // as all images; exported are groups to decide on only
  CHECK(page_with("0").find("refused: near") == std::string::npos);
}

TEST_CASE("--refused goes with a second look, and lists no more than a thousand") {
  const TestFolder where;
  WriteBurst(where / "photos");
  const auto error = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"dedup", where / "photos", "--no-catalog"});
    const ProcessResult result = Run(more);
    CHECK(result.exit_code == 2);
    return result.err;
  };
  CHECK(error({"--refused", "1001"}).find("--refused takes 0 to 1000 pairs") != std::string::npos);
  CHECK(error({"--refused", "-1"}).find("--refused takes 0 to 1000 pairs") != std::string::npos);
  CHECK(error({"--refused", "3", "--no-verify"}).find("does not go with --no-verify") != std::string::npos);
  CHECK(error({"--refused", "3", "--method", "exact"}).find("does not go with --method exact") !=
        std::string::npos);
}

}  // namespace imgmill::process_test
