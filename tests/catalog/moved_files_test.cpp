// Files that were moved after they were written: by an action, or with the output folder that they are in.
#include <doctest/doctest.h>

#include <filesystem>

#include "catalog/open_catalog.h"
#include "imgmill/catalog/finished_work.h"

using namespace imgmill;

namespace {

const WorkRow kDone{WorkRow::State::kDone, 5, Digest("bytes")};

/// Of a move by filter, from one absolute path into `folder`.
WorkKey Move(const std::string& from, const std::string& folder, const std::string& output,
             const std::string& catalog) {
  return {from, Digest("bytes"), ActionInto("filter", "move", folder, catalog), output};
}

}  // namespace

TEST_CASE("a file is followed to where actions have moved it") {
  const TestFolder folder;
  const std::string home = folder / "out/.imgmill", tile = folder / "out/tile/a.png";
  const auto catalog = OpenOrFail(home);
  REQUIRE(catalog->PutWork(Move(tile, folder / "out/first", "a-2.png", home), kDone));
  REQUIRE(catalog->PutWork(Move(folder / "out/first/a-2.png", folder / "second", "a.png", home), kDone));
  // A copy is no move, and neither is what was only begun.
  REQUIRE(catalog->PutWork({folder / "out/tile/b.png", Digest("bytes"),
                            ActionInto("filter", "copy", folder / "out/first", home), "b.png"},
                           kDone));
  WorkRow begun = kDone;
  begun.state = WorkRow::State::kIntent;
  REQUIRE(catalog->PutWork(Move(folder / "out/tile/c.png", folder / "second", "c.png", home), begun));

  const std::vector<std::string> places = {folder / "out/first/a-2.png", folder / "second/a.png"};
  CHECK(catalog->FindMoved(tile, Digest("bytes")) == places);
  CHECK(catalog->FindMoved(tile, Digest("others")).empty());
  CHECK(catalog->FindMoved(tile, std::nullopt) == places);
  CHECK(catalog->FindMoved(folder / "out/tile/b.png", Digest("bytes")).empty());
  CHECK(catalog->FindMoved(folder / "out/tile/c.png", Digest("bytes")).empty());

  // Who only looks at the record is told the same.
  const auto work = FinishedWork::Open(folder / "out");
  REQUIRE(work);
  CHECK((*work)->FindMoved(tile, Digest("bytes")).value() == places);
}

TEST_CASE("a move is found in an output folder that was moved itself, before a run has seen it there") {
  const TestFolder folder;
  const std::string home = folder / "out/.imgmill";
  REQUIRE(OpenOrFail(home)
              ->PutWork(Move(folder / "out/tile/a.png", folder / "out/aside", "a.png", home), kDone)
              .ok());
  folder.Write("out/aside/a.png", "bytes");
  std::filesystem::rename(folder / "out", folder / "elsewhere");
  const auto work = FinishedWork::Open(folder / "elsewhere");
  REQUIRE(work);
  const auto moved = (*work)->FindMoved(folder / "elsewhere/tile/a.png", Digest("bytes"));
  REQUIRE(moved);
  CHECK(*moved == std::vector<std::string>{folder / "elsewhere/aside/a.png"});
}

TEST_CASE("what was moved out of an output folder is not that of its copy, but still that of a moved one") {
  const TestFolder folder;
  const std::string home = folder / "out/.imgmill";
  {
    const auto catalog = OpenOrFail(home);
    REQUIRE(catalog->PutWork(Move(folder / "out/tile/a.png", folder / "aside", "a.png", home), kDone));
    REQUIRE(catalog->PutWork(Move(folder / "out/tile/b.png", folder / "out/aside", "b.png", home), kDone));
    REQUIRE(catalog->PutWork(Move(folder / "photos/c.png", folder / "aside", "c.png", home), kDone));
  }
  std::filesystem::copy(folder / "out", folder / "copy", std::filesystem::copy_options::recursive);
  const auto copy = OpenOrFail(folder / "copy/.imgmill");
  using Places = std::vector<std::string>;
  CHECK(copy->FindMoved(folder / "copy/tile/a.png", Digest("bytes")).empty());
  CHECK(copy->FindMoved(folder / "copy/tile/b.png", Digest("bytes")) == Places{folder / "copy/aside/b.png"});
  CHECK(copy->FindMoved(folder / "photos/c.png", Digest("bytes")) == Places{folder / "aside/c.png"});

  std::filesystem::rename(folder / "out", folder / "moved");
  const auto moved = OpenOrFail(folder / "moved/.imgmill");
  CHECK(moved->FindMoved(folder / "moved/tile/a.png", Digest("bytes")) == Places{folder / "aside/a.png"});
}

TEST_CASE(
    "an output folder that was moved is no copy of the one that a later run has made in its old place") {
  const TestFolder folder;
  std::filesystem::create_directories(folder / "out");
  if (!IdentityOf(folder / "out")) {
    MESSAGE("skipped: the file system does not tell when a folder was made");
    return;
  }
  const std::string home = folder / "out/.imgmill";
  const auto move = [&] { return Move(folder / "out/tile/a.png", folder / "aside", "a.png", home); };
  REQUIRE(OpenOrFail(home)->PutWork(move(), kDone));
  std::filesystem::rename(folder / "out", folder / "keep");
  REQUIRE(OpenOrFail(home)->PutWork(move(), kDone));
  using Places = std::vector<std::string>;
  const auto keep = OpenOrFail(folder / "keep/.imgmill");
  CHECK(keep->FindMoved(folder / "keep/tile/a.png", Digest("bytes")) == Places{folder / "aside/a.png"});
  CHECK(OpenOrFail(home)->FindMoved(folder / "out/tile/a.png", Digest("bytes")) ==
        Places{folder / "aside/a.png"});
}

TEST_CASE("a folder beside an output folder has come along with it where most of its files are there") {
  const TestFolder folder;
  const std::string home = folder / "p/out/.imgmill";
  {
    const auto catalog = OpenOrFail(home);
    for (const char* name : {"a.png", "b.png", "c.png"}) {
      REQUIRE(catalog->PutWork(Move(folder / "p/out/tile/" + name, folder / "p/aside", name, home), kDone));
      folder.Write(std::string("p/aside/") + name, "bytes");
    }
    const std::string moved = ActionInto("filter", "move", folder / "p/aside", home);
    REQUIRE(catalog->PutWork(KeyOfFolder(folder / "p/aside", home, moved), kDone));
    const std::string copied = ActionInto("filter", "copy", folder / "p/good", home);
    REQUIRE(catalog->PutWork({folder / "p/out/tile/d.png", Digest("bytes"), copied, "d.png"}, kDone));
    REQUIRE(catalog->PutWork(KeyOfFolder(folder / "p/good", home, copied), kDone));
    folder.Write("p/good/d.png", "bytes");
  }
  using Places = std::vector<std::string>;
  const auto place_in = [&](const std::string& out, const std::string& name) {
    const auto before = FinishedWork::Open(folder / out);
    REQUIRE(before);
    const Places looked = (*before)->FindMoved(folder / out + "/tile/" + name, Digest("bytes")).value();
    const auto catalog = OpenOrFail(folder / out + "/.imgmill");
    const Places known = catalog->FindMoved(folder / out + "/tile/" + name, Digest("bytes"));
    if (!known.empty()) CHECK(looked == known);  // of a copy, what stayed in its place is not its own
    return known;
  };
  const auto copy_to = [&](const char* place) {
    std::filesystem::copy(folder / "p", folder / place, std::filesystem::copy_options::recursive);
  };
  SUBCASE("moved, with the output folder under another name") {
    std::filesystem::rename(folder / "p", folder / "q");
    std::filesystem::rename(folder / "q/out", folder / "q/made");
    std::filesystem::remove(folder / "q/aside/b.png");
    CHECK(place_in("q/made", "a.png") == Places{folder / "q/aside/a.png"});
    CHECK(place_in("q/made", "b.png") == Places{folder / "q/aside/b.png"});
    const auto work = FinishedWork::Open(folder / "q/made");
    REQUIRE(work);
    const auto made = (*work)->ThatMadeAt(folder / "q/good/d.png", "d.png");
    REQUIRE(made);
    REQUIRE(made->size() == 1);
    CHECK(made->front().key.source == folder / "q/made/tile/d.png");
  }
  SUBCASE("copied") {
    copy_to("q");
    folder.Write("q/aside/c.png", "other");
    CHECK(place_in("q/out", "a.png") == Places{folder / "q/aside/a.png"});
    CHECK(place_in("p/out", "a.png") == Places{folder / "p/aside/a.png"});
  }
  SUBCASE("of most files, others are there") {
    copy_to("q");
    folder.Write("q/aside/b.png", "other");
    folder.Write("q/aside/c.png", "BYTES");
    CHECK(place_in("q/out", "a.png").empty());
  }
  SUBCASE("of all files, one is there") {
    copy_to("q");
    std::filesystem::remove(folder / "q/aside/b.png");
    std::filesystem::remove(folder / "q/aside/c.png");
    CHECK(place_in("q/out", "a.png").empty());
  }
  SUBCASE("another output folder beside it names it") {
    const std::string other = folder / "q/mine/.imgmill";
    const std::string moved = ActionInto("filter", "move", folder / "q/aside", other);
    REQUIRE(OpenOrFail(other)->PutWork(KeyOfFolder(folder / "q/aside", other, moved), kDone).ok());
    std::filesystem::copy(folder / "p", folder / "q", std::filesystem::copy_options::recursive);
    CHECK(place_in("q/out", "a.png").empty());
  }
  SUBCASE("another output folder names it that came here, too") {
    const std::string other = folder / "p/mine/.imgmill";
    const std::string moved = ActionInto("filter", "move", folder / "p/aside", other);
    REQUIRE(OpenOrFail(other)->PutWork(KeyOfFolder(folder / "p/aside", other, moved), kDone).ok());
    copy_to("q");
    CHECK(place_in("q/out", "a.png").empty());
  }
  SUBCASE("it is an output folder itself") {
    copy_to("q");
    OpenOrFail(folder / "q/aside/.imgmill");
    CHECK(place_in("q/out", "a.png").empty());
  }
  SUBCASE("of some files, the record says what they were before, too") {
    for (const char* name : {"a.png", "b.png", "c.png"}) {
      WorkKey earlier = Move(folder / "p/out/tile/" + name, folder / "p/aside", name, home);
      earlier.content = Digest("before");
      const auto catalog = OpenOrFail(home);
      REQUIRE(catalog->PutWork(earlier, {WorkRow::State::kDone, 6, Digest("before")}).ok());
    }
    std::filesystem::rename(folder / "p", folder / "q");
    CHECK(place_in("q/out", "a.png") == Places{folder / "q/aside/a.png"});
  }
  SUBCASE("only the output folder was moved, to where another project has such a folder") {
    folder.Write("q/aside/a.png", "other");
    std::filesystem::rename(folder / "p/out", folder / "q/out");
    CHECK(place_in("q/out", "a.png") == Places{folder / "p/aside/a.png"});
  }
}

TEST_CASE("an export of an output folder that came along tells nothing of the images beside it") {
  const TestFolder folder;
  const std::string home = folder / "p/out/.imgmill", photo = folder / "p/photos/a.jpg";
  folder.Write("p/photos/a.jpg", "photo");
  folder.Write("p/vectors.npy", "bytes");
  {
    const auto catalog = OpenOrFail(home);
    const std::string exported = ExportInto(folder / "p", home);
    REQUIRE(catalog->PutWork({"vectors", Digest("all"), exported, "vectors.npy"}, kDone));
    REQUIRE(catalog->PutWork({photo, Digest("photo"), "tile/1", "a.png"}, kDone));
  }
  std::filesystem::copy(folder / "p", folder / "q", std::filesystem::copy_options::recursive);
  const auto catalog = OpenOrFail(folder / "q/out/.imgmill");
  CHECK(catalog->FindOutputs("vectors.npy").at(0).key.fingerprint ==
        ExportInto(folder / "q", folder / "q/out/.imgmill"));
  CHECK(catalog->FindOutputs("a.png").at(0).key.source == photo);
}

TEST_CASE("a copied or moved output folder knows its own files where they are now, and only these") {
  const TestFolder folder;
  const std::string tile = folder / "out/tile/a.png", photo = folder / "photos/a.jpg";
  const KnownFile known{{5, 6, 7, 8}, Digest("bytes")};
  {
    const auto catalog = OpenOrFail(folder / "out/.imgmill");
    REQUIRE(catalog->PutFile(tile, known));
    REQUIRE(catalog->PutFile(photo, known));
    REQUIRE(catalog->PutWork({photo, Digest("photo"), "tile/1", "a.png"}, kDone));
    REQUIRE(catalog->PutWork({tile, Digest("bytes"), "upscale/1", "a-large.png"}, kDone));
  }
  std::filesystem::copy(folder / "out", folder / "copy", std::filesystem::copy_options::recursive);
  for (const char* place : {"copy", "moved"}) {
    CAPTURE(place);
    if (place == std::string("moved")) std::filesystem::rename(folder / "copy", folder / "moved");
    const std::string there = folder / place;
    const auto catalog = OpenOrFail(there + "/.imgmill");
    CHECK(catalog->FindFile(there + "/tile/a.png").has_value());
    CHECK_FALSE(catalog->FindFile(tile).has_value());
    CHECK(catalog->FindFile(photo).has_value());
    CHECK(catalog->FindOutputs("a-large.png").at(0).key.source == there + "/tile/a.png");
    CHECK(catalog->FindOutputs("a.png").at(0).key.source == photo);
  }
  const auto original = OpenOrFail(folder / "out/.imgmill");
  CHECK(original->FindOutputs("a-large.png").at(0).key.source == tile);
}

TEST_CASE(
    "side-cars are known with the work on a source that has another place, where they are themselves now") {
  const TestFolder folder;
  std::filesystem::create_directories(folder / "photos");
  const std::string fingerprint = "tile/1" + std::string(kWithSidecars) + Digest("all").Hex();
  const std::string before = folder / "out/tile/a.png";
  const FoundWork made{{before, Digest("a"), fingerprint, "b.png"}, kDone};
  {
    const auto catalog = OpenOrFail(folder / "out/.imgmill");
    REQUIRE(catalog->PutWork(made.key, made.row));
    const std::string lines = folder / "out/tile/a.txt" + (" " + Digest("caption").Hex() + "\n") +
                              (folder / "captions/a\n.txt") + (" " + Digest("other").Hex() + "\n");
    REQUIRE(catalog->PutFact(*SidecarsKey(before, fingerprint), kSidecarsFact, lines));
  }
  std::filesystem::copy(folder / "out", folder / "copy", std::filesystem::copy_options::recursive);
  for (const char* place : {"copy", "out"}) {
    CAPTURE(place);
    const std::string there = folder / place;
    OpenOrFail(there + "/.imgmill");
    const auto work = FinishedWork::Open(there);
    REQUIRE(work);
    const auto found = (*work)->Of("b.png");
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK(found->front().key.source == there + "/tile/a.png");
    const auto sidecars = (*work)->SidecarsOf(found->front());
    REQUIRE(sidecars);
    REQUIRE(sidecars->size() == 2);
    CHECK(sidecars->at(0).path == there + "/tile/a.txt");
    CHECK(sidecars->at(0).content == Digest("caption"));
    CHECK(sidecars->at(1).path == folder / "captions/a\n.txt");
  }
}
