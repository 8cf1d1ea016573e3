// The paths that files are known by.
#include "engine/identify.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "archive/archive_path.h"
#include "dataset/test_folder.h"

using namespace imgmill;

TEST_CASE("a file's canonical path is what the system makes of it, whichever was asked for before") {
  const TestFolder folder;
  folder.Write("photos/a.jpg");
  folder.Write("photos/b.jpg");
  folder.Write("photos/more/c.jpg");
  std::filesystem::create_directory_symlink("photos", folder / "linked");
  std::filesystem::create_directory_symlink("more/..", folder / "photos/up");
  std::filesystem::create_symlink("more/c.jpg", folder / "photos/d.jpg");
  REQUIRE(std::system(("tar -cf '" + (folder / "all.tar") + "' -C '" + folder.path() + "' photos").c_str()) ==
          0);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder / "photos");

  const std::pair<std::string, std::string> paths[] = {
      {folder / "photos/a.jpg", folder / "photos/a.jpg"},
      {folder / "photos/b.jpg", folder / "photos/b.jpg"},
      {folder / "photos/d.jpg", folder / "photos/more/c.jpg"},
      {folder / "linked/a.jpg", folder / "photos/a.jpg"},
      {folder / "linked/d.jpg", folder / "photos/more/c.jpg"},
      {folder / "linked/up/b.jpg", folder / "photos/b.jpg"},
      {folder / "linked/../photos/./more//c.jpg", folder / "photos/more/c.jpg"},
      {"a.jpg", folder / "photos/a.jpg"},
      {"d.jpg", folder / "photos/more/c.jpg"},
      {"more/c.jpg", folder / "photos/more/c.jpg"},
      {"../linked/b.jpg", folder / "photos/b.jpg"},
      {"../all.tar/photos/a.jpg", folder / "all.tar/photos/a.jpg"},
      {"../all.tar/photos/more/c.jpg", folder / "all.tar/photos/more/c.jpg"},
      {folder / "linked/../all.tar/photos/b.jpg", folder / "all.tar/photos/b.jpg"},
      {folder / "gone/a.jpg", folder / "gone/a.jpg"},
  };
  CanonicalFiles canonical;
  for (int round = 0; round < 2; ++round) {
    for (const auto& [path, expected] : paths) {
      CAPTURE(path);
      const bool is_link = std::filesystem::is_symlink(path);
      CHECK(canonical.Of(path, is_link) == expected);
      CHECK(CanonicalOrSame(path) == expected);
    }
  }
  std::filesystem::current_path(before);
}
