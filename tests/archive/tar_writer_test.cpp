// Archives as GNU tar reads them.
#include "archive/tar_writer.h"

#include <doctest/doctest.h>

#include <map>

#include "dataset/test_folder.h"

using namespace imgmill;

namespace {

/// What `tar` says on stdout.
std::string Tar(const std::string& arguments) {
  const std::string command = "LC_ALL=C tar " + arguments + " 2>&1";
  FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string said;
  for (int byte = std::fgetc(pipe); byte != EOF; byte = std::fgetc(pipe)) said += static_cast<char>(byte);
  CHECK(::pclose(pipe) == 0);
  return said;
}

void Add(TarWriter& archive, const std::string& name, const std::string& content) {
  REQUIRE(archive.Begin(name, content.size()).ok());
  REQUIRE(archive.Write(content.data(), content.size()).ok());
  REQUIRE(archive.End().ok());
}

/// Names of every kind: short, at both limits of the old format, beyond them, not ASCII.
std::map<std::string, std::string> Members() {
  const std::string folder(90, 'f'), deep = folder + "/" + std::string(60, 'g');
  std::map<std::string, std::string> members;
  members["a.jpg"] = "content of a";
  members["empty.txt"] = "";
  members["block.bin"] = std::string(512, 'b');
  members["block and one.bin"] = std::string(513, 'c');
  members[std::string(100, 'n')] = "a name of 100";
  members[folder + "/" + std::string(100, 'm')] = "split at the slash";
  members[deep + "/" + std::string(100, 'o')] = "split at the last slash that fits";
  members[std::string(101, 'p')] = "101 bytes without a slash";
  members[deep + "/" + folder + "/" + std::string(120, 'q')] = "too long in both parts";
  members["grüße/日本.png"] = "not ASCII";
  return members;
}

}  // namespace

TEST_CASE("GNU tar lists and extracts what was written, whatever the names") {
  const TestFolder where;
  const auto members = Members();
  const auto write = [&](const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    REQUIRE(file != nullptr);
    TarWriter archive(file, path);
    uint64_t expected = 0;
    for (const auto& [name, content] : members) {
      Add(archive, name, content);
      expected += TarWriter::MemberBytes(name, content.size());
      CHECK(archive.bytes() == expected);
    }
    REQUIRE(archive.Finish().ok());
    CHECK(archive.bytes() == expected + TarWriter::kEndBytes);
    REQUIRE(std::fclose(file) == 0);
    CHECK(std::filesystem::file_size(path) == archive.bytes());
  };
  write(where / "one.tar");
  write(where / "two.tar");
  CHECK(TestFolder::Read(where / "one.tar") == TestFolder::Read(where / "two.tar"));

  std::string names;
  for (const auto& [name, content] : members) names += name + "\n";
  CHECK(Tar("--quoting-style=literal -tf " + where / "one.tar") == names);
  std::filesystem::create_directory(where / "out");
  CHECK(Tar("-xf " + where / "one.tar" + " -C " + where / "out").empty());
  for (const auto& [name, content] : members) CHECK(TestFolder::Read(where / ("out/" + name)) == content);
  CHECK(Tar("--full-time -tvf " + where / "one.tar" + " a.jpg") ==
        "-rw-r--r-- 0/0              12 1970-01-01 00:00:00 a.jpg\n");
}

TEST_CASE("what was cut off is not in the archive, and what follows is") {
  const TestFolder where;
  std::FILE* const file = std::fopen((where / "cut.tar").c_str(), "wb");
  REQUIRE(file != nullptr);
  TarWriter archive(file, "cut.tar");
  Add(archive, "kept.txt", "kept");
  const uint64_t before = archive.bytes();
  Add(archive, "whole.txt", std::string(5000, 'w'));
  REQUIRE(archive.Begin("half.txt", 1000).ok());
  REQUIRE(archive.Write("some", 4).ok());
  REQUIRE(archive.CutTo(before).ok());
  Add(archive, "next.txt", "next");
  REQUIRE(archive.Finish().ok());
  REQUIRE(std::fclose(file) == 0);
  CHECK(Tar("-tf " + where / "cut.tar") == "kept.txt\nnext.txt\n");
  CHECK(Tar("-xOf " + where / "cut.tar" + " next.txt") == "next");
}

TEST_CASE("an archive on a full disk says so") {
  if (!std::filesystem::exists("/dev/full")) {
    MESSAGE("SKIPPED: no /dev/full");
    return;
  }
  std::FILE* const file = std::fopen("/dev/full", "wb");
  REQUIRE(file != nullptr);
  std::setvbuf(file, nullptr, _IONBF, 0);
  TarWriter archive(file, "full.tar");
  const Status begun = archive.Begin("a.txt", 3);
  REQUIRE_FALSE(begun.ok());
  CHECK(begun.error().code == Code::kDiskFull);
  std::fclose(file);
}
