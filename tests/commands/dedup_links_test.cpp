// Names and links of one file among duplicates: told as such, counted apart, and never the last to stay.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands/drawn_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

void Put(const TestFolder& where, const std::string& sample, const std::string& to) {
  fs::create_directories(fs::path(where / to).parent_path());
  fs::copy_file(SampleData() + "/" + sample, where / to);
}

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
  Put(where, "harbour.jpg", "photos/b.jpg");
  fs::create_hard_link(where / "photos/b.jpg", where / "photos/c.jpg");
  fs::create_symlink("b.jpg", where / "photos/a.jpg");
  Put(where, "harbour.jpg", "photos/d.jpg");
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
  Put(where, "harbour.jpg", "photos/y/b.jpg");
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
  Put(plain, "harbour.jpg", "photos/b.jpg");
  fs::create_symlink("b.jpg", plain / "photos/a.jpg");
  CHECK(Run({"dedup", plain / "photos", "--action", "delete", "--no-catalog", "--undo-file", plain / "u"})
            .exit_code == 0);
  CHECK(fs::is_regular_file(fs::symlink_status(plain / "photos/b.jpg")));
  CHECK_FALSE(fs::exists(fs::symlink_status(plain / "photos/a.jpg")));
}

TEST_CASE("a link in the reference is part of it, wherever it leads, and its file stays") {
  const TestFolder where;
  Put(where, "harbour.jpg", "photos/a.jpg");
  Put(where, "harbour.jpg", "ref/own.jpg");
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
  Put(other, "harbour.jpg", "ref/own.jpg");
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
  Put(where, "harbour.jpg", "parent/have.jpg");
  Put(where, "harbour.jpg", "parent/sub/again.jpg");
  Put(where, "marble.jpg", "parent/sub/1.jpg");
  Put(where, "marble.jpg", "parent/sub/2.jpg");
  Put(where, "clock.jpg", "parent/other/x.jpg");
  Put(where, "clock.jpg", "parent/other/y.jpg");
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
