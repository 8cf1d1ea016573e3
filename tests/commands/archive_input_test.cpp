// Tar archives as inputs: what commands make of the members is what they make of the files that went in. The
// archives are GNU tar's.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

void Tar(const std::string& archive, const std::string& folder) {
  CHECK(Process({"/bin/tar", "--sort=name", "-C", folder, "-cf", archive, "."}, {}).Wait().exit_code == 0);
}

/// Files of every format that is read, also damaged ones: those of the assets, where they are there.
void MakeEveryFormat(const TestFolder& where) {
  CopySamples(where / "in");
  const char* const assets = std::getenv("IMGMILL_TEST_ASSETS");
  if (assets == nullptr) return;
  for (const std::string from : {"pillow", "image-rs+image", "sharp"}) {
    std::filesystem::copy(std::string(assets) + "/odd/" + from, where / ("in/" + from),
                          std::filesystem::copy_options::recursive);
  }
}

}  // namespace

TEST_CASE("each file's pixels and failures are the same in an archive") {
  const TestFolder where;
  MakeEveryFormat(where);
  Tar(where / "in.tar", where / "in");
  const auto tile = [&](const std::string& from, const std::string& to) {
    return Run(
        {"tile", where / from, "-o", where / to, "--size", "64", "--edge", "pad", "--best", "2", "--json"});
  };
  const ProcessResult files = tile("in", "files");
  const ProcessResult members = tile("in.tar", "members");
  CHECK(members.exit_code == files.exit_code);
  const auto read = [&](const std::string& folder) {
    FolderBytes bytes = ReadFolder(where / folder);
    bytes.erase("tiles.jsonl");  // which names the sources
    return bytes;
  };
  CHECK(read("members").size() > 30);
  CHECK(Difference(read("files"), read("members")) == "");
  // Failures with the same words, but for what stands before the path.
  nlohmann::json expected = Json(files)["failed"], found = Json(members)["failed"];
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CAPTURE(expected[i]["path"]);
    CHECK(found[i]["message"] == expected[i]["message"]);
    CHECK(found[i]["code"] == expected[i]["code"]);
  }
  CHECK(Json(members)["done"] == Json(files)["done"]);
}

TEST_CASE("the frames of animations and videos are the same in an archive") {
  const TestFolder where;
  std::filesystem::create_directories(where / "in");
  const std::string frames = std::string(IMGMILL_SOURCE_DIR) + "/tests/golden/frames";
  for (const auto& entry : std::filesystem::directory_iterator(frames)) {
    if (entry.is_regular_file() && entry.path().extension() != ".json" && entry.path().extension() != ".py")
      std::filesystem::copy_file(entry.path(), where / ("in/" + entry.path().filename().string()));
  }
  CHECK(Process({"/usr/bin/ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                 "testsrc2=s=64x48:r=10:d=1", "-c:v", "libx264", "-pix_fmt", "yuv420p", where / "in/v.mp4"},
                {})
            .Wait()
            .exit_code == 0);
  Tar(where / "in.tar", where / "in");
  const ProcessResult files = Run({"frames", where / "in", "-o", where / "files"});
  const ProcessResult members = Run({"frames", where / "in.tar", "-o", where / "members"});
  INFO(members.err);
  CHECK(members.exit_code == files.exit_code);
  FolderBytes expected = ReadFolder(where / "files"), found = ReadFolder(where / "members");
  expected.erase("frames.jsonl");
  found.erase("frames.jsonl");
  CHECK(found.size() > 10);
  CHECK(Difference(expected, found) == "");
}

TEST_CASE("vectors of members are those of the files, and are known the second time") {
  const TestFolder where;
  CopySamples(where / "in");
  Tar(where / "in.tar", where / "in");
  const std::vector<std::string> command = {"embed", where / "in.tar", "--export", where / "members.npy"};
  CHECK(Run({"embed", where / "in", "--export", where / "files.npy"}).exit_code == 0);
  CHECK(Run(command).exit_code == 0);
  CHECK(TestFolder::Read(where / "members.npy") == TestFolder::Read(where / "files.npy"));
  CHECK(Has(Run(command).err, "30 vectors of 512, 30 known before"));

  // Imported under the names that export wrote, and searched.
  CHECK(Run({"embed", where / "in.tar", "--export", where / "t.parquet", "--quiet"}).exit_code == 0);
  CHECK(Has(Run({"embed", where / "in.tar", "--import", where / "t.parquet", "--model-name", "mine"}).err,
            "30 vectors of 512"));
  const ProcessResult found = Run(
      {"match", SampleData() + "/harbour.jpg", "--in", where / "in.tar", "--top", "1", "--format", "csv"});
  INFO(found.err);
  CHECK(Has(found.out, "1,1.000000,\"" + (where / "in.tar/harbour")));
}

TEST_CASE("an archive that changes is read again, and what has gone from it can be forgotten") {
  const TestFolder where;
  PutSample(where, "clock.jpg", "in/a.jpg");
  PutSample(where, "forest.jpg", "in/b.jpg");
  Tar(where / "in.tar", where / "in");
  const std::vector<std::string> command = {"dedup",           where / "in.tar", "--catalog",
                                            where / "catalog", "--report",       where / "report.json"};
  const auto report = [&]() {
    CHECK(Run(command).exit_code == 0);
    return JsonFile(where / "report.json");
  };
  CHECK(report()["done"] == 2);
  CHECK(report()["recalled"] == 2);
  std::filesystem::remove(where / "in/b.jpg");
  PutSample(where, "forest.jpg", "in/c.jpg");
  PutSample(where, "meadow.jpg", "in/d.jpg");
  Tar(where / "in.tar", where / "in");
  const nlohmann::json again = report();
  CHECK(again["done"] == 3);
  const ProcessResult pruned = Run({"catalog", "prune", "--catalog", where / "catalog", "--json"});
  INFO(pruned.out);
  CHECK(Json(pruned)["files"] == 1);  // b.jpg
}

TEST_CASE("a member whose name is longer than a path is a failure, which shows the name's beginning") {
  const TestFolder where;
  PutSample(where, "clock.jpg", "in/z.jpg");
  Tar(where / "in.tar", where / "in");
  // In front of the archive, 60,000 folders in each other.
  where.Write("name.py",
              "import sys, tarfile\n"
              "with open(sys.argv[1], 'rb') as f: rest = f.read()\n"
              "info = tarfile.TarInfo('a/' * 60000 + 'x.jpg')\n"
              "with open(sys.argv[1], 'wb') as f: f.write(info.tobuf(tarfile.GNU_FORMAT) + rest)\n");
  CHECK(Process({"/usr/bin/env", "python3", where / "name.py", where / "in.tar"}, {}).Wait().exit_code == 0);
  std::string begin;
  for (int i = 0; i < 50; ++i) begin += "a/";
  const nlohmann::json dedup = Json(Run({"dedup", where / "in.tar", "--no-catalog", "--json"}));
  CHECK(dedup["done"] == 1);
  REQUIRE(dedup["failed"].size() == 1);
  CHECK(dedup["failed"][0]["path"] == where / "in.tar/" + begin + "...");
  CHECK(dedup["failed"][0]["code"] == "limit_exceeded");
}

TEST_CASE("members are copied out with their side-cars, and nothing else is done to them") {
  const TestFolder where;
  PutSample(where, "clock.jpg", "in/a.jpg");
  PutSample(where, "clock.jpg", "in/sub/b.jpg");
  PutSample(where, "forest.jpg", "in/c.jpg");
  where.Write("in/sub/b.txt", "caption of b");
  Tar(where / "in.tar", where / "in");
  const std::string before = TestFolder::Read(where / "in.tar");
  for (const std::string action : {"delete", "move", "symlink", "hardlink"}) {
    CAPTURE(action);
    std::vector<std::string> command = {"dedup", where / "in.tar", "--action", action};
    if (action == "move") command.insert(command.end(), {"--move-to", where / "out"});
    const ProcessResult refused = Run(command);
    CHECK(refused.exit_code == 2);
    CHECK(Has(refused.err, "in.tar is an archive, and archives are not changed"));
    CHECK_FALSE(Has(refused.err, "images"));
  }
  // Of some that can be acted on and others that cannot, those are known when duplicates are.
  const ProcessResult mixed = Run(
      {"dedup", where / "in.tar", where / "in", "--action", "delete", "--keep-by", "folder:" + where / "in"});
  CHECK(mixed.exit_code == 2);
  CHECK(Has(mixed.err, "lies in an archive, and archives are not changed"));
  for (const std::string& given : {where / "in.tar", where / "in.tar/sub"}) {
    // Before any image is read: none of them is listed.
    const ProcessResult refused =
        Run({"filter", given, "--keep", "width>=1", "--action", "symlink", "--to", where / "out"});
    CHECK(refused.exit_code == 2);
    CHECK(Has(refused.err, given + (given.ends_with("tar") ? " is" : " lies in") +
                               " an archive, and archives are not changed"));
    CHECK_FALSE(Has(refused.err, "images"));
  }
  const ProcessResult copied =
      Run({"filter", where / "in.tar", "--keep", "width>=1", "--action", "copy", "--to", where / "kept",
           "--sidecars", "*.txt", "--undo-file", where / "undo.tsv"});
  INFO(copied.err);
  CHECK(copied.exit_code == 0);
  CHECK(Difference(ReadFolder(where / "in"), ReadFolder(where / "kept")) == "");
  CHECK(Run({"undo", where / "undo.tsv"}).exit_code == 0);
  CHECK(CountFiles(where / "kept") == 0);
  CHECK(TestFolder::Read(where / "in.tar") == before);
}

TEST_CASE("files are taken away whose kept twin is in an archive, and a refusal leaves nothing behind") {
  const TestFolder where;
  PutSample(where, "clock.jpg", "have/a.jpg");
  Tar(where / "have.tar", where / "have");
  PutSample(where, "clock.jpg", "new/b.jpg");
  const std::vector<std::string> dedup = {
      "dedup",       where / "new",      "--reference", where / "have.tar",
      "--undo-file", where / "undo.tsv", "--action"};
  const auto act = [&](const std::string& action) {
    std::vector<std::string> command = dedup;
    command.push_back(action);
    return Run(command);
  };
  const ProcessResult linked = act("symlink");
  CHECK(linked.exit_code == 2);
  CHECK(Has(linked.err, "--action symlink cannot link to what lies in an archive"));
  CHECK_FALSE(Has(linked.err, "image"));
  CHECK_FALSE(TestFolder::Exists(where / "undo.tsv"));
  CHECK(act("delete").exit_code == 0);
  CHECK_FALSE(TestFolder::Exists(where / "new/b.jpg"));
  CHECK(Run({"undo", where / "undo.tsv"}).exit_code == 0);
  CHECK(TestFolder::Read(where / "new/b.jpg") == TestFolder::Read(SampleData() + "/clock.jpg"));
}

TEST_CASE("an archive is packed again, and compared, as the folder is") {
  const TestFolder where;
  PutSample(where, "clock.jpg", "in/a.jpg");
  PutSample(where, "forest.jpg", "in/sub/b.jpg");
  where.Write("in/a.txt", "caption of a");
  where.Write("in/sub/b.json", "{}");
  Tar(where / "in.tar", where / "in");
  CHECK(Run({"pack", where / "in", "-o", where / "files"}).exit_code == 0);
  CHECK(Run({"pack", where / "in.tar", "-o", where / "members"}).exit_code == 0);
  const std::string shard = "/shard-000000.tar";
  CHECK(TestFolder::Read(where / "members" + shard) == TestFolder::Read(where / "files" + shard));
  CHECK(Run({"verify", where / "members", "--sources"}).exit_code == 0);

  const ProcessResult compared = Run({"compare", where / "in.tar", where / "in", "--json"});
  INFO(compared.err);
  CHECK(compared.exit_code == 0);
  CHECK(Json(compared)["done"] == 2);
}

TEST_CASE("dots in names are written out once, not again where shards are packed by prefix") {
  const TestFolder where;
  PutSample(where, "clock.jpg", "in/sub/2026.01.jpg");
  PutSample(where, "meadow.jpg", "in/a.png.jpg");
  PutSample(where, "forest.jpg", "in/a.jpg");
  where.Write("in/sub/2026.01.txt", "caption");
  const auto unpacked = [&](const std::string& shards) {
    const std::string to = where / (shards + "_files");
    std::filesystem::create_directories(to);
    CHECK(Process({"/bin/tar", "-C", to, "-xf", where / shards + "/shard-000000.tar"}, {}).Wait().exit_code ==
          0);
    return ReadFolder(to);
  };
  CHECK(Run({"pack", where / "in", "-o", where / "first"}).exit_code == 0);
  CHECK(Run({"pack", where / "first/shard-000000.tar", "-o", where / "second", "--group", "prefix"})
            .exit_code == 0);
  const FolderBytes first = unpacked("first");
  CHECK(first.size() == 4);
  CHECK(first.count("sub/2026%2E01.txt") == 1);
  CHECK(Difference(first, unpacked("second")) == "");
}

TEST_CASE("several archives and folders keep their outputs apart, and paths lead to members") {
  const TestFolder where;
  PutSample(where, "clock.jpg", "one/k.jpg");
  PutSample(where, "forest.jpg", "two/sub/k.jpg");
  Tar(where / "one.tar", where / "one");
  Tar(where / "two.tar", where / "two");
  CHECK(
      Run({"tile", where / "one.tar", where / "two.tar", "-o", where / "out", "--size", "64", "--best", "1"})
          .exit_code == 0);
  CHECK(std::filesystem::is_directory(where / "out/one"));
  CHECK(std::filesystem::is_directory(where / "out/two/sub"));

  where.Write("list.txt", (where / "two.tar/sub/k.jpg") + "\n" + (where / "one.tar") + "\n" +
                              (where / "one.tar/none.jpg") + "\n");
  const ProcessResult listed =
      Run({"dedup", where / "two.tar/sub", "--files-from", where / "list.txt", "--no-catalog", "--json"});
  CHECK(listed.exit_code == 1);
  CHECK(Json(listed)["done"] == 2);
  REQUIRE(Json(listed)["failed"].size() == 1);
  CHECK(Has(Json(listed)["failed"][0]["path"], "one.tar/none.jpg"));

  // A member beside the folder around its archive: the folder's walk does not go in.
  std::filesystem::remove_all(where / "out");
  CHECK(Json(Run({"dedup", where.path(), where / "one.tar/k.jpg", "--no-catalog", "--json"}))["done"] == 3);
}

TEST_CASE("an archive comes through a pipe") {
  const TestFolder where;
  CopySamples(where / "in");
  Tar(where / "in.tar", where / "in");
  const auto shell = [&](const std::string& command) {
    return Process({"/bin/sh", "-c", "cd " + where.path() + " && " + command, Imgmill({})[0]}, WithState({}))
        .Wait();
  };
  CHECK(Run({"tile", where / "in.tar", "-o", where / "files", "--size", "96"}).exit_code == 0);
  const ProcessResult piped = shell("gzip < in.tar | zcat | $0 tile - -o piped --size 96");
  INFO(piped.err);
  CHECK(piped.exit_code == 0);
  FolderBytes expected = ReadFolder(where / "files"), found = ReadFolder(where / "piped");
  expected.erase("tiles.jsonl");
  found.erase("tiles.jsonl");
  CHECK(expected.size() > 30);
  CHECK(Difference(expected, found) == "");

  CHECK(Has(shell("head -c 100000 in.tar | $0 dedup -").err, "stdin.tar/"));
  CHECK(shell("$0 dedup - < /dev/null").exit_code == 1);
  CHECK(shell("$0 dedup - --files-from - < in.tar").exit_code == 2);
  where.Write("stdin.tar", "somebody's");
  const ProcessResult taken = shell("$0 dedup - < in.tar");
  CHECK(taken.exit_code == 3);
  CHECK(Has(taken.err, "a file here has that name"));
}

TEST_CASE("what is missing from an archive is a failure, and what is no archive is refused") {
  const TestFolder where;
  PutSample(where, "clock.jpg", "in/a.jpg");
  PutSample(where, "forest.jpg", "in/b.jpg");
  Tar(where / "in.tar", where / "in");
  std::filesystem::resize_file(where / "in.tar", std::filesystem::file_size(where / "in/a.jpg") + 4000);
  const ProcessResult cut = Run({"dedup", where / "in.tar", "--no-catalog", "--json"});
  CHECK(cut.exit_code == 1);
  CHECK(Json(cut)["failed"].size() == 1);
  CHECK(Has(cut.err, "in.tar/b.jpg: "));
  CHECK(Has(cut.err, "the archive ends in the middle of it"));

  // Named itself, too.
  CHECK(Has(Run({"dedup", where / "in.tar/b.jpg", "--no-catalog"}).err,
            "in.tar/b.jpg: cannot list: the archive ends in the middle of it"));
  CHECK(Has(Run({"dedup", where / "in.tar/c.jpg", "--no-catalog"}).err,
            "in.tar/c.jpg: cannot list: No such file or directory"));

  where.Write("no.tar", std::string(3000, 'n'));
  const ProcessResult none = Run({"dedup", where / "no.tar", "--no-catalog"});
  CHECK(none.exit_code == 1);
  CHECK(Has(none.err, "no.tar: "));
  CHECK(Has(none.err, "it is not a tar archive"));
  CHECK(Has(Run({"dedup", where / "no.tar/a.jpg", "--no-catalog"}).err, "it is not a tar archive"));
}

TEST_CASE("a member that is named and is none to be read says what it is") {
  const TestFolder where;
  PutSample(where, "clock.jpg", "in/a.jpg");
  std::filesystem::create_symlink("a.jpg", where / "in/link.jpg");
  Tar(where / "inner.tar", where / "in");
  std::filesystem::rename(where / "inner.tar", where / "in/inner.tar");
  Tar(where / "in.tar", where / "in");
  std::filesystem::create_symlink("in.tar", where / "archive");
  const auto says = [&](const std::string& path) {
    const ProcessResult run = Run({"dedup", where / path, "--no-catalog"});
    CHECK(run.exit_code == 1);
    return run.err;
  };
  CHECK(Has(says("in.tar/link.jpg"), "in.tar/link.jpg: cannot list: it is a link inside of an archive"));
  where.Write("list.txt", where / "in.tar/link.jpg" + "\n");
  CHECK(Has(Run({"dedup", "--files-from", where / "list.txt", "--no-catalog"}).err,
            "it is a link inside of an archive"));
  const std::string archive =
      "it is a tar archive, not an image (archives are read if their names end in .tar";
  CHECK(Has(says("in.tar/inner.tar"), archive));
  CHECK(Has(says("archive"), archive));
}

}  // namespace imgmill::process_test
