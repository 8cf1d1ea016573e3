// Files of decisions: what is read back, and what no page has written.
#include "commands/dedup/decisions_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace imgmill;

namespace {

constexpr char kDigest[] = "00112233445566778899aabbccddeeff";

std::string FileText(const std::string& path, const std::string& below, const std::string& digest = kDigest) {
  return R"({"path":")" + path + R"(","below":")" + below +
         R"(","size":"12","mtime_ns":"1700000000123456789","ctime_ns":"-3","inode":"18446744073709551615","digest":")" +
         digest + R"("})";
}

std::string Document(const std::string& keep, const std::string& duplicate) {
  return R"({"schema":"imgmill-decisions/1","folder":"/data","groups":[{"keep":)" + keep +
         R"(,"duplicates":[)" + duplicate + "]}]}";
}

struct ReadBack {
  Status status;
  std::vector<DecidedGroup> groups;
};

ReadBack Read(const std::string& text) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "imgmill_decisions_test.json";
  std::ofstream(path, std::ios::binary) << text;
  ReadBack back;
  back.status = ReadDecisions(path.string(), [&](const DecidedGroup& group) {
    back.groups.push_back(group);
    return Status();
  });
  std::filesystem::remove(path);
  return back;
}

}  // namespace

TEST_CASE("decisions are read back: numbers beyond 2^53, escaped bytes, paths relative to their folder") {
  const ReadBack back = Read(Document(FileText("in/a.jpg", "a.jpg"), FileText("/x/b\\\\xff.jpg", "x/b.jpg")));
  REQUIRE(back.status.ok());
  REQUIRE(back.groups.size() == 1);
  const DecidedFile& keep = back.groups[0].keep;
  CHECK(keep.path == "/data/in/a.jpg");
  CHECK(keep.stamp.size == 12);
  CHECK(keep.stamp.mtime_ns == 1700000000123456789);
  CHECK(keep.stamp.ctime_ns == -3);
  CHECK(keep.stamp.inode == 18446744073709551615u);
  CHECK(keep.content.Hex() == kDigest);
  REQUIRE(back.groups[0].duplicates.size() == 1);
  CHECK(back.groups[0].duplicates[0].path == "/x/b\xff.jpg");
}

TEST_CASE("decisions that a page cannot have written are refused") {
  const std::string fine = FileText("a.jpg", "a.jpg"), other = FileText("b.jpg", "b.jpg");
  REQUIRE(Read(Document(fine, other)).status.ok());
  // Out of the folder that files are moved to.
  CHECK(Read(Document(fine, FileText("b.jpg", "../b.jpg"))).status.error().code == Code::kMalformed);
  CHECK(Read(Document(fine, FileText("b.jpg", "/b.jpg"))).status.error().code == Code::kMalformed);
  // The image that stays is to go, too.
  CHECK(Read(Document(fine, fine)).status.error().code == Code::kMalformed);
  // No digest, no name, a name that ends early for the system, nothing to go, cut off.
  CHECK_FALSE(Read(Document(fine, FileText("b.jpg", "b.jpg", "0011"))).status.ok());
  CHECK_FALSE(Read(Document(fine, FileText("", "b.jpg"))).status.ok());
  CHECK_FALSE(Read(Document(fine, FileText("b\\\\x00.jpg", "b.jpg"))).status.ok());
  CHECK_FALSE(Read(Document(fine, "")).status.ok());
  const std::string whole = Document(fine, other);
  for (size_t end = 0; end < whole.size(); ++end) CHECK_FALSE(Read(whole.substr(0, end)).status.ok());
  // Groups before the schema, or of another one.
  CHECK_FALSE(Read(R"({"groups":[{"keep":)" + fine + R"(,"duplicates":[)" + other +
                   R"(]}],"schema":"imgmill-decisions/1","folder":"/data"})")
                  .status.ok());
  CHECK_FALSE(Read(R"({"schema":"imgmill-decisions/2","folder":"/data","groups":[]})").status.ok());
  for (const char* none : {"1", "\"a\"", "[\"x\"]"})
    CHECK_FALSE(
        Read(R"({"schema":"imgmill-decisions/1","folder":"/data","groups":[)" + std::string(none) + "]}")
            .status.ok());
  // A page on which everything stays.
  CHECK(Read(R"({"schema":"imgmill-decisions/1","folder":"/data","groups":[]})").status.ok());
}
