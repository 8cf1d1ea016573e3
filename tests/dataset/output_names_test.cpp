// Output names: the ordinary case by hand, and over random folders that no two sources share one.
#include "imgmill/dataset/output_names.h"

#include <map>
#include <random>

#include "dataset/listed_files.h"
#include "dataset/test_folder.h"

using namespace imgmill;

TEST_CASE("the extension is replaced, and the whole name kept where that is not enough") {
  const TestFolder folder;
  for (const char* name :
       {"sub/photo.jpg", "sub/photo.v2.JPG", "a.jpg", "a.webp", "a.png", "b.jpg", "b.png", "b.jpg.tif"})
    folder.Write(name);
  folder.Write("plain", "GIF89a");  // an image, which without an extension only its first bytes tell
  std::map<std::string, std::string> names;
  std::map<std::string, std::string> stems;
  for (const ListedFile& file : List(folder.path())) {
    names[file.relative] = OutputNameFor(file, ".png");
    stems[file.relative] = OutputStemFor(file);
    CHECK(OutputNameFor(file, "") == file.relative);
  }
  CHECK(names["sub/photo.jpg"] == "sub/photo.png");
  CHECK(names["sub/photo.v2.JPG"] == "sub/photo.v2.png");
  CHECK(names["plain"] == "plain.png");
  CHECK(names["a.jpg"] == "a.jpg.png");
  CHECK(names["a.webp"] == "a.webp.png");
  CHECK(names["a.png"] == "a.png");
  CHECK(names["b.png"] == "b.png");
  CHECK(names["b.jpg.tif"] == "b.jpg.png");
  CHECK(names["b.jpg"].starts_with("b.jpg-"));
  CHECK(names["b.jpg"].size() == std::string("b.jpg-12345678.png").size());
  CHECK(stems["sub/photo.jpg"] == "sub/photo");
  CHECK(stems["a.png"] == "a.png");
}

TEST_CASE("in random folders of names made to meet, no two outputs do") {
  std::mt19937 random(1);
  const std::vector<std::string> parts = {"a", ".jpg", ".png", ".webp", ".b", ""};
  for (int round = 0; round < 200; ++round) {
    const TestFolder folder;
    for (int i = 0; i < 12; ++i) {
      std::string name = "a";
      for (int part = 0; part < 3; ++part) name += parts[random() % parts.size()];
      folder.Write(name);
    }
    for (const char* extension : {".png", ".jpg", ".tif"}) {
      std::map<std::string, std::string> sources;
      std::map<std::string, std::string> stems;
      for (const ListedFile& file : List(folder.path())) {
        const auto [at, fresh] = sources.emplace(OutputNameFor(file, extension), file.relative);
        CHECK_MESSAGE(fresh, file.relative << " and " << at->second << " -> " << at->first);
        CHECK_MESSAGE(stems.emplace(OutputStemFor(file), file.relative).second, file.relative);
      }
    }
  }
}
