// Names and links of one file among duplicates: told as such, counted apart, and never the last to stay.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands/drawn_picture.h"
#include "decided_file.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// A picture of twice its size, which is kept in its stead.
void PutLarger(const TestFolder& where, const std::string& sample, const std::string& to) {
  const Image small = ReadPicture(SampleData() + "/" + sample);
  fs::create_directories(fs::path(where / to).parent_path());
  WritePicture(where / to, Draw(small.layout().width * 2, small.layout().height * 2, 3,
                                [&](int64_t x, int64_t y, int band) {
                                  return static_cast<double>(small.row(y / 2)[x / 2 * 3 + band]);
                                }));
}

}  // namespace

TEST_CASE("links among duplicates are told in text, JSON and the page, and take no room") {
  const TestFolder where;
  PutSample(where, "harbour.jpg", "photos/b.jpg");
  fs::create_hard_link(where / "photos/b.jpg", where / "photos/c.jpg");
  fs::create_symlink("b.jpg", where / "photos/a.jpg");
  PutSample(where, "harbour.jpg", "photos/d.jpg");
  fs::create_hard_link(where / "photos/d.jpg", where / "photos/e.jpg");
  for (const std::string method : {"exact", "phash", "embedding"}) {
    CAPTURE(method);
    const std::vector<std::string> command = {"dedup",        where / "photos", "--method",         method,
                                              "--no-catalog", "--html",         where / "page.html"};
    const ProcessResult text = Run(command);
    CHECK(text.exit_code == 0);
    CHECK(text.out.find("keep " + (where / "photos/b.jpg")) != std::string::npos);
    CHECK(text.out.find("a.jpg  (480x320, same bytes, symbolic link)") != std::string::npos);
    CHECK(text.out.find("c.jpg  (480x320, same bytes, hard link)") != std::string::npos);
    CHECK(text.out.find("d.jpg  (480x320, same bytes)") != std::string::npos);
    CHECK(text.out.find("e.jpg  (480x320, same bytes, hard link)") != std::string::npos);
    CHECK(text.err.find("4 duplicates") != std::string::npos);
    CHECK(text.err.find("3 of them links that take no room") != std::string::npos);
    CHECK(TestFolder::Read(where / "page.html").find("same bytes, hard link") != std::string::npos);
    std::vector<std::string> json = command;
    json.push_back("--json");
    const nlohmann::json document = Json(Run(json));
    CHECK(document["links"] == nlohmann::json({{"symbolic", 1}, {"hard", 2}}));
    const nlohmann::json& images = document["groups"][0]["images"];
    REQUIRE(images.size() == 5);
    CHECK_FALSE(images[0].contains("link"));
    CHECK(images[1]["link"] == "symbolic link");
    CHECK(images[2]["link"] == "hard link");
    CHECK_FALSE(images[3].contains("link"));
    CHECK(images[4]["link"] == "hard link");
    CHECK(document["duplicate_bytes"] == fs::file_size(where / "photos/d.jpg"));
  }
  const nlohmann::json none = Json(Run({"dedup", SampleData(), "--json", "--no-catalog"}));
  CHECK_FALSE(none.contains("links"));
}

TEST_CASE("a file that a link which is kept leads to stays") {
  const TestFolder where;
  PutSample(where, "harbour.jpg", "photos/y/b.jpg");
  PutLarger(where, "harbour.jpg", "photos/y/c.png");
  fs::create_directories(where / "photos/x");
  fs::create_symlink("../y/b.jpg", where / "photos/x/link.jpg");
  fs::create_symlink("link.jpg", where / "photos/x/to_link.jpg");
  for (const std::vector<std::string>& action : std::vector<std::vector<std::string>>{
           {"--action", "delete"}, {"--action", "move", "--move-to", where / "out"}}) {
    CAPTURE(action[1]);
    // Within folders, x has the links alone: one of them is kept, and leads to b, which c replaces in y.
    std::vector<std::string> command = {"dedup",
                                        where / "photos",
                                        "--pairs",
                                        "within",
                                        "--no-catalog",
                                        "--undo-file",
                                        where / ("undo-" + action[1])};
    command.insert(command.end(), action.begin(), action.end());
    const ProcessResult result = Run(command);
    INFO(result.err);
    CHECK(result.exit_code == 1);
    CHECK(result.err.find("link.jpg, which is kept, is a symbolic link to it; it is left") !=
          std::string::npos);
    CHECK(fs::exists(where / "photos/y/b.jpg"));
    CHECK(fs::exists(where / "photos/x/link.jpg"));
  }
  // An ordinary group: the file's link goes, and the file stays or goes for a better one, both at once.
  const TestFolder plain;
  PutSample(plain, "harbour.jpg", "photos/b.jpg");
  fs::create_symlink("b.jpg", plain / "photos/a.jpg");
  CHECK(Run({"dedup", plain / "photos", "--action", "delete", "--no-catalog", "--undo-file", plain / "u"})
            .exit_code == 0);
  CHECK(fs::is_regular_file(fs::symlink_status(plain / "photos/b.jpg")));
  CHECK_FALSE(fs::exists(fs::symlink_status(plain / "photos/a.jpg")));
}

TEST_CASE("a file counts as one, and its link as a link, whichever is listed first") {
  const TestFolder where;
  PutLarger(where, "harbour.jpg", "photos/best.png");
  PutSample(where, "harbour.jpg", "photos/file.jpg");
  fs::create_symlink("file.jpg", where / "photos/a_link.jpg");
  const nlohmann::json document = Json(Run({"dedup", where / "photos", "--json", "--no-catalog"}));
  CHECK(document["links"] == nlohmann::json({{"symbolic", 1}, {"hard", 0}}));
  CHECK(document["duplicate_bytes"] == fs::file_size(where / "photos/file.jpg"));
  const nlohmann::json& images = document["groups"][0]["images"];
  REQUIRE(images.size() == 3);
  CHECK(images[1]["link"] == "symbolic link");
  CHECK_FALSE(images[2].contains("link"));
}

TEST_CASE("apply leaves the files of links that stay") {
  const TestFolder where;
  for (const char* name : {"photos/a.jpg", "photos/b.jpg", "photos/c.jpg"})
    PutSample(where, "harbour.jpg", name);
  fs::create_symlink("b.jpg", where / "photos/link.jpg");
  const auto file = [&](const std::string& name) { return DecidedHarbour(where, "photos/" + name, name); };
  const auto apply = [&](const nlohmann::ordered_json& groups, std::vector<std::string> action) {
    WriteDecisions(where, groups);
    action.insert(action.begin(), {"apply", where / "decisions.json", "--undo-file", where / "undo"});
    return Run(action);
  };
  const std::vector<std::string> remove = {"--action", "delete"};
  const std::string said = "photos/link.jpg, which is kept, is a symbolic link to it; it is left";
  SUBCASE("the link is the image to be kept") {
    const nlohmann::ordered_json groups = {
        {{"keep", file("link.jpg")}, {"duplicates", {file("b.jpg"), file("c.jpg")}}}};
    const ProcessResult done = apply(groups, {"--action", "move", "--move-to", where / "out"});
    INFO(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.err.find("photos/b.jpg: cannot act: ") != std::string::npos);
    CHECK(done.err.find(said) != std::string::npos);
    CHECK(fs::exists(where / "photos/link.jpg"));
    CHECK_FALSE(fs::exists(where / "photos/c.jpg"));
  }
  SUBCASE("the link is kept in another group") {
    const ProcessResult done = apply({{{"keep", file("a.jpg")}, {"duplicates", {file("b.jpg")}}},
                                      {{"keep", file("link.jpg")}, {"duplicates", {file("c.jpg")}}}},
                                     remove);
    INFO(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.err.find(said) != std::string::npos);
    CHECK(fs::exists(where / "photos/link.jpg"));
    CHECK_FALSE(fs::exists(where / "photos/c.jpg"));
  }
  SUBCASE("the link is another one than was shown") {
    nlohmann::ordered_json shown = file("link.jpg");
    shown["digest"] = std::string(32, '0');
    const ProcessResult done =
        apply({{{"keep", file("a.jpg")}, {"duplicates", {shown, file("b.jpg")}}}}, remove);
    INFO(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.err.find(said) != std::string::npos);
    CHECK(fs::exists(where / "photos/link.jpg"));
  }
  SUBCASE("the link has no partner to go with") {
    for (const char* name : {"a", "b"}) PutSample(where, "icon_tiny.png", "LQ/" + std::string(name) + ".png");
    std::vector<std::string> paired = remove;
    paired.insert(paired.end(), {"--pair", where / "LQ"});
    const ProcessResult done =
        apply({{{"keep", file("a.jpg")}, {"duplicates", {file("b.jpg"), file("link.jpg")}}}}, paired);
    INFO(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.err.find(said) != std::string::npos);
    CHECK(fs::exists(where / "photos/link.jpg"));
    CHECK(fs::exists(where / "LQ/b.png"));
  }
  SUBCASE("the link goes, and its file with it") {
    CHECK(apply({{{"keep", file("a.jpg")}, {"duplicates", {file("b.jpg"), file("link.jpg")}}}}, remove)
              .exit_code == 0);
    CHECK_FALSE(fs::exists(where / "photos/b.jpg"));
    CHECK_FALSE(fs::exists(fs::symlink_status(where / "photos/link.jpg")));
  }
}

TEST_CASE("a link in the reference is part of it, wherever it leads, and its file stays") {
  const TestFolder where;
  PutSample(where, "harbour.jpg", "photos/a.jpg");
  PutSample(where, "harbour.jpg", "ref/own.jpg");
  fs::create_directories(where / "ref");
  fs::create_symlink("../photos/a.jpg", where / "ref/link.jpg");
  const ProcessResult result = Run({"dedup", where / "photos", "--reference", where / "ref", "--action",
                                    "delete", "--no-catalog", "--undo-file", where / "undo"});
  INFO(result.err);
  CHECK(result.exit_code == 1);
  CHECK(result.err.find("is a symbolic link to it; it is left") != std::string::npos);
  CHECK(fs::exists(where / "photos/a.jpg"));
  CHECK(fs::exists(where / "ref/link.jpg"));
  // A link among the photos that leads into the reference is a duplicate like others, and takes no room.
  const TestFolder other;
  PutSample(other, "harbour.jpg", "ref/own.jpg");
  fs::create_directories(other / "photos");
  fs::create_symlink("../ref/own.jpg", other / "photos/l.jpg");
  const nlohmann::json found =
      Json(Run({"dedup", other / "photos", "--reference", other / "ref", "--json", "--no-catalog"}));
  CHECK(found["duplicates"] == 1);
  CHECK(found["links"]["symbolic"] == 1);
  CHECK(found["duplicate_bytes"] == 0);
}

TEST_CASE("a reference around the input, or inside of it, is compared with what is not in it") {
  const TestFolder where;
  PutSample(where, "harbour.jpg", "parent/have.jpg");
  PutSample(where, "harbour.jpg", "parent/sub/again.jpg");
  PutSample(where, "marble.jpg", "parent/sub/1.jpg");
  PutSample(where, "marble.jpg", "parent/sub/2.jpg");
  PutSample(where, "clock.jpg", "parent/other/x.jpg");
  PutSample(where, "clock.jpg", "parent/other/y.jpg");
  const auto found = [&](std::vector<std::string> command) {
    command.insert(command.begin(), {"dedup", "--json", "--no-catalog"});
    const ProcessResult result = Run(command);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    std::vector<std::string> duplicates;
    const nlohmann::json document = Json(result);
    for (const nlohmann::json& group : document["groups"]) {
      // Told by way of the link where that is listed first.
      for (size_t i = 1; i < group["images"].size(); ++i)
        duplicates.push_back(fs::canonical(group["images"][i]["path"].get<std::string>()).string());
    }
    return duplicates;
  };
  const std::vector<std::string> again = {where / "parent/sub/again.jpg"};
  CHECK(found({where / "parent/sub", "--reference", where / "parent"}) == again);
  CHECK(found({where / "parent/sub/", "--reference", where / "parent", "--method", "embedding"}) == again);
  CHECK(found({where / "parent/sub/again.jpg", "--reference", where / "parent"}) == again);
  // Inside of it: what lies elsewhere in the folder is asked about.
  CHECK(found({where / "parent", "--reference", where / "parent/sub"}) ==
        std::vector<std::string>{where / "parent/have.jpg"});
  fs::create_directory_symlink("parent", where / "link");
  CHECK(found({where / "parent/sub", "--reference", where / "link"}) == again);
  for (const std::string& same : {where / "parent", where / "link", where / "parent/"}) {
    const ProcessResult result = Run({"dedup", where / "parent", "--reference", same, "--no-catalog"});
    CHECK(result.exit_code == 2);
    CHECK(result.err.find("is the very folder that is searched") != std::string::npos);
  }
}

}  // namespace imgmill::process_test
