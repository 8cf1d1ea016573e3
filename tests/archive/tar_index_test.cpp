// What is found in archives that other programs made, whole and damaged.
#include "archive/tar_index.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <map>

#include "archive/tar_writer.h"
#include "base/unique_fd.h"
#include "dataset/test_folder.h"

using namespace imgmill;

namespace {

Result<TarIndex> IndexOf(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(file.valid());
  return TarIndex::Read(file.get(), TestFolder::Read(path).size());
}

/// Contents by name, cut out of the archive where the index says that they are.
std::map<std::string, std::string> ContentsOf(const std::string& path, const TarIndex& index) {
  const std::string archive = TestFolder::Read(path);
  std::map<std::string, std::string> contents;
  for (size_t i = 0; i < index.size(); ++i)
    contents[std::string(index[i].name)] = archive.substr(index[i].start, index[i].bytes);
  return contents;
}

void Run(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

/// Files with names that every format stores in another way.
std::map<std::string, std::string> Files() {
  const std::string folder(90, 'f');
  return {{"a.txt", "content of a"},
          {"empty", ""},
          {"block", std::string(512, 'b')},
          {"block and one", std::string(513, 'c')},
          {folder + "/" + std::string(100, 'm'), "a name of 191 bytes"},
          {std::string(101, 'p'), "101 bytes without a slash"},
          {folder + "/" + folder + "/" + std::string(120, 'q'), "too long for ustar"},
          {"gr\xC3\xBC\xC3\x9F"
           "e.txt",
           "not ASCII"}};
}

const char* const kWithPython =
    "import sys, tarfile, os\n"
    "t = tarfile.open(sys.argv[1], 'w', format=getattr(tarfile, sys.argv[2]))\n"
    "os.chdir(sys.argv[3])\n"
    "for r, d, fs in os.walk('.'):\n"
    "    for f in fs: t.add(os.path.join(r, f), os.path.join(r, f)[2:])\n"
    "t.close()\n";

}  // namespace

TEST_CASE("archives of GNU tar and Python's tarfile have the files that went into them, in each format") {
  const TestFolder where;
  const std::map<std::string, std::string> files = Files();
  for (const auto& [name, content] : files) where.Write("in/" + name, content);
  where.Write("pack.py", kWithPython);
  std::map<std::string, std::string> made;
  for (const std::string format : {"gnu", "oldgnu", "pax", "posix"}) {
    made[format] = where / (format + ".tar");
    Run("tar -C " + (where / "in") + " --format " + format + " -cf " + made[format] + " .");
  }
  for (const std::string format : {"GNU_FORMAT", "PAX_FORMAT"}) {
    made[format] = where / (format + ".tar");
    Run("python3 " + (where / "pack.py") + " " + made[format] + " " + format + " " + (where / "in"));
  }
  for (const auto& [format, path] : made) {
    CAPTURE(format);
    const Result<TarIndex> index = IndexOf(path);
    REQUIRE(index.ok());
    CHECK(index->problems().empty());
    CHECK(ContentsOf(path, *index) == files);
  }
}

TEST_CASE("formats with short names have those files that they can hold") {
  const TestFolder where;
  const std::map<std::string, std::string> files = {{"a", "of a"}, {"sub/b", "of b"}};
  for (const auto& [name, content] : files) where.Write("in/" + name, content);
  for (const std::string format : {"v7", "ustar"}) {
    CAPTURE(format);
    const std::string path = where / (format + ".tar");
    Run("tar -C " + (where / "in") + " --format " + format + " -cf " + path + " a sub");
    const Result<TarIndex> index = IndexOf(path);
    REQUIRE(index.ok());
    CHECK(index->problems().empty());
    CHECK(ContentsOf(path, *index) == files);
    CHECK(index->HasFolder("sub"));
    CHECK(index->HasFolder(""));
    CHECK_FALSE(index->HasFolder("su"));
    CHECK_FALSE(index->Find("sub").has_value());
    CHECK(index->Find("sub/b")->bytes == 4);
  }
}

TEST_CASE("links, sparse files and second members of a name are told of") {
  const TestFolder where;
  where.Write("in/a", "first");
  where.Write("in/z", "last");
  Run("cd " + (where / "in") + " && ln a hard && ln -s a soft && truncate -s 1M hole && echo end >> hole");
  const std::string path = where / "x.tar";
  for (const std::string format : {"gnu", "pax"}) {
    CAPTURE(format);
    Run("tar -C " + (where / "in") + " --sparse --format " + format + " -cf " + path + " a hard soft hole z");
    where.Write("in/a", "second");
    Run("tar -C " + (where / "in") + " --format " + format + " -rf " + path + " a");
    const Result<TarIndex> index = IndexOf(path);
    REQUIRE(index.ok());
    const auto contents = ContentsOf(path, *index);
    CHECK(contents == std::map<std::string, std::string>{{"a", "second"}, {"z", "last"}});
    REQUIRE(index->problems().size() == 4);
    std::map<std::string, std::string> told;
    for (const TarIndex::Problem& each : index->problems()) told[each.name] = each.error.message;
    CHECK(told["hard"].find("a link inside of an archive") != std::string::npos);
    CHECK(told["soft"].find("a link inside of an archive") != std::string::npos);
    CHECK(told.count("a") == 1);
    CHECK(told["a"].find("another member of that name") != std::string::npos);
    where.Write("in/a", "first");
  }
}

TEST_CASE("sparse files of every pax format are told of under their names, and not read") {
  const TestFolder where;
  where.Write("in/a", "of a");
  Run("cd " + (where / "in") + " && truncate -s 1M hole && echo end >> hole && cp a " +
      std::string(120, 'n'));
  const std::string path = where / "x.tar";
  for (const std::string version : {"0.0", "0.1", "1.0"}) {
    CAPTURE(version);
    Run("tar -C " + (where / "in") + " --sparse --sparse-version " + version + " --format pax -cf " + path +
        " hole a " + std::string(120, 'n'));
    const Result<TarIndex> index = IndexOf(path);
    REQUIRE(index.ok());
    CHECK(ContentsOf(path, *index) ==
          std::map<std::string, std::string>{{"a", "of a"}, {std::string(120, 'n'), "of a"}});
    REQUIRE(index->problems().size() == 1);
    CHECK(index->problems()[0].name == "hole");
    CHECK(index->problems()[0].error.message.starts_with("it is stored as a sparse file"));
  }
}

TEST_CASE("a member behind a damaged pax header is a failure, and those around it are read") {
  const TestFolder where;
  const std::string name(120, 'n');
  where.Write("in/a", "of a");
  where.Write("in/" + name, "of n");
  where.Write("in/z", "of z");
  const std::string path = where / "x.tar";
  Run("tar -C " + (where / "in") + " --format pax '--pax-option=delete=?time' -cf " + path + " a " + name +
      " z");
  const std::string whole = TestFolder::Read(path);
  // By hand: a header and a block of `a`, the pax header's own, and then its one record.
  const size_t record = 3 * 512;
  REQUIRE(whole.substr(record, 9) == "130 path=");
  const auto damaged = [&](size_t at, const std::string& bytes) {
    std::string changed = whole;
    changed.replace(record + at, bytes.size(), bytes);
    where.Write("damaged.tar", changed);
    const Result<TarIndex> index = IndexOf(where / "damaged.tar");
    REQUIRE(index.ok());
    CHECK(ContentsOf(where / "damaged.tar", *index) ==
          std::map<std::string, std::string>{{"a", "of a"}, {"z", "of z"}});
    REQUIRE(index->problems().size() == 1);
    CHECK(index->problems()[0].error.code == Code::kMalformed);
    return index->problems()[0].error.message;
  };
  const std::string said =
      "the pax header in front of it, which may tell another name and size, is damaged at byte 1536";
  CHECK(damaged(0, "x") == said);
  CHECK(damaged(0, "999") == said);  // longer than the header
  CHECK(damaged(0, "129") == said);  // no end of a line there
  CHECK(damaged(3, "=") == said);    // no blank
  CHECK(damaged(8, "-") == said);    // no =
  CHECK(damaged(20, std::string(1, '\0')) == said);
  CHECK(damaged(4, "size") == said);  // of no number
}

TEST_CASE("names that lead out of the archive are refused, and slashes in front are not part of a name") {
  const TestFolder where;
  const std::string path = where / "x.tar";
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  TarWriter archive(file, path);
  for (const std::string name : {"../a", "b/../../c", "/d", "./e/./f", "g/../h"}) {
    REQUIRE(archive.Begin(name, 1).ok());
    REQUIRE(archive.Write("x", 1).ok());
    REQUIRE(archive.End().ok());
  }
  REQUIRE(archive.Finish().ok());
  std::fclose(file);
  const Result<TarIndex> index = IndexOf(path);
  REQUIRE(index.ok());
  REQUIRE(index->size() == 2);
  CHECK((*index)[0].name == "d");
  CHECK((*index)[1].name == "e/f");
  REQUIRE(index->problems().size() == 3);
  CHECK(index->problems()[0].name == "../a");
  CHECK(index->problems()[1].error.message == "its name leads out of the archive");
  CHECK(index->problems()[2].name == "g/../h");
  CHECK(index->problems()[2].error.message.starts_with("its name goes up by"));
}

TEST_CASE("an archive that was cut off keeps what is whole and says that something is missing") {
  const TestFolder where;
  where.Write("in/a", std::string(700, 'a'));
  where.Write("in/b", std::string(700, 'b'));
  const std::string path = where / "x.tar";
  Run("tar -C " + (where / "in") + " --format ustar -cf " + path + " a b");
  const std::string whole = TestFolder::Read(path);
  // Two members of a block and two padded ones; then the end mark.
  const size_t second = 512 + 1024, end = 2 * second;
  for (const size_t bytes : {second + 100, second + 600, second, end}) {
    CAPTURE(bytes);
    where.Write("cut.tar", whole.substr(0, bytes));
    const Result<TarIndex> index = IndexOf(where / "cut.tar");
    REQUIRE(index.ok());
    CHECK(index->size() == (bytes == end ? 2 : 1));
    CHECK(index->problems().size() == 1);
  }
  std::string hole = whole;
  hole.replace(second, 512, 512, '\0');
  where.Write("hole.tar", hole);
  const Result<TarIndex> holed = IndexOf(where / "hole.tar");
  REQUIRE(holed.ok());
  CHECK(holed->size() == 1);
  REQUIRE(holed->problems().size() == 1);
  CHECK(holed->problems()[0].error.message.starts_with("more follows behind zeros at byte 1536"));

  std::string damaged = whole;
  damaged[second + 10] ^= 1;
  where.Write("damaged.tar", damaged);
  const Result<TarIndex> index = IndexOf(where / "damaged.tar");
  REQUIRE(index.ok());
  CHECK(index->size() == 1);
  REQUIRE(index->problems().size() == 1);
  CHECK(index->problems()[0].error.message == "it is damaged at byte 1536; what follows is not read");
}

TEST_CASE("archives joined by cat are read to the end of the last") {
  const TestFolder where;
  std::map<std::string, std::string> expected;
  std::string joined;
  const auto add = [&](const std::string& name, const std::string& command) {
    expected[name] = "content of " + name;
    where.Write("in/" + name, expected[name]);
    Run("cd " + (where / "in") + " && " + command);
    joined += TestFolder::Read(where / "one.tar");
  };
  // Records of 10,240 bytes, as GNU tar, Python and libarchive write them, and the bare end mark.
  add("a", "tar -cf ../one.tar a");
  add("b", "tar -b 1 -cf ../one.tar b");
  add("c", "python3 -c \"import tarfile; t = tarfile.open('../one.tar', 'w'); t.add('c'); t.close()\"");
  add("d", "tar --format pax -cf ../one.tar d");
  where.Write("joined.tar", joined);
  const Result<TarIndex> index = IndexOf(where / "joined.tar");
  REQUIRE(index.ok());
  CHECK(index->problems().empty());
  CHECK(ContentsOf(where / "joined.tar", *index) == expected);

  // The same members with a hole in their middle, from which the record that GNU tar fills may be missing.
  const std::string first = joined.substr(0, 1024), last = joined.substr(joined.size() - 10240);
  for (const size_t zeros : {512, 1536, 4096, 9728}) {
    CAPTURE(zeros);
    where.Write("hole.tar", first + std::string(zeros, '\0') + last);
    const Result<TarIndex> holed = IndexOf(where / "hole.tar");
    REQUIRE(holed.ok());
    CHECK(holed->size() == 1);
    REQUIRE(holed->problems().size() == 1);
    CHECK(holed->problems()[0].error.message.starts_with("more follows behind zeros at byte 1024"));
  }
}

TEST_CASE("what is compressed or no archive is refused") {
  const TestFolder where;
  where.Write("in/a", "of a");
  Run("cd " + (where / "in") + " && tar -czf ../x.tar a");
  const Result<TarIndex> packed = IndexOf(where / "x.tar");
  REQUIRE_FALSE(packed.ok());
  CHECK(packed.error().message.starts_with("it is compressed by gzip"));
  where.Write("y.tar", std::string(2000, 'y'));
  CHECK(IndexOf(where / "y.tar").error().message == "it is not a tar archive");
  where.Write("z.tar", "");
  CHECK(IndexOf(where / "z.tar").error().message == "it is empty, not a tar archive");
  where.Write("none.tar", std::string(10240, '\0'));
  const Result<TarIndex> none = IndexOf(where / "none.tar");
  REQUIRE(none.ok());
  CHECK(none->size() == 0);
  CHECK(none->problems().empty());
}

TEST_CASE("names longer than a path are told of by their beginning, and what follows is read") {
  const TestFolder where;
  where.Write("pack.py",
              "import sys, tarfile\n"
              "t = tarfile.open(sys.argv[1], 'w', format=getattr(tarfile, sys.argv[2]))\n"
              "for n in ['n' * 4095, 'p' * 4096, 'q' * 2000000, 'a/' * 9000 + 'x', 'z']: "
              "t.addfile(tarfile.TarInfo(n))\n"
              "t.close()\n");
  for (const std::string format : {"GNU_FORMAT", "PAX_FORMAT"}) {
    CAPTURE(format);
    const std::string path = where / "x.tar";
    Run("python3 " + (where / "pack.py") + " " + path + " " + format);
    const Result<TarIndex> index = IndexOf(path);
    REQUIRE(index.ok());
    REQUIRE(index->size() == 2);
    CHECK((*index)[0].name == std::string(4095, 'n'));
    CHECK((*index)[1].name == "z");
    CHECK(index->memory() < 100'000);
    REQUIRE(index->problems().size() == 3);
    CHECK(index->problems()[2].name.starts_with("a/a/a/a"));
    CHECK(index->problems()[0].name == std::string(100, 'p') + "...");
    const bool pax = format == "PAX_FORMAT";
    CHECK(index->problems()[0].error.code == Code::kLimitExceeded);
    CHECK(index->problems()[0].error.message ==
          "its name is longer than the 4095 bytes that a path can have");
    CHECK(index->problems()[1].error.code == Code::kLimitExceeded);
    // A pax header of this size is not looked into; by tarfile, the old header has the name's beginning.
    CHECK(index->problems()[1].name == (pax ? std::string(100, 'q') : std::string(100, 'q') + "..."));
    CHECK(index->problems()[1].error.message.find(pax ? "longer than 1 MiB, at byte"
                                                      : "its name is longer") != std::string::npos);
  }
}

TEST_CASE("reading ends when it may hold no more, and when it is stopped") {
  const TestFolder where;
  where.Write("in/a", "of a");
  where.Write("in/b", "of b");
  Run("tar -C " + (where / "in") + " -cf " + (where / "x.tar") + " a b");
  const UniqueFd file(::open((where / "x.tar").c_str(), O_RDONLY | O_CLOEXEC));
  const uint64_t bytes = TestFolder::Read(where / "x.tar").size();
  const auto two_at_most = [](size_t held) -> Status {
    if (held < 2 * 24) return {};
    return Error{Stage::kList, Code::kTooLarge, "no more"};
  };
  const Result<TarIndex> full = TarIndex::Read(file.get(), bytes, {nullptr, two_at_most});
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().message == "no more");
  StopFlag stop;
  CHECK(TarIndex::Read(file.get(), bytes, {&stop, {}}).ok());
  stop.RequestStop();
  const Result<TarIndex> stopped = TarIndex::Read(file.get(), bytes, {&stop, {}});
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == Code::kInterrupted);
}
