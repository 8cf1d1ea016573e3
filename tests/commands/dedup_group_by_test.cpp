// What makes a group: a chain of views of one scene, each like the next, and its ends not.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "commands/drawn_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

/// Squares of a photo, each 20 pixels further to the right: every two neighbours share 93 % of what they
/// show, and those that are four steps apart less than the three quarters that duplicates share.
struct Chain {
  Chain() {
    const Image harbour = ReadPicture(SampleData() + "/harbour.jpg");
    for (int64_t i = 0; i < 6; ++i) {
      WritePicture(Path(i), Draw(300, 300, 3, [&](int64_t x, int64_t y, int band) {
                     return static_cast<double>(harbour.row(y)[(x + 20 * i) * 3 + band]);
                   }));
    }
  }
  std::string Path(int64_t i) const { return where / ("photos/" + std::to_string(i) + ".png"); }

  nlohmann::json Dedup(const std::string& by, const std::vector<std::string>& more) const {
    std::vector<std::string> command = {"dedup",        where / "photos", "--json",
                                        "--no-catalog", "--keep-by",      "path"};
    if (!by.empty()) command.insert(command.end(), {"--group-by", by});
    command.insert(command.end(), more.begin(), more.end());
    const ProcessResult result = Run(command);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return Json(result);
  }

  TestFolder where;
};

std::vector<std::set<std::string>> Groups(const nlohmann::json& document) {
  std::vector<std::set<std::string>> groups;
  for (const nlohmann::json& group : document["groups"]) {
    groups.emplace_back();
    for (const nlohmann::json& image : group["images"]) groups.back().insert(image["path"]);
  }
  return groups;
}

/// Of each two images that are alike, 1 - their cosine, their distance, or their aligned difference: those of
/// a run over the two alone.
double Between(const Chain& chain, const std::string& a, const std::string& b, const char* what,
               std::vector<std::string> options) {
  std::vector<std::string> command = {"dedup", a, b, "--json", "--no-catalog", "--keep-by", "path"};
  command.insert(command.end(), options.begin(), options.end());
  const nlohmann::json groups = Json(Run(command))["groups"];
  REQUIRE_MESSAGE(groups.size() == 1, a << " " << b << " " << chain.where.path());
  return groups[0]["images"][1][what];
}

}  // namespace

TEST_CASE("chains that drift apart are split, unless they are asked for; the weakest link is told") {
  const Chain chain;
  const std::vector<std::vector<std::string>> methods = {
      {"--max-distance", "24"},
      {"--max-distance", "24", "--no-verify"},
      {"--method", "blockmean", "--max-distance", "30"},
      {"--method", "embedding", "--min-similarity", "0.8"},
      {"--method", "embedding", "--min-similarity", "0.8", "--no-verify"}};
  for (const std::vector<std::string>& method : methods) {
    CAPTURE(method.front() + " " + method[1] + " " + method.back());
    const nlohmann::json around = chain.Dedup("", method);
    CHECK(chain.Dedup("keeper", method)["groups"] == around["groups"]);
    CHECK_FALSE(around.contains("group_by"));
    const nlohmann::json whole = chain.Dedup("component", method);
    CHECK(whole["group_by"] == "component");
    REQUIRE(whole["groups"].size() == 1);
    CHECK(whole["duplicates"] == 5);
    CHECK(around["duplicates"] < 5);
    CHECK(whole["groups"][0]["keeper"] == chain.Path(0));
    // Each is joined by one that is in the group, and is like it.
    bool by_another = false;
    for (const nlohmann::json& image : whole["groups"][0]["images"]) {
      if (!image.contains("like")) continue;
      by_another = true;
      CHECK(Groups(whole)[0].contains(image["like"]));
      CHECK(image["like"] != image["path"]);
      CHECK_FALSE(image.contains("crop"));
    }
    CHECK(by_another);

    const nlohmann::json cliques = chain.Dedup("clique", method);
    for (const nlohmann::json& group : cliques["groups"]) {
      const bool verified = group["weakest_link"].contains("aligned_difference");
      const char* const what = verified ? "aligned_difference" : "distance";
      double most = 0;
      const nlohmann::json& images = group["images"];
      for (size_t i = 0; i < images.size(); ++i) {
        for (size_t j = i + 1; j < images.size(); ++j)
          most = std::max(most, Between(chain, images[i]["path"], images[j]["path"], what, method));
      }
      CHECK(group["weakest_link"][what] == doctest::Approx(most));
    }
    // Whatever the threads and the memory.
    for (const std::string by : {"keeper", "clique", "component"}) {
      std::vector<std::string> other = method;
      other.insert(other.end(), {"-j", "1"});
      CHECK(chain.Dedup(by, other)["groups"] == chain.Dedup(by, method)["groups"]);
    }
  }
}

TEST_CASE("the text and the page tell of the weakest link where a group has three images and more") {
  const Chain chain;
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"dedup", chain.where / "photos", "--no-catalog", "--max-distance", "24"});
    const ProcessResult result = Run(more);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return result.out;
  };
  const std::string text = run({"--group-by", "component", "--html", chain.where / "page.html"});
  CHECK(text.find("; weakest link: ") != std::string::npos);
  CHECK(text.find(", like " + chain.Path(1) + ")") != std::string::npos);
  const std::string page = TestFolder::Read(chain.where / "page.html");
  CHECK(page.find("weakest link: ") != std::string::npos);
  CHECK(page.find(", like " + chain.Path(1)) != std::string::npos);
  std::filesystem::remove(chain.Path(2));  // pairs are left
  for (const int64_t gone : {3, 4, 5}) std::filesystem::remove(chain.Path(gone));
  CHECK(run({}).find("weakest") == std::string::npos);
}

TEST_CASE("groups that are no stars do not go with rules by which members may not be duplicates") {
  const TestFolder where;
  WritePicture(where / "a/1.png", ReadPicture(SampleData() + "/harbour.jpg"));
  WritePicture(where / "b/2.png", ReadPicture(SampleData() + "/harbour.jpg"));
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command = {"dedup", where / "a", where / "b", "--no-catalog"};
    command.insert(command.end(), more.begin(), more.end());
    return Run(command);
  };
  CHECK(run({"--group-by", "stars"}).exit_code == 2);
  for (const std::string by : {"clique", "component"}) {
    CHECK(run({"--group-by", by, "--pairs", "across"}).err.find("does not go with --pairs across") !=
          std::string::npos);
    CHECK(run({"--group-by", by, "--reference", where / "b"}).err.find("does not go with --reference") !=
          std::string::npos);
    CHECK(run({"--group-by", by}).out.find("  dup ") != std::string::npos);
    CHECK(run({"--group-by", by, "--pairs", "within"}).out.find("  dup ") == std::string::npos);
  }
}

}  // namespace imgmill::process_test
