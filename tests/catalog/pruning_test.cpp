// What is forgotten of files that are gone: not what lies elsewhere now, and not what nobody can compute
// again.
#include "catalog/open_catalog.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/catalog/upkeep.h"
#include "imgmill/catalog/vector_file.h"

using namespace imgmill;

namespace {

/// Three files with a fact each, known as a run leaves them.
struct Known {
  const TestFolder where;
  const std::string folder = where / "catalog";

  Known() {
    for (const std::string name : {"a", "b", "c"}) where.Write("in/" + name + ".png", "content of " + name);
    const auto catalog = OpenOrFail(folder);
    for (const std::string name : {"a", "b", "c"}) {
      const std::string path = where / ("in/" + name + ".png");
      REQUIRE(catalog->PutFile(path, {*StampOf(path), *DigestOf(path)}).ok());
      REQUIRE(catalog->PutFact(*DigestOf(path), "f/1", name, path).ok());
    }
  }
  void Import(const std::string& of) const {
    const auto catalog = OpenOrFail(folder);
    REQUIRE(catalog->PutFact(Digest(of), VectorFact("imported/1 mine", false), "place").ok());
  }
  PrunedCatalog Prune(PruneOptions options = {}) const {
    options.look_in.push_back(where / "in");
    const auto pruned = PruneCatalog(folder, options, StopFlag());
    if (!pruned) FAIL(pruned.error().message);
    return *pruned;
  }
  std::optional<std::string> Fact(const std::string& content) const {
    return OpenOrFail(folder)->FindFact(Digest(content), "f/1");
  }
};

}  // namespace

TEST_CASE_FIXTURE(Known, "files that were moved are known where they are now") {
  std::filesystem::rename(where / "in", where / "moved");
  std::filesystem::create_directory(where / "in/");
  std::filesystem::rename(where / "moved/a.png", where / "moved/z.png");  // its stamp is another
  for (const bool dry_run : {true, false}) {
    const PrunedCatalog pruned = Prune({{where / "moved"}, false, dry_run});
    CHECK(pruned.moved == 3);
    CHECK(pruned.files == 0);
    CHECK(pruned.facts == 0);
  }
  const auto catalog = OpenOrFail(folder);
  CHECK(*catalog->CountFiles() == 3);
  for (const std::string name : {"z", "b", "c"}) {
    const std::string path = where / ("moved/" + name + ".png");
    const auto file = catalog->FindFile(path);
    REQUIRE(file.has_value());
    CHECK(file->stamp == *StampOf(path));
    CHECK(catalog->FindFact(file->content, "f/1") == (name == "z" ? "a" : name));
  }
}

TEST_CASE_FIXTURE(Known, "files that were moved below a known folder are found without a name of theirs") {
  REQUIRE(OpenOrFail(folder)->KnowFolder(where / "in", *IdentityOf(where / "in")).ok());
  std::filesystem::create_directory(where / "in/sub");
  std::filesystem::rename(where / "in/a.png", where / "in/sub/a.png");
  std::filesystem::remove(where / "in/b.png");
  where.Write("in/new.png", "content of d");  // as long, and another
  const auto pruned = PruneCatalog(folder, {}, StopFlag());
  REQUIRE(pruned.ok());
  CHECK(pruned->moved == 1);
  CHECK(pruned->files == 1);
  CHECK(pruned->facts == 1);
  CHECK(Fact("content of a") == "a");
  CHECK(!Fact("content of b"));
  CHECK(OpenOrFail(folder)->FindFile(where / "in/sub/a.png").has_value());
  CHECK(!OpenOrFail(folder)->FindFile(where / "in/a.png").has_value());
}

TEST_CASE_FIXTURE(Known, "files with imported vectors stay known until somebody insists") {
  Import("content of a");
  Import("content of c");
  std::filesystem::remove(where / "in/a.png");
  std::filesystem::remove(where / "in/b.png");
  std::filesystem::rename(where / "in/c.png", where / "in/d.png");
  for (int round = 0; round < 2; ++round) {
    const PrunedCatalog pruned = Prune();
    CHECK(pruned.imported_kept == 1);
    CHECK(pruned.moved == 1 - round);
    CHECK(pruned.files == 1 - round);
    CHECK(pruned.facts == 1 - round);
  }
  CHECK(Fact("content of a") == "a");
  const PrunedCatalog pruned = Prune({{}, true, false});
  CHECK(pruned.imported_kept == 0);
  CHECK(pruned.files == 1);
  CHECK(pruned.facts == 2);
  CHECK(!Fact("content of a"));
  CHECK(Fact("content of c") == "c");
}

TEST_CASE_FIXTURE(Known,
                  "a gone file whose content another one has is forgotten, its imported vector is not") {
  where.Write("in/copy.png", "content of a");
  REQUIRE(OpenOrFail(folder)
              ->PutFile(where / "in/copy.png", {*StampOf(where / "in/copy.png"), Digest("content of a")})
              .ok());
  Import("content of a");
  std::filesystem::remove(where / "in/a.png");
  const PrunedCatalog pruned = Prune();
  CHECK(pruned.imported_kept == 0);
  CHECK(pruned.files == 1);
  CHECK(pruned.facts == 0);
  CHECK(Fact("content of a") == "a");
}
