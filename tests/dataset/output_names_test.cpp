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

TEST_CASE("names that file systems would not take are shortened, each to a name of its own") {
  const TestFolder folder;
  const auto name_of = [](size_t size, const std::string& end) {
    return std::string(size - end.size() - 1, 'x') + end.substr(0, 1) + end;
  };
  // 255 bytes each; the second ends its stem otherwise. The third has two-byte characters at the cut, at odd
  // places.
  std::string umlauts = "x";
  while (umlauts.size() < 249) umlauts += "\xC3\xA4";
  for (const std::string& name :
       {name_of(255, "a.jpg"), name_of(255, "b.jpg"), umlauts + ".jpg", name_of(215, "c.jpg")}) {
    folder.Write("sub/" + name);
  }
  std::map<std::string, std::string> names;
  for (const ListedFile& file : List(folder.path())) {
    for (const std::string extension : {".png", ".webp", ".jpg"}) {
      const std::string name = OutputNameFor(file, extension);
      CHECK(name.size() <= 4 + 255);
      CHECK(name.ends_with(extension));
      CHECK(names.emplace(name, file.relative).second);
    }
    const std::string stem = OutputStemFor(file);
    CHECK(stem.size() <= 4 + 255 - 32);
    CHECK(names.emplace(stem, file.relative).second);
    CHECK(stem == OutputStemFor(file));
    // No half of a character: what is kept of the third is "x" and whole ones.
    if (const size_t dash = stem.rfind('-'); file.relative.find('\xC3') != std::string::npos)
      CHECK((dash - 4) % 2 == 1);
    if (file.relative.size() == 4 + 215) CHECK(stem == file.relative.substr(0, 4 + 211));
  }
  CHECK(names.size() == 4 * 4);
}
